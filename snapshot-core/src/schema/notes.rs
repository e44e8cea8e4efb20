//! Notes: facts that the attributes of state structs add to the schemas of their messages. The derive
//! writes them down as constant tables, one for each struct; [`Notes`] merges the tables of many
//! structs by message and field number.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::form::FieldForm;
use super::kind::FieldKind;
use super::meaning::{StateMeanings, Versions};
use super::{Field, FieldDescriptor, MessageDescriptor};
use crate::wire::v1::manifest::Meaning;

/// The notes on one state struct: on its own fields, and on the states inside of them.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct StateNotes {
    /// The message that the struct is saved as.
    pub message: &'static MessageDescriptor,
    /// The notes on its fields. Fields without notes are not in it.
    pub fields: &'static [FieldNotes],
    /// The notes on the types of its fields, in the order of the struct.
    pub types: &'static [&'static TypeNotes],
    /// The meanings that the struct gives to the fields.
    pub meanings: StateMeanings,
}

/// The states inside of a type: those with notes of their own.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub enum StatesInside {
    /// The type has no state inside.
    Nothing,
    /// The type is or holds one state. It is a function because states may be recursive and constants
    /// may not.
    State(fn() -> &'static StateNotes),
    /// The type has several types inside.
    Each(&'static [StatesInside]),
}

impl StatesInside {
    /// Adds the states inside to `states`.
    fn collect(&self, states: &mut Vec<&'static StateNotes>) {
        match self {
            StatesInside::Nothing => {}
            StatesInside::State(notes) => states.push(notes()),
            StatesInside::Each(types) => types.iter().for_each(|types| types.collect(states)),
        }
    }
}

/// The notes on the types of fields.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
#[expect(clippy::large_enum_variant, reason = "the values are constants, and never moved")]
pub enum TypeNotes {
    /// The type of one field: the values that it accepts, and the states inside.
    One(FieldForm, StatesInside),
    /// The type of one field that only the code of a generic state knows.
    Dependent(StatesInside),
    /// The types of several fields, in their order. By reference, so that the compiler evaluates the
    /// notes on a type once, and not again for each struct.
    Each(&'static [&'static TypeNotes]),
}

impl TypeNotes {
    /// Adds the form of each field to `forms` and the states inside to `states`.
    fn collect(
        &'static self,
        forms: &mut Vec<Option<&'static FieldForm>>,
        states: &mut Vec<&'static StateNotes>,
    ) {
        match self {
            TypeNotes::One(form, inside) => {
                forms.push(Some(form));
                inside.collect(states);
            }
            TypeNotes::Dependent(inside) => {
                forms.push(None);
                inside.collect(states);
            }
            TypeNotes::Each(types) => types.iter().for_each(|types| types.collect(forms, states)),
        }
    }
}

/// The notes on one field, as the attributes give them.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct FieldNotes {
    number: u32,
    /// The members of a oneof, which share the notes; empty for any other field.
    members: &'static [FieldDescriptor],
    since: u32,
    defines: Namespaces,
    refers: Namespaces,
}

/// The namespaces of the names in one field.
#[derive(Clone, Copy, Debug)]
struct Namespaces {
    own: Option<&'static str>,
    /// The namespace of a map's values.
    values: Option<&'static str>,
}

impl Namespaces {
    const NONE: Self = Self { own: None, values: None };

    /// Returns the namespaces as the manifest writes them. Those of a map's values have a prefix.
    fn texts(self) -> impl Iterator<Item = String> {
        let values = self.values.map(|namespace| format!("values: {namespace}"));
        self.own.map(str::to_owned).into_iter().chain(values)
    }
}

impl FieldNotes {
    /// Creates empty notes on a field.
    pub const fn of<F: FieldKind>(field: &Field<F>) -> Self {
        Self {
            number: field.number(),
            members: F::MEMBERS,
            since: 0,
            defines: Namespaces::NONE,
            refers: Namespaces::NONE,
        }
    }

    /// Notes that the field exists from this version on.
    pub const fn since(self, version: u32) -> Self {
        Self { since: version, ..self }
    }

    /// Notes that the field defines names in a namespace.
    pub const fn defines(mut self, namespace: &'static str) -> Self {
        self.defines.own = Some(namespace);
        self
    }

    /// Notes that the field refers to names in a namespace.
    pub const fn refers(mut self, namespace: &'static str) -> Self {
        self.refers.own = Some(namespace);
        self
    }

    /// Notes that the values of the map define names in a namespace.
    pub const fn values_define(mut self, namespace: &'static str) -> Self {
        self.defines.values = Some(namespace);
        self
    }

    /// Notes that the values of the map refer to names in a namespace.
    pub const fn values_refer(mut self, namespace: &'static str) -> Self {
        self.refers.values = Some(namespace);
        self
    }

    /// Returns the number of the field, or the numbers of all members of a oneof.
    fn numbers(&self) -> impl Iterator<Item = u32> {
        let own = self.members.is_empty().then_some(self.number);
        own.into_iter().chain(self.members.iter().map(|member| member.number))
    }

    /// Adds these notes to those of another state that is saved as the same message. If their versions
    /// differ, the later one counts.
    fn add_to(&self, note: &mut Note) {
        note.since = note.since.max(self.since);
        note.defines.extend(self.defines.texts());
        note.refers.extend(self.refers.texts());
    }
}

/// The notes on the fields of many states, by message and field number.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    fields: BTreeMap<(String, u32), Note>,
    /// The meanings that the states give to the fields, each meaning once.
    meanings: BTreeMap<(String, u32), Vec<Meaning>>,
    /// The values of the enums in fields that were added later, with their versions.
    values: BTreeMap<(String, u32), BTreeMap<i32, u32>>,
    /// The addresses of the tables that were added, so that a recursive state is added once.
    added: HashSet<*const StateNotes>,
}

/// The notes on one field of a message.
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

impl Notes {
    /// Adds the notes on a state and on the states inside of it.
    pub(crate) fn add(&mut self, state: &'static StateNotes) {
        let mut waiting = vec![state];
        // Not recursive, since a chain of states may be long.
        while let Some(state) = waiting.pop() {
            if !self.added.insert(state) {
                continue;
            }
            if !state.fields.is_empty() {
                let message = (state.message.full_name)();
                for field in state.fields {
                    for number in field.numbers() {
                        field.add_to(self.fields.entry((message.clone(), number)).or_default());
                    }
                }
            }
            let mut forms = Vec::new();
            state.types.iter().for_each(|types| types.collect(&mut forms, &mut waiting));
            self.add_meanings(state.message, &forms, &state.meanings);
        }
    }

    fn add_meanings(
        &mut self,
        message: &'static MessageDescriptor,
        forms: &[Option<&FieldForm>],
        meanings: &StateMeanings,
    ) {
        let name = (message.full_name)();
        meanings.each(message, forms, &mut |number, meaning, Versions { since, values }| {
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

    /// Returns the meanings that the states give to a field; empty if they are unknown.
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
        self.added.clear();
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
