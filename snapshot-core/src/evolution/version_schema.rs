//! The schema of one version of a payload, extracted from a manifest.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::Manifest;
use crate::wire::v1::manifest::{Enum, Field, Message, Payload};

/// The messages and enums of a manifest, by name.
#[derive(Debug)]
pub(super) struct Types<'m> {
    messages: BTreeMap<&'m str, &'m Message>,
    enums: BTreeMap<&'m str, &'m Enum>,
}

impl<'m> Types<'m> {
    /// Indexes the messages and enums of a manifest.
    pub(super) fn of(manifest: &'m Manifest) -> Self {
        Self {
            messages: manifest.messages.iter().map(|m| (m.name.as_str(), m)).collect(),
            enums: manifest.enums.iter().map(|e| (e.name.as_str(), e)).collect(),
        }
    }
}

/// The wire schema of one version of a payload: its root message and every type it reaches.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct VersionSchema {
    /// The full name of the root message.
    pub(super) root: String,
    /// The messages, by name, each with its fields in ascending number.
    pub(super) messages: BTreeMap<String, Message>,
    /// The enums, by name, each with its values in ascending number.
    pub(super) enums: BTreeMap<String, Enum>,
}

impl VersionSchema {
    /// Extracts the schema of a payload at a version that the manifest's build reads or writes.
    ///
    /// An older version either has its own message, or uses the payload's message without the fields
    /// that were added later.
    pub(super) fn of(types: &Types<'_>, payload: &Payload, version: u32) -> Self {
        let older = payload.older.iter().find(|older| older.version == version);
        // An older version may differ only by its type URL.
        let older = older.filter(|older| !older.message.is_empty());
        let root = older.map_or(&payload.message, |older| &older.message);
        let mut schema = Self { root: root.clone(), ..Self::default() };
        let mut waiting = BTreeSet::from([root.as_str()]);
        while let Some(name) = waiting.pop_first() {
            if let Some(&message) = types.messages.get(name) {
                let exists = |field: &&Field| field.since <= version;
                let mut fields: Vec<Field> =
                    message.fields.iter().filter(exists).cloned().collect();
                fields.sort_by_key(|field| field.number);
                for field in message.fields.iter().filter(exists) {
                    let reached = KindParts::of(&field.kind).value;
                    let known = schema.messages.contains_key(reached)
                        || schema.enums.contains_key(reached)
                        || reached == name;
                    if !known {
                        waiting.insert(reached);
                    }
                }
                schema.messages.insert(name.to_owned(), Message { fields, ..message.clone() });
            } else if let Some(&found) = types.enums.get(name) {
                let mut found = found.clone();
                found.values.retain(|value| value.since <= version);
                found.values.sort_by(|a, b| (a.number, &a.name).cmp(&(b.number, &b.name)));
                schema.enums.insert(name.to_owned(), found);
            }
        }
        schema
    }

    /// Returns whether a field states its meaning.
    pub(super) fn states_meaning(&self) -> bool {
        self.messages.values().flat_map(|m| &m.fields).any(|field| !field.meanings.is_empty())
    }

    /// Classifies a type name: as a message or an enum of this schema, or else as a scalar.
    pub(super) fn class<'m>(&self, name: &'m str) -> Class<'m> {
        match (self.messages.contains_key(name), self.enums.contains_key(name)) {
            (true, _) => Class::Message,
            (_, true) => Class::Enum,
            _ => Class::Scalar(name),
        }
    }
}

/// The class of a value, without the names of messages and enums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class<'m> {
    /// A scalar, with its name.
    Scalar(&'m str),
    Message,
    Enum,
}

/// The parts of a field's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KindParts<'m> {
    /// `optional`, `repeated`, `map`, or empty.
    pub(super) label: &'static str,
    /// The kind of a map's keys; empty for other fields.
    pub(super) key: &'m str,
    /// The kind of the values.
    pub(super) value: &'m str,
}

impl<'m> KindParts<'m> {
    /// Splits a kind such as `repeated string` or `map<string, a.v1.Disk>` into its parts.
    pub(super) fn of(kind: &'m str) -> Self {
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
