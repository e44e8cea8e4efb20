//! A lock as a manifest: what the last release would say of itself.

use std::collections::{BTreeMap, BTreeSet};

use super::{Lock, Locked, Record, refuse};
use crate::Error;
use crate::schema::Manifest;
use crate::schema::version::Shape;
use crate::wire::v1::manifest::{Enum, Message, Older, Payload, StageRules};

impl Lock {
    /// What the last release of each payload that is not retired would say of itself, older versions
    /// that it reads and writes included: to compare locks of different releases or programs by
    /// [`compatible`](crate::schema::compatible).
    ///
    /// A lock does not know which types an older version with a message of its own is read by, but
    /// for that message's name. Where such a version has another `a.v1.Mount` than the newest one,
    /// it is `a.v1.Mount@a.v1.DiskV1`, after the message of the version.
    ///
    /// # Errors
    ///
    /// [`Code::FailedPrecondition`](crate::Code::FailedPrecondition) if two payloads have different
    /// messages of one name: they are not of one program.
    pub fn manifest(&self) -> Result<Manifest, Error> {
        let mut types = Types::default();
        let mut payloads = Vec::new();
        let mut clashes = BTreeSet::new();
        let present = self.payloads.iter().filter(|(_, locked)| !locked.retired);
        let newest = present.filter_map(|(type_url, locked)| {
            let (version, record) = locked.records.last_key_value()?;
            Some((type_url, locked, *version, record))
        });
        for (type_url, locked, version, record) in newest.clone() {
            clashes.extend(types.add(record));
            payloads.push(locked.told(type_url, version, record));
        }
        for ((_, locked, _, _), payload) in newest.zip(&payloads) {
            for older in &payload.older {
                if let Some(record) = locked.records.get(&older.version) {
                    types.add_older(record, &older.message);
                }
            }
        }
        refuse(clashes.into_iter().map(|name| {
            format!("{name} is not the same in all payloads: they are not of one program")
        }))?;
        let Types { messages, enums } = types;
        let (messages, enums) = (messages.into_values().collect(), enums.into_values().collect());
        Ok(Manifest { payloads, messages, enums, limits: None })
    }
}

impl Locked {
    /// As a manifest tells it, its newest version being `version`.
    fn told(&self, type_url: &str, version: u32, record: &Record) -> Payload {
        let today = &self.today;
        // A version that is only claimed has no schema to compare.
        let known = |versions: &BTreeSet<u32>| {
            let mut known: BTreeSet<u32> = versions
                .iter()
                .copied()
                .filter(|known| *known < version && self.records.contains_key(known))
                .collect();
            known.insert(version);
            known.into_iter().collect::<Vec<_>>()
        };
        let accepts = known(&today.accepts);
        let older = today.older.iter().filter(|(older, _)| accepts.contains(older));
        let older =
            older.map(|(version, message)| Older { version: *version, message: message.clone() });
        Payload {
            type_url: type_url.to_owned(),
            version,
            saves: known(&today.saves),
            older: older.collect(),
            accepts,
            message: record.schema.root.clone(),
            stage_rules: record.stage.as_ref().map(|stage| StageRules {
                freeze_to: today.freeze_to.clone(),
                import_as: today.import_as.clone(),
                abort_to: today.abort_to.clone(),
                live: today.live.clone(),
                ..stage.rules()
            }),
            after: today.after.iter().cloned().collect(),
        }
    }
}

/// The messages and enums of a manifest, by name.
#[derive(Default)]
struct Types {
    messages: BTreeMap<String, Message>,
    enums: BTreeMap<String, Enum>,
}

impl Types {
    /// Adds those of a newest version; gives the names that meant something else before.
    fn add(&mut self, record: &Record) -> Vec<String> {
        let mut clashes = Vec::new();
        for (name, message) in &record.schema.messages {
            if self.messages.entry(name.clone()).or_insert_with(|| message.clone()) != message {
                clashes.push(name.clone());
            }
        }
        for (name, one) in &record.schema.enums {
            if self.enums.entry(name.clone()).or_insert_with(|| one.clone()) != one {
                clashes.push(name.clone());
            }
        }
        clashes
    }

    /// Adds those of an older version, whose root message is `root` today.
    fn add_older(&mut self, record: &Record, root: &str) {
        let schema = &record.schema;
        let others = || schema.messages.values().filter(|message| message.name != schema.root);
        let shared = others().all(|message| self.messages.get(&message.name) == Some(message))
            && schema.enums.values().all(|one| self.enums.get(&one.name) == Some(one));
        let called = |name: &str| match name == schema.root {
            true => root.to_owned(),
            // What is well known is the same everywhere, and told by its name.
            false if shared || name.starts_with("google.protobuf.") => name.to_owned(),
            false => format!("{name}@{root}"),
        };
        for message in schema.messages.values() {
            let mut message = Message { name: called(&message.name), ..message.clone() };
            for field in &mut message.fields {
                let shape = Shape::of(&field.kind);
                if schema.messages.contains_key(shape.value)
                    || schema.enums.contains_key(shape.value)
                {
                    let value = called(shape.value);
                    field.kind = match (shape.label, shape.key) {
                        ("", _) => value,
                        ("map", key) => format!("map<{key}, {value}>"),
                        (label, _) => format!("{label} {value}"),
                    };
                }
            }
            self.messages.entry(message.name.clone()).or_insert(message);
        }
        for one in schema.enums.values() {
            let one = Enum { name: called(&one.name), ..one.clone() };
            self.enums.entry(one.name.clone()).or_insert(one);
        }
    }
}
