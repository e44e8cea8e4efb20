//! What the attributes of state structs add to the schemas of their messages.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::kind::FieldKind;
use super::{Field, MessageDescriptor};

/// Collects what the attributes of fields say, by message and field number: `since`, `defines` and
/// `refers`. The derive's code leads it through the types of the fields.
#[derive(Debug, Default)]
pub struct Notes {
    fields: BTreeMap<(String, u32), Note>,
    /// The nested states that were visited, so that a recursive one is visited once.
    visited: HashSet<&'static str>,
    /// The message whose fields are noted now.
    message: Option<&'static MessageDescriptor>,
}

/// What is noted of one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Note {
    /// The first version that has it; 0: it always was there.
    pub(crate) since: u32,
    /// The namespaces, those of a map's values as `values: namespace`.
    pub(crate) defines: BTreeSet<String>,
    pub(crate) refers: BTreeSet<String>,
}

/// One field, to note something of it.
pub struct Noted<'n> {
    notes: &'n mut Notes,
    /// Its number, of a oneof those of its members.
    numbers: Vec<u32>,
}

impl Notes {
    /// Notes what the attributes of one state struct say: `annotate` notes its fields, which are
    /// those of `message`. `state` is the name of the Rust type; a state inside of another one is
    /// visited once.
    pub(crate) fn state(
        &mut self,
        state: &'static str,
        message: &'static MessageDescriptor,
        annotate: fn(&mut Notes),
    ) {
        if self.message.is_some() && !self.visited.insert(state) {
            return;
        }
        let outer = self.message.replace(message);
        annotate(self);
        self.message = outer;
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.fields.clear();
        self.visited.clear();
    }

    /// A field of the message whose fields are noted now.
    pub fn field<F: FieldKind>(&mut self, field: &Field<F>) -> Noted<'_> {
        let numbers = match F::MEMBERS {
            [] => vec![field.number()],
            members => members.iter().map(|member| member.number).collect(),
        };
        Noted { notes: self, numbers }
    }

    /// What was noted of a field.
    pub(crate) fn of(&self, message: &str, number: u32) -> Option<&Note> {
        self.fields.get(&(message.to_owned(), number))
    }

    /// All that was noted, with message and field number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u32, &Note)> {
        self.fields.iter().map(|((message, number), note)| (message.as_str(), *number, note))
    }
}

impl Noted<'_> {
    fn each(self, note: impl Fn(&mut Note)) -> Self {
        let message = self.notes.message.map(|message| (message.full_name)()).unwrap_or_default();
        for &number in &self.numbers {
            note(self.notes.fields.entry((message.clone(), number)).or_default());
        }
        self
    }

    /// It exists from this version on. Where two states of one message differ, the later counts.
    pub fn since(self, version: u32) -> Self {
        self.each(|note| note.since = note.since.max(version))
    }

    /// It defines names in a namespace.
    pub fn defines(self, namespace: &str) -> Self {
        self.each(|note| {
            note.defines.insert(namespace.to_owned());
        })
    }

    /// Its names are in a namespace.
    pub fn refers(self, namespace: &str) -> Self {
        self.each(|note| {
            note.refers.insert(namespace.to_owned());
        })
    }

    /// The values of the map define names in a namespace.
    pub fn values_define(self, namespace: &str) -> Self {
        self.defines(&format!("values: {namespace}"))
    }

    /// The values of the map are names in a namespace.
    pub fn values_refer(self, namespace: &str) -> Self {
        self.refers(&format!("values: {namespace}"))
    }
}
