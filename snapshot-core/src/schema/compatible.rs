//! Whether one build restores what another one saves, from their manifests alone.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use super::manifest::Manifest;
use crate::wire::v1::manifest::{Enum, Field, Message, Payload, StageRules};
use crate::{Code, Error};

/// Whether a destination restores what a source saves, payload by payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compatibility {
    /// One verdict for each payload of the source, by ascending type URL.
    pub payloads: Vec<PayloadVerdict>,
}

/// Whether a destination restores one payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PayloadVerdict {
    /// The type URL.
    pub type_url: String,
    /// The verdict.
    pub verdict: Verdict,
}

/// Whether a destination restores a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Yes: version and schema are the same.
    Same,
    /// Yes: the destination accepts the source's version, and what differs is not on the wire or
    /// is never saved by the source.
    Readable,
    /// No: the destination knows no payload of this type URL.
    Missing,
    /// No: the destination does not accept the source's version.
    VersionNotAccepted {
        /// The version that the source saves.
        version: u32,
        /// The versions that the destination accepts.
        accepts: Vec<u32>,
    },
    /// No: the version is the same and the schemas are not.
    Differs(Vec<Difference>),
}

/// A difference between two schemas of the same version that the destination does not bear.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The source's full name of the message or enum; the type URL where it concerns the payload.
    pub place: String,
    /// What differs.
    pub reason: String,
}

impl Verdict {
    /// Whether the destination restores the payload.
    pub fn is_readable(&self) -> bool {
        matches!(self, Verdict::Same | Verdict::Readable)
    }
}

impl Compatibility {
    /// Whether the destination restores everything that the source may save.
    pub fn is_compatible(&self) -> bool {
        self.payloads.iter().all(|payload| payload.verdict.is_readable())
    }

    /// # Errors
    ///
    /// [`Code::Unimplemented`], with everything that the destination does not restore.
    pub fn check(&self) -> Result<(), Error> {
        Error::collect(self.payloads.iter().filter(|payload| !payload.verdict.is_readable()).map(
            |payload| {
                Error::new(Code::Unimplemented, format!("the destination cannot restore {payload}"))
            },
        ))
    }
}

impl fmt::Display for PayloadVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.type_url)?;
        match &self.verdict {
            Verdict::Same => f.write_str("the same"),
            Verdict::Readable => f.write_str("readable"),
            Verdict::Missing => f.write_str("it has no controller for it"),
            Verdict::VersionNotAccepted { version, accepts } => {
                let accepts: Vec<_> = accepts.iter().map(u32::to_string).collect();
                write!(f, "version {version}, it reads {}", accepts.join(", "))
            }
            Verdict::Differs(differences) => {
                f.write_str("the schemas differ and the versions do not")?;
                for Difference { place, reason } in differences {
                    write!(f, "; {place}: {reason}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Compatibility {
    /// One line per payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, payload) in self.payloads.iter().enumerate() {
            if position > 0 {
                writeln!(f)?;
            }
            payload.fmt(f)?;
        }
        Ok(())
    }
}

/// Compares what a source saves with what a destination accepts.
pub fn compatible(source: &Manifest, destination: &Manifest) -> Compatibility {
    let (theirs, ours) = (Index::of(source), Index::of(destination));
    let payloads = theirs.payloads.values().map(|payload| PayloadVerdict {
        type_url: payload.type_url.clone(),
        verdict: match ours.payloads.get(payload.type_url.as_str()) {
            Some(accepting) => Comparison::new(&theirs, &ours).verdict(payload, accepting),
            None => Verdict::Missing,
        },
    });
    Compatibility { payloads: payloads.collect() }
}

/// A manifest, to look things up in. The one from the other side is not trusted to be sorted.
struct Index<'m> {
    payloads: BTreeMap<&'m str, &'m Payload>,
    messages: BTreeMap<&'m str, &'m Message>,
    enums: BTreeMap<&'m str, &'m Enum>,
}

impl<'m> Index<'m> {
    fn of(manifest: &'m Manifest) -> Self {
        Self {
            payloads: manifest.payloads.iter().map(|p| (p.type_url.as_str(), p)).collect(),
            messages: manifest.messages.iter().map(|m| (m.name.as_str(), m)).collect(),
            enums: manifest.enums.iter().map(|e| (e.name.as_str(), e)).collect(),
        }
    }
}

struct Comparison<'m> {
    source: &'m Index<'m>,
    destination: &'m Index<'m>,
    differences: Vec<Difference>,
    /// Something differs that the destination bears.
    renamed: bool,
    /// Pairs of messages or enums that were compared or wait for it.
    met: HashSet<(&'m str, &'m str)>,
    waiting: Vec<(&'m str, &'m str)>,
}

impl<'m> Comparison<'m> {
    fn new(source: &'m Index<'m>, destination: &'m Index<'m>) -> Self {
        Self {
            source,
            destination,
            differences: Vec::new(),
            renamed: false,
            met: HashSet::new(),
            waiting: Vec::new(),
        }
    }

