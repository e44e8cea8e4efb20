//! Compares two schemas of the same version of a payload.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::effect::{Effect, SideNames};
use super::enum_values::Values;
use super::meaning::{Change, compare_meanings};
use super::version_schema::{KindParts, VersionSchema};
use crate::wire::v1::manifest::{Enum, Field, Message, Payload, StageRules};

/// A difference between two schemas of the same version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The full name of the message or enum at the source, or the type URL if the difference concerns
    /// the payload as a whole.
    pub place: String,
    /// The difference in words, with both sides.
    pub reason: String,
    /// The field that differs, unless the difference is not in one field.
    pub field: Option<FieldNumbers>,
    /// Whether the destination refuses some values of the field and accepts all others with their
    /// meaning. The preflight then decides by the values at hand.
    pub by_value: bool,
}

impl Difference {
    /// Creates a difference that is not in one field.
    pub(super) fn of(place: &str, reason: String) -> Self {
        Self { place: place.to_owned(), reason, field: None, by_value: false }
    }
}

/// The numbers of a field on the two sides of a [`Difference`]. A field that moved has two different
/// numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldNumbers {
    /// The name of the field.
    pub name: String,
    /// Its number at the source; `None` if the source does not have it.
    pub source: Option<u32>,
    /// Its number at the destination; `None` if the destination does not have it.
    pub destination: Option<u32>,
}

/// Compares one version of a payload on two sides. Returns every difference, in the order of a
/// traversal from the root message.
pub(super) fn compare(
    sides: SideNames,
    source: &VersionSchema,
    destination: &VersionSchema,
) -> Vec<(Effect, Difference)> {
    let mut comparison = Comparison {
        sides,
        source,
        destination,
        found: Vec::new(),
        paired: HashSet::new(),
        waiting: Vec::new(),
    };
    comparison.pair("", &source.root, &destination.root);
    while let Some((from, to)) = comparison.waiting.pop() {
        comparison.types(from, to);
    }
    comparison.one_sided();
    comparison.found
}

/// Compares those stage rules that affect a peer: whether the stage is carried, and `save_from`.
pub(super) fn compare_stages(
    sides: SideNames,
    place: &str,
    from: Option<&StageRules>,
    to: Option<&StageRules>,
) -> Vec<(Effect, Difference)> {
    let mut found = Vec::new();
    let mut differs = |effect, reason: String| {
        found.push((effect, Difference::of(place, reason)));
    };
    let [source, destination] = sides.who;
    let (from, to) = match (from, to) {
        (Some(from), Some(to)) => (from, to),
        (None, None) => return found,
        (Some(_), None) => {
            differs(Effect::Tolerable, format!("only {source} has stage rules"));
            return found;
        }
        (None, Some(_)) => {
            differs(Effect::Tolerable, format!("only {destination} has stage rules"));
            return found;
        }
    };
    let [at_source, at_destination] = sides.at;
    if from.carried != to.carried {
        let at = if from.carried { at_source } else { at_destination };
        differs(Effect::Breaking, format!("the stage is carried only {at}"));
    }
    // An empty list means that every stage may be saved.
    if from.save_from.is_empty() && !to.save_from.is_empty() {
        differs(
            Effect::Breaking,
            format!("every stage may be saved {at_source}, only some {at_destination}"),
        );
    } else if to.save_from.is_empty() && !from.save_from.is_empty() {
        differs(
            Effect::Tolerable,
            format!("every stage may be saved {at_destination}, only some {at_source}"),
        );
    } else {
        for stage in from.save_from.iter().filter(|stage| !to.save_from.contains(stage)) {
            differs(Effect::Breaking, format!("stage {stage} may be saved only {at_source}"));
        }
        for stage in to.save_from.iter().filter(|stage| !from.save_from.contains(stage)) {
            differs(Effect::Tolerable, format!("stage {stage} may be saved only {at_destination}"));
        }
    }
    found
}

