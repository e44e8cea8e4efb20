//! Notes: facts that the attributes of state structs add to the schemas of their messages.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::kind::FieldKind;
use super::meaning::{StateMeanings, Versions};
use super::{Field, MessageDescriptor};
use crate::wire::v1::manifest::Meaning;

/// Collects the attributes `since`, `defines` and `refers` by message and field number. The derive's
/// code calls it for each state struct and passes it on to the types of the fields.
#[derive(Debug, Default)]
pub struct Notes {
    fields: BTreeMap<(String, u32), Note>,
    /// What the states make of the fields, each meaning once.
    meanings: BTreeMap<(String, u32), Vec<Meaning>>,
    /// The values of the enums in fields that were added later, with their versions.
    values: BTreeMap<(String, u32), BTreeMap<i32, u32>>,
    /// The nested states that were visited, so that a recursive one is visited once.
    visited: HashSet<&'static str>,
    /// The message whose fields are noted now.
    message: Option<&'static MessageDescriptor>,
}

/// The notes on one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Note {
    /// The first version that has the field; 0 if every version has it.
    pub(crate) since: u32,
    /// The namespaces in which the field defines names. Those of a map's values have the prefix
    /// `values: `.
    pub(crate) defines: BTreeSet<String>,
    /// The namespaces to which the field's names refer, in the same form.
    pub(crate) refers: BTreeSet<String>,
}

/// A field of the current message; its methods add notes.
pub struct Noted<'n> {
    notes: &'n mut Notes,
    /// The number of the field, or the numbers of all members of a oneof.
    numbers: Vec<u32>,
}

impl Notes {
    /// Notes the attributes of one state struct. `annotate` adds the notes on its fields, which are
    /// fields of `message`. `state` is the name of the Rust type: a nested state is visited only once.
    pub(crate) fn state(
        &mut self,
        state: &'static str,
        message: &'static MessageDescriptor,
        meanings: &StateMeanings,
        annotate: fn(&mut Notes),
    ) {
        if self.message.is_some() && !self.visited.insert(state) {
            return;
        }
        self.add_meanings(message, meanings);
        let outer = self.message.replace(message);
        annotate(self);
        self.message = outer;
    }

    fn add_meanings(&mut self, message: &'static MessageDescriptor, meanings: &StateMeanings) {
        let name = (message.full_name)();
        meanings.each(message, &mut |number, meaning, Versions { since, values }| {
            let key = (name.clone(), number);
            if since > 0 {
                let note = self.fields.entry(key.clone()).or_default();
                note.since = note.since.max(since);
            }
            if !values.is_empty() {
                self.values.entry(key.clone()).or_default().extend(values.iter().copied());
            }
            let known = self.meanings.entry(key).or_default();
            if !known.contains(&meaning) {
                known.push(meaning);
                // The order of the states depends on that of the registrations.
                known.sort_by_cached_key(prost::Message::encode_to_vec);
            }
        });
    }

    /// Returns what the states make of a field; empty if that is not known.
    pub(crate) fn meanings_of(&self, message: &str, number: u32) -> Vec<Meaning> {
        self.meanings.get(&(message.to_owned(), number)).cloned().unwrap_or_default()
    }

    /// Returns the values of the enum in a field that were added later, with their versions.
    pub(crate) fn newer_values(&self) -> impl Iterator<Item = (&str, u32, &BTreeMap<i32, u32>)> {
        self.values.iter().map(|((message, number), values)| (message.as_str(), *number, values))
    }

    /// Removes all notes.
    pub(crate) fn clear(&mut self) {
        self.meanings.clear();
        self.values.clear();
        self.fields.clear();
        self.visited.clear();
    }

    /// Selects a field of the current message.
    pub fn field<F: FieldKind>(&mut self, field: &Field<F>) -> Noted<'_> {
        let numbers = match F::MEMBERS {
            [] => vec![field.number()],
            members => members.iter().map(|member| member.number).collect(),
        };
        Noted { notes: self, numbers }
    }

    /// Returns the notes on a field, if there are any.
    pub(crate) fn of(&self, message: &str, number: u32) -> Option<&Note> {
        self.fields.get(&(message.to_owned(), number))
    }

    /// Iterates over all notes, with the message and the field number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u32, &Note)> {
        self.fields.iter().map(|((message, number), note)| (message.as_str(), *number, note))
    }
}

impl Noted<'_> {
    /// Applies `note` to the notes of the field, or to those of each member of a oneof.
    fn each(self, note: impl Fn(&mut Note)) -> Self {
        let message = self.notes.message.map(|message| (message.full_name)()).unwrap_or_default();
        for &number in &self.numbers {
            note(self.notes.fields.entry((message.clone(), number)).or_default());
        }
        self
    }

    /// Notes that the field exists from this version on. If two states of one message differ, the
    /// later version counts.
    pub fn since(self, version: u32) -> Self {
        self.each(|note| note.since = note.since.max(version))
    }

    /// Notes that the field defines names in a namespace.
    pub fn defines(self, namespace: &str) -> Self {
        self.each(|note| {
            note.defines.insert(namespace.to_owned());
        })
    }

    /// Notes that the field refers to names in a namespace.
    pub fn refers(self, namespace: &str) -> Self {
        self.each(|note| {
            note.refers.insert(namespace.to_owned());
        })
    }

    /// Notes that the values of the map define names in a namespace.
    pub fn values_define(self, namespace: &str) -> Self {
        self.defines(&format!("values: {namespace}"))
    }

    /// Notes that the values of the map refer to names in a namespace.
    pub fn values_refer(self, namespace: &str) -> Self {
        self.refers(&format!("values: {namespace}"))
    }
}
