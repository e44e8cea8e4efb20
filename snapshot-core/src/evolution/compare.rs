//! Two schemas of one version of a payload, side by side.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::enum_values::Values;
use super::version_schema::{Shape, VersionSchema};
use crate::wire::v1::manifest::{Enum, Field, Message, StageRules};

/// A difference between two schemas of the same version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The source's full name of the message or enum; the type URL where it concerns the payload.
    pub place: String,
    /// What differs.
    pub reason: String,
    /// The field that it is about, if it is about one.
    pub field: Option<FieldNumbers>,
}

/// A field on the two sides of a [`Difference`]: one that moved has two numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldNumbers {
    /// The name of the field.
    pub name: String,
    /// Its number at the source, if it is there.
    pub source: Option<u32>,
    /// Its number at the destination, if it is there.
    pub destination: Option<u32>,
}

/// What a difference does to a snapshot of the source at the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    /// None: another name for the same thing.
    Renamed,
    /// The wire is the same, and the destination reads all of it; the way back may not work.
    Bearable,
    /// It is refused, or something of it would be lost.
    Breaking,
}

/// What the two sides are called in a reason.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides {
    /// As in "only the source has".
    pub(super) who: [&'static str; 2],
    /// As in "is 2 at the source".
    pub(super) at: [&'static str; 2],
}

/// The two peers of a migration.
pub(super) const PEERS: Sides =
    Sides { who: ["the source", "the destination"], at: ["at the source", "at the destination"] };

/// Compares one version of a payload on two sides: everything that differs, in the order in which
/// the messages are met from the root.
pub(super) fn compare(
    sides: Sides,
    source: &VersionSchema,
    destination: &VersionSchema,
) -> Vec<(Effect, Difference)> {
    let mut comparison = Comparison {
        sides,
        source,
        destination,
        found: Vec::new(),
        met: HashSet::new(),
        waiting: Vec::new(),
    };
    comparison.meet("", &source.root, &destination.root);
    while let Some((from, to)) = comparison.waiting.pop() {
        comparison.types(from, to);
    }
    comparison.one_sided();
    comparison.found
}

/// Compares the part of the stage rules that a peer notices.
pub(super) fn compare_stages(
    sides: Sides,
    place: &str,
    from: Option<&StageRules>,
    to: Option<&StageRules>,
) -> Vec<(Effect, Difference)> {
    let mut found = Vec::new();
    let mut differs = |effect, reason: String| {
        found.push((effect, Difference { place: place.to_owned(), reason, field: None }));
    };
    let [source, destination] = sides.who;
    let (from, to) = match (from, to) {
        (Some(from), Some(to)) => (from, to),
        (None, None) => return found,
        (Some(_), None) => {
            differs(Effect::Bearable, format!("only {source} has stage rules"));
            return found;
        }
        (None, Some(_)) => {
            differs(Effect::Bearable, format!("only {destination} has stage rules"));
            return found;
        }
    };
    let [at_source, at_destination] = sides.at;
    if from.carried != to.carried {
        let at = if from.carried { at_source } else { at_destination };
        differs(Effect::Breaking, format!("only {at} the stage travels"));
    }
    // No stage named means that every stage may be saved.
    if from.save_from.is_empty() && !to.save_from.is_empty() {
        differs(Effect::Breaking, format!("only {at_source} every stage may be saved"));
    } else if to.save_from.is_empty() && !from.save_from.is_empty() {
        differs(Effect::Bearable, format!("only {at_destination} every stage may be saved"));
    } else {
        for stage in from.save_from.iter().filter(|stage| !to.save_from.contains(stage)) {
            differs(Effect::Breaking, format!("only {at_source} stage {stage} may be saved"));
        }
        for stage in to.save_from.iter().filter(|stage| !from.save_from.contains(stage)) {
            differs(Effect::Bearable, format!("only {at_destination} stage {stage} may be saved"));
        }
    }
    found
}

struct Comparison<'m> {
    sides: Sides,
    source: &'m VersionSchema,
    destination: &'m VersionSchema,
    found: Vec<(Effect, Difference)>,
    /// Pairs of messages or enums that were compared or wait for it.
    met: HashSet<(&'m str, &'m str)>,
    waiting: Vec<(&'m str, &'m str)>,
}

impl<'m> Comparison<'m> {
    fn differs(&mut self, effect: Effect, place: &str, reason: String) {
        self.found.push((effect, Difference { place: place.to_owned(), reason, field: None }));
    }