/// Compares which fields hold the controller's name and its stage. 0 means that the field is
/// unknown or does not exist.
pub(super) fn compare_roles(
    sides: SideNames,
    place: &str,
    from: &Payload,
    to: &Payload,
) -> Vec<(Effect, Difference)> {
    let [at_source, at_destination] = sides.at;
    let roles = [
        (Effect::Tolerable, "the controller is named by", from.id_field, to.id_field),
        (Effect::Breaking, "the stage is in", from.stage_field, to.stage_field),
    ];
    let roles = roles.into_iter().filter(|(.., from, to)| *from != 0 && *to != 0 && from != to);
    let differences = roles.map(|(effect, what, from, to)| {
        let reason = format!("{what} field {from} {at_source} and field {to} {at_destination}");
        (effect, Difference::of(place, reason))
    });
    differences.collect()
}

struct Comparison<'m> {
    sides: SideNames,
    source: &'m VersionSchema,
    destination: &'m VersionSchema,
    found: Vec<(Effect, Difference)>,
    /// The pairs of messages or enums that were compared or wait to be compared.
    paired: HashSet<(&'m str, &'m str)>,
    waiting: Vec<(&'m str, &'m str)>,
}

impl<'m> Comparison<'m> {
    fn differs(&mut self, effect: Effect, place: &str, reason: String) {
        self.found.push((effect, Difference::of(place, reason)));
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
        self.found.push((effect, Difference { field, ..Difference::of(place, reason) }));
    }

    /// Queues a pair of types for comparison, once, and reports when their names differ.
    fn pair(&mut self, place: &str, from: &'m str, to: &'m str) {
        if self.paired.insert((from, to)) {
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
            // Neither side describes the root, so there is nothing to compare.
            ((None, None), (None, None)) if from == to => {}
            _ => self.differs(
                Effect::Breaking,
                from,
                format!("is {to} {}, a different kind of type", self.sides.at[1]),
            ),
        }
    }

    fn messages(&mut self, from: &'m Message, to: &'m Message) {
        let numbers: HashMap<u32, &'m Field> = to.fields.iter().map(|f| (f.number, f)).collect();
        let [names, other_names] = [from, to].map(|message| {
            message.fields.iter().map(|f| (f.name.as_str(), f)).collect::<HashMap<_, &'m Field>>()
        });
        let place = from.name.as_str();
        let SideNames { who: [source, destination], at: [at_source, at_destination] } = self.sides;
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

    /// Compares which fields exclude each other. The name of a oneof does not matter.
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

    /// Returns whether two fields are equal except for the names of messages and enums.
    fn same_shape(&self, from: &Field, to: &Field) -> bool {
        let (source, destination) = (KindParts::of(&from.kind), KindParts::of(&to.kind));
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
        let (source, destination) =
            (KindParts::of(&from.kind).value, KindParts::of(&to.kind).value);
        if source != destination
            || self.source.messages.contains_key(source)
            || self.source.enums.contains_key(source)
        {
            self.pair(place, source, destination);
        }
        for (verb, source, destination) in
            [("defines", &from.defines, &to.defines), ("refers to", &from.refers, &to.refers)]
        {
            if source != destination {
                let names = |names: &[String]| match names {
                    [] => "nothing".to_owned(),
                    names => names.join(", "),
                };
                let reason = format!(
                    "field {number} ({name}) {verb} {} {at_source} and {} {at_destination}",
                    names(source),
                    names(destination)
                );
                self.field_differs(Effect::Tolerable, place, name, numbers, reason);
            }
        }
        for Change { effect, reason, by_value } in compare_meanings(self.sides, from, to) {
            let reason = format!("field {number} ({name}) {reason}");
            self.field_differs(effect, place, name, numbers, reason);
            if let Some((_, difference)) = self.found.last_mut() {
                difference.by_value = by_value;
            }
        }
    }

    fn enums(&mut self, from: &Enum, to: &Enum) {
        let SideNames { who: [source, destination], at: [at_source, at_destination] } = self.sides;
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
                    Effect::Tolerable,
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
                    format!("value {number} is also called {name} {at_destination}"),
                );
            }
        }
    }

    /// Reports the fields of every message that only one side reaches. Skips protobuf's own messages
    /// and messages that the other side has in another place.
    fn one_sided(&mut self) {
        let (source, destination) = (self.source, self.destination);
        for (here, there, at_source) in [(source, destination, true), (destination, source, false)]
        {
            let who = self.sides.who[usize::from(!at_source)];
            let paired = self.paired.iter().map(|&(from, to)| if at_source { from } else { to });
            let paired: HashSet<&str> = paired.collect();
            for (name, message) in &here.messages {
                if paired.contains(name.as_str())
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