    fn verdict(mut self, from: &'m Payload, to: &'m Payload) -> Verdict {
        if from.version != to.version && !to.accepts.contains(&from.version) {
            return Verdict::VersionNotAccepted {
                version: from.version,
                accepts: match to.accepts.is_empty() {
                    true => vec![to.version],
                    false => to.accepts.clone(),
                },
            };
        }
        if from.version != to.version {
            // Read as its own message and upgraded; the manifest has the newest only.
            return Verdict::Readable;
        }
        self.stages(&from.type_url, from.stage_rules.as_ref(), to.stage_rules.as_ref());
        self.renamed |= from.stage_rules != to.stage_rules || from.after != to.after;
        self.meet(&from.message, &to.message);
        while let Some((from, to)) = self.waiting.pop() {
            self.types(from, to);
        }
        match (self.differences.is_empty(), self.renamed) {
            (true, false) => Verdict::Same,
            (true, true) => Verdict::Readable,
            (false, _) => Verdict::Differs(self.differences),
        }
    }

    fn differs(&mut self, place: &str, reason: String) {
        self.differences.push(Difference { place: place.to_owned(), reason });
    }

    fn stages(&mut self, place: &str, from: Option<&StageRules>, to: Option<&StageRules>) {
        let (Some(from), Some(to)) = (from, to) else { return };
        if from.carried != to.carried {
            let side = if from.carried { "source" } else { "destination" };
            self.differs(place, format!("the stage travels only for the {side}"));
        }
        if to.save_from.is_empty() {
            return;
        }
        for stage in from.save_from.iter().filter(|stage| !to.save_from.contains(stage)) {
            self.differs(place, format!("only the source can be saved in stage {stage}"));
        }
    }

    fn meet(&mut self, from: &'m str, to: &'m str) {
        if self.met.insert((from, to)) {
            self.renamed |= from != to;
            self.waiting.push((from, to));
        }
    }

    fn types(&mut self, from: &'m str, to: &'m str) {
        match (self.source.messages.get(from), self.destination.messages.get(to)) {
            (Some(source), Some(destination)) => return self.messages(source, destination),
            (None, None) => {}
            _ => return self.differs(from, format!("is {to} at the destination")),
        }
        match (self.source.enums.get(from), self.destination.enums.get(to)) {
            (Some(source), Some(destination)) => self.enums(source, destination),
            // Scalars, which are compared by their names.
            (None, None) if from == to => {}
            _ => self.differs(from, format!("is {to} at the destination")),
        }
    }

    fn messages(&mut self, from: &'m Message, to: &'m Message) {
        for field in &from.fields {
            match to.fields.iter().find(|other| other.number == field.number) {
                Some(other) => self.fields(&from.name, field, other),
                None => self.differs(
                    &from.name,
                    format!("only the source has field {} ({})", field.number, field.name),
                ),
            }
        }
        for field in &to.fields {
            if !from.fields.iter().any(|other| other.number == field.number) {
                self.differs(
                    &from.name,
                    format!("only the destination has field {} ({})", field.number, field.name),
                );
            }
        }
    }

    fn fields(&mut self, place: &str, from: &'m Field, to: &'m Field) {
        self.renamed |= from.name != to.name;
        let (source, destination) = (Shape::of(&from.kind), Shape::of(&to.kind));
        if source.label != destination.label || from.oneof.is_empty() != to.oneof.is_empty() {
            let at = |field: &Field| match field.oneof.as_str() {
                "" => field.kind.clone(),
                oneof => format!("{} in oneof {oneof}", field.kind),
            };
            let (number, name) = (from.number, &from.name);
            let (source, destination) = (at(from), at(to));
            return self.differs(
                place,
                format!(
                    "field {number} ({name}) is {source} at the source and {destination} at the \
                     destination"
                ),
            );
        }
        self.renamed |= from.oneof != to.oneof;
        for (source, destination) in
            [(source.key, destination.key), (source.value, destination.value)]
        {
            let known =
                self.source.messages.contains_key(source) || self.source.enums.contains_key(source);
            if known || source == destination {
                self.meet(source, destination);
            } else {
                let (number, name) = (from.number, &from.name);
                self.differs(
                    place,
                    format!(
                        "field {number} ({name}) is {source} at the source and {destination} at \
                         the destination"
                    ),
                );
            }
        }
    }

    fn enums(&mut self, from: &Enum, to: &Enum) {
        for value in &from.values {
            let mut others = to.values.iter().filter(|other| other.number == value.number);
            match others.next() {
                Some(other) => self.renamed |= other.name != value.name,
                None => self.differs(
                    &from.name,
                    format!("only the source has value {} ({})", value.number, value.name),
                ),
            }
        }
        self.renamed |= from.values.len() != to.values.len();
    }
}

/// A field's kind, taken apart.
struct Shape<'m> {
    label: &'static str,
    /// Of a map; otherwise empty.
    key: &'m str,
    value: &'m str,
}

impl<'m> Shape<'m> {
    fn of(kind: &'m str) -> Self {
        for label in ["optional", "repeated"] {
            if let Some(value) = kind.strip_prefix(label).and_then(|rest| rest.strip_prefix(' ')) {
                return Self { label, key: "", value };
            }
        }
        let map = kind.strip_prefix("map<").and_then(|rest| rest.strip_suffix('>'));
        match map.and_then(|map| map.split_once(", ")) {
            Some((key, value)) => Self { label: "map", key, value },
            None => Self { label: "", key: "", value: kind },
        }
    }
}
