//! The constraints that a version puts on later ones: numbers and names keep their meaning.

use std::collections::HashSet;

use super::{Record, Reserved};
use crate::evolution::version_schema::{Class, KindParts, VersionSchema};
use crate::wire::v1::manifest::{Enum, Field, Message};

/// Compares a record with the schema of a later version. The traversal begins at pairs of an earlier
/// and a later type name and goes on from message to message.
///
/// Returns the entries that the later version must reserve, by its own names of the messages, and the
/// reasons why it cannot come after the record.
pub(super) fn follow<'r>(
    before: &'r Record,
    schema: &'r VersionSchema,
    starts: impl IntoIterator<Item = (&'r str, &'r str)>,
) -> (Reserved, Vec<String>) {
    let mut following = Following {
        before,
        schema,
        reserved: Reserved::new(),
        refused: Vec::new(),
        paired: HashSet::new(),
        waiting: Vec::new(),
    };
    starts.into_iter().for_each(|(from, to)| following.pair(from, to));
    while let Some((from, to)) = following.waiting.pop() {
        let schemas = (&before.schema, schema);
        if let (Some(from), Some(to)) = (schemas.0.messages.get(from), schemas.1.messages.get(to)) {
            following.messages(from, to);
        } else if let (Some(from), Some(to)) = (schemas.0.enums.get(from), schemas.1.enums.get(to))
        {
            following.enums(from, to);
        }
    }
    (following.reserved, following.refused)
}

/// The pairs at which the comparison with the next version begins: the two root messages, under
/// any names, and every name that both versions have.
pub(super) fn next<'r>(
    before: &'r Record,
    schema: &'r VersionSchema,
) -> impl Iterator<Item = (&'r str, &'r str)> {
    let root = (before.schema.root.as_str(), schema.root.as_str());
    std::iter::once(root).chain(named(before, schema).map(|name| (name, name)))
}

/// Returns the names of messages and enums that two versions have in common.
pub(super) fn named<'r>(
    before: &'r Record,
    schema: &'r VersionSchema,
) -> impl Iterator<Item = &'r str> {
    let messages = schema.messages.keys().filter(|name| before.schema.messages.contains_key(*name));
    let enums = schema.enums.keys().filter(|name| before.schema.enums.contains_key(*name));
    messages.chain(enums).map(String::as_str)
}

struct Following<'r> {
    before: &'r Record,
    schema: &'r VersionSchema,
    reserved: Reserved,
    refused: Vec<String>,
    paired: HashSet<(&'r str, &'r str)>,
    waiting: Vec<(&'r str, &'r str)>,
}

impl<'r> Following<'r> {
    /// Queues a pair of types, once.
    fn pair(&mut self, from: &'r str, to: &'r str) {
        if self.paired.insert((from, to)) {
            self.waiting.push((from, to));
        }
    }

    fn reserve(&mut self, place: &str, number: i64, name: &str) {
        let reserved = self.reserved.entry(place.to_owned()).or_default();
        reserved.insert((number, name.to_owned()));
    }

    /// Refuses a new field or value whose number or name is reserved.
    fn check_unused(&mut self, from: &str, to: &str, number: i64, name: &str) {
        for (taken, was) in self.before.reserved.get(from).into_iter().flatten() {
            if *taken == number {
                self.refused.push(format!(
                    "{to}: number {number} ({name}) is reserved: it was {was} in an older version; \
                     use a number that was never used"
                ));
            } else if was == name {
                self.refused.push(format!(
                    "{to}: the name {name} is reserved: it was number {taken} in an older version; \
                     use a name that was never used"
                ));
            }
        }
    }

    /// Copies the reserved entries of an earlier type to the later one.
    fn carry(&mut self, from: &str, to: &str) {
        for (number, name) in self.before.reserved.get(from).into_iter().flatten() {
            self.reserve(to, *number, name);
        }
    }

    fn messages(&mut self, from: &'r Message, to: &'r Message) {
        self.carry(&from.name, &to.name);
        for field in &to.fields {
            let (number, name) = (field.number, &field.name);
            if let Some(was) =
                from.fields.iter().find(|was| was.name == *name && was.number != number)
            {
                self.refused.push(format!(
                    "{}: field {name} has moved from number {} to {number}; restore the number, or \
                     use another name",
                    to.name, was.number
                ));
                continue;
            }
            match from.fields.iter().find(|was| was.number == number) {
                Some(was) if self.same_kind(was, field) => {
                    self.pair(KindParts::of(&was.kind).value, KindParts::of(&field.kind).value);
                }
                Some(was) => self.refused.push(format!(
                    "{}: number {number} was {} ({}) and is {} ({name}); restore it, and use a number \
                     that was never used",
                    to.name, was.kind, was.name, field.kind
                )),
                None => self.check_unused(&from.name, &to.name, number.into(), name),
            }
        }
        for was in &from.fields {
            if !to.fields.iter().any(|field| field.number == was.number) {
                self.reserve(&to.name, was.number.into(), &was.name);
            }
        }
    }

    /// Returns whether a field has the same wire type in both versions. Presence may change.
    fn same_kind(&self, was: &Field, is: &Field) -> bool {
        let (from, to) = (KindParts::of(&was.kind), KindParts::of(&is.kind));
        let single = |label: &str| matches!(label, "" | "optional");
        let class = (self.before.schema.class(from.value), self.schema.class(to.value));
        (from.label == to.label || single(from.label) && single(to.label))
            && from.key == to.key
            && class.0 == class.1
            // Two different well-known types are incompatible, although both are messages.
            && (class.0 != Class::Message || from.value == to.value || !either_known(from, to))
    }

    fn enums(&mut self, from: &'r Enum, to: &'r Enum) {
        self.carry(&from.name, &to.name);
        for value in &to.values {
            let (number, name) = (value.number, &value.name);
            let named = from.values.iter().find(|was| was.name == *name);
            match named {
                Some(was) if was.number != number => self.refused.push(format!(
                    "{}: value {name} has moved from number {} to {number}; restore the number, or \
                     use another name",
                    to.name, was.number
                )),
                Some(_) => {}
                None if from.values.iter().any(|was| was.number == number) => {}
                None => self.check_unused(&from.name, &to.name, number.into(), name),
            }
        }
        for was in &from.values {
            if !to.values.iter().any(|value| value.number == was.number) {
                self.reserve(&to.name, was.number.into(), &was.name);
            }
        }
    }
}

/// Returns whether the value of one of the two is a well-known type.
fn either_known(from: KindParts<'_>, to: KindParts<'_>) -> bool {
    [from, to].iter().any(|shape| shape.value.starts_with("google.protobuf."))
}