    fn field_differs(
        &mut self,
        effect: Effect,
        place: &str,
        name: &str,
        [source, destination]: [Option<u32>; 2],
        reason: String,
    ) {
        let field = Some(FieldNumbers { name: name.to_owned(), source, destination });
        self.found.push((effect, Difference { place: place.to_owned(), reason, field }));
    }

    fn meet(&mut self, place: &str, from: &'m str, to: &'m str) {
        if self.met.insert((from, to)) {
            if from != to {
                let place = if place.is_empty() { from } else { place };
                self.differs(
                    Effect::Renamed,
                    place,
                    format!("{from} is called {to} {}", self.sides.at[1]),
                );
            }
            self.waiting.push((from, to));
        }
    }

    fn types(&mut self, from: &'m str, to: &'m str) {
        let messages = (self.source.messages.get(from), self.destination.messages.get(to));
        let enums = (self.source.enums.get(from), self.destination.enums.get(to));
        match (messages, enums) {
            ((Some(source), Some(destination)), _) => self.messages(source, destination),
            (_, (Some(source), Some(destination))) => self.enums(source, destination),
            // Of a root that neither side describes nothing can be said.
            ((None, None), (None, None)) if from == to => {}
            _ => self.differs(
                Effect::Breaking,
                from,
                format!("is {to} {}, which is something else", self.sides.at[1]),
            ),
        }
    }

    fn messages(&mut self, from: &'m Message, to: &'m Message) {
        let numbers: HashMap<u32, &'m Field> = to.fields.iter().map(|f| (f.number, f)).collect();
        let [names, other_names] = [from, to].map(|message| {
            message.fields.iter().map(|f| (f.name.as_str(), f)).collect::<HashMap<_, &'m Field>>()
        });
        let place = from.name.as_str();
        let Sides { who: [source, destination], at: [at_source, at_destination] } = self.sides;
        let mut renamed = HashSet::new();
        for field in &from.fields {
            let (number, name) = (field.number, field.name.as_str());
            let same_number = numbers.get(&number).copied();
            match (same_number, other_names.get(name).copied()) {
                (Some(other), _) if other.name == name => self.fields(place, field, other),
                (_, Some(other)) => {
                    let reason = format!(
                        "field {name} is {number} {at_source} and {} {at_destination}",
                        other.number
                    );
                    let numbers = [Some(number), Some(other.number)];
                    self.field_differs(Effect::Breaking, place, name, numbers, reason);
                    self.fields(place, field, other);
                }
                (Some(other), None)
                    if !names.contains_key(other.name.as_str())
                        && self.same_shape(field, other) =>
                {
                    renamed.insert(other.number);
                    self.field_differs(
                        Effect::Renamed,
                        place,
                        name,
                        [Some(number), Some(number)],
                        format!(
                            "field {number} ({name}) is called {} {at_destination}",
                            other.name
                        ),
                    );
                    self.fields(place, field, other);
                }
                _ => self.field_differs(
                    Effect::Breaking,
                    place,
                    name,
                    [Some(number), None],
                    format!("only {source} has field {number} ({name})"),
                ),
            }
        }
        for field in &to.fields {
            let (number, name) = (field.number, field.name.as_str());
            if !renamed.contains(&number) && !names.contains_key(name) {
                self.field_differs(
                    Effect::Breaking,
                    place,
                    name,
                    [None, Some(number)],
                    format!("only {destination} has field {number} ({name})"),
                );
            }
        }
        self.oneofs(from, &numbers);
    }

    /// Which fields exclude each other matters, the name of their oneof does not.
    fn oneofs(&mut self, from: &'m Message, to: &HashMap<u32, &'m Field>) {
        let [at_source, at_destination] = self.sides.at;
        let (mut there, mut back) = (BTreeMap::new(), BTreeMap::new());
        for field in from.fields.iter().filter(|field| !field.oneof.is_empty()) {
            let other = to.get(&field.number);
            let Some(other) = other.filter(|other| !other.oneof.is_empty()) else { continue };
            let (source, destination) = (field.oneof.as_str(), other.oneof.as_str());
            let expected = *there.entry(source).or_insert(destination);
            let origin = *back.entry(destination).or_insert(source);
            let (number, name) = (field.number, field.name.as_str());
            if expected != destination || origin != source {
                let reason = format!(
                    "field {number} ({name}) is in oneof {source} {at_source} and in oneof \
                     {destination}, with other fields, {at_destination}"
                );
                let numbers = [Some(number), Some(number)];
                self.field_differs(Effect::Breaking, &from.name, name, numbers, reason);
            } else if source != destination {
                let reason = format!("oneof {source} is called {destination} {at_destination}");
                self.differs(Effect::Renamed, &from.name, reason);
            }
        }
    }

    /// Whether two fields are the same but for the names of messages and enums.
    fn same_shape(&self, from: &Field, to: &Field) -> bool {
        let (source, destination) = (Shape::of(&from.kind), Shape::of(&to.kind));
        source.label == destination.label
            && from.oneof.is_empty() == to.oneof.is_empty()
            && source.key == destination.key
            && self.source.class(source.value) == self.destination.class(destination.value)
    }

    fn fields(&mut self, place: &str, from: &'m Field, to: &'m Field) {
        let [at_source, at_destination] = self.sides.at;
        let numbers = [Some(from.number), Some(to.number)];
        let (number, name) = (from.number, from.name.as_str());
        if !self.same_shape(from, to) {
            let at = |field: &Field| match field.oneof.as_str() {
                "" => field.kind.clone(),
                oneof => format!("{} in oneof {oneof}", field.kind),
            };
            let (source, destination) = (at(from), at(to));
            let reason = format!(
                "field {number} ({name}) is {source} {at_source} and {destination} \
                 {at_destination}"
            );
            return self.field_differs(Effect::Breaking, place, name, numbers, reason);
        }
        let (source, destination) = (Shape::of(&from.kind).value, Shape::of(&to.kind).value);
        if source != destination
            || self.source.messages.contains_key(source)
            || self.source.enums.contains_key(source)
        {
            self.meet(place, source, destination);
        }
        for (what, source, destination) in
            [("defines", &from.defines, &to.defines), ("refers to", &from.refers, &to.refers)]
        {
            if source != destination {
                let names = |names: &[String]| match names {
                    [] => "nothing".to_owned(),
                    names => names.join(", "),
                };
                let reason = format!(
                    "field {number} ({name}) {what} {} {at_source} and {} {at_destination}",
                    names(source),
                    names(destination)
                );
                self.field_differs(Effect::Bearable, place, name, numbers, reason);
            }
        }
    }

    fn enums(&mut self, from: &Enum, to: &Enum) {
        let Sides { who: [source, destination], at: [at_source, at_destination] } = self.sides;
        let (here, there) = (Values::of(from), Values::of(to));
        for value in &from.values {
            let (number, name) = (value.number, value.name.as_str());
            if there.has(number, name) {
                continue;
            }
            let (effect, reason) = match (there.by_name.get(name), there.named(number).first()) {
                (Some(other), _) => (
                    Effect::Breaking,
                    format!("value {name} is {number} {at_source} and {other} {at_destination}"),
                ),
                (None, Some(other)) => (
                    Effect::Renamed,
                    format!("value {number} ({name}) is called {other} {at_destination}"),
                ),
                (None, None) => {
                    (Effect::Breaking, format!("only {source} has value {number} ({name})"))
                }
            };
            self.differs(effect, &from.name, reason);
        }
        for value in &to.values {
            let (number, name) = (value.number, value.name.as_str());
            let known = !here.named(number).is_empty();
            if !known && !here.by_name.contains_key(name) {
                self.differs(
                    Effect::Bearable,
                    &from.name,
                    format!("only {destination} has value {number} ({name})"),
                );
            } else if known
                && !here.has(number, name)
                && here.named(number).len() < there.named(number).len()
            {
                self.differs(
                    Effect::Renamed,
                    &from.name,
                    format!("value {number} has a further name {at_destination}, {name}"),
                );
            }
        }
    }

    /// The fields of the messages that only a field of one side reaches. A message that is somewhere
    /// on the other side too is no news, and neither are protobuf's own.
    fn one_sided(&mut self) {
        let (source, destination) = (self.source, self.destination);
        for (here, there, at_source) in [(source, destination, true), (destination, source, false)]
        {
            let who = self.sides.who[usize::from(!at_source)];
            let met = self.met.iter().map(|&(from, to)| if at_source { from } else { to });
            let met: HashSet<&str> = met.collect();
            for (name, message) in &here.messages {
                if met.contains(name.as_str())
                    || there.messages.contains_key(name)
                    || name.starts_with("google.protobuf.")
                {
                    continue;
                }
                for field in &message.fields {
                    let number = Some(field.number);
                    let numbers = if at_source { [number, None] } else { [None, number] };
                    let reason = format!("only {who} has field {} ({})", field.number, field.name);
                    self.field_differs(Effect::Breaking, name, &field.name, numbers, reason);
                }
            }
        }
    }
}
