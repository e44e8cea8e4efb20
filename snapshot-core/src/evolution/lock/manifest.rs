//! The manifest of a lock: a description of the last release.

use std::collections::{BTreeMap, BTreeSet};

use super::{Lock, LockedPayload, Record, refuse};
use crate::error::Error;
use crate::evolution::version_schema::KindParts;
use crate::schema::Manifest;
use crate::wire::v1::manifest::{Enum, Message, Older, Payload, StageRules};

impl Lock {
    /// Returns the manifest of the last release: every payload that is not retired, with the older
    /// versions that the release reads and writes. Use it to compare locks of different releases or
    /// programs with [`compatible`](crate::evolution::compatible).
    ///
    /// If an older version has its own message, the lock records the name of that message, but not the
    /// current names of the types inside. If such a version has a different `a.v1.Mount` than the
    /// newest version, the manifest calls it `a.v1.Mount@a.v1.DiskV1`, after the message of the
    /// version.
    ///
    /// # Errors
    ///
    /// [`Code::FailedPrecondition`](crate::Code::FailedPrecondition) if two payloads have different
    /// messages of the same name: then they do not belong to one program.
    pub fn manifest(&self) -> Result<Manifest, Error> {
        let mut types = ReleasedTypes::default();
        let mut payloads = Vec::new();
        let mut clashes = BTreeSet::new();
        let present = self.payloads.iter().filter(|(_, locked)| !locked.retired);
        let newest = present.filter_map(|(type_url, locked)| {
            let (version, record) = locked.records.last_key_value()?;
            Some((type_url, locked, *version, record))
        });
        for (type_url, locked, version, record) in newest.clone() {
            clashes.extend(types.add(record));
            payloads.push(locked.describe(type_url, version, record));
        }
        for ((_, locked, _, _), payload) in newest.zip(&payloads) {
            for older in &payload.older {
                if let Some(record) = locked.records.get(&older.version) {
                    types.add_older(record, &older.message);
                }
            }
        }
        refuse(clashes.into_iter().map(|name| {
            format!("{name} is not the same in all payloads: lock each program in its own file")
        }))?;
        let ReleasedTypes { messages, enums } = types;
        let (messages, enums) = (messages.into_values().collect(), enums.into_values().collect());
        Ok(Manifest { payloads, messages, enums, limits: None })
    }
}

impl LockedPayload {
    /// Describes the payload as of its newest version, `version`.
    fn describe(&self, type_url: &str, version: u32, record: &Record) -> Payload {
        let unversioned = &self.unversioned;
        // A version without a record has no schema to compare.
        let known = |versions: &BTreeSet<u32>| {
            let mut known: BTreeSet<u32> = versions
                .iter()
                .copied()
                .filter(|known| *known < version && self.records.contains_key(known))
                .collect();
            known.insert(version);
            known.into_iter().collect::<Vec<_>>()
        };
        let accepts = known(&unversioned.accepts);
        let older = unversioned.older.iter().filter(|(older, _)| accepts.contains(older));
        let urls = &unversioned.older_urls;
        let older = older.map(|(version, message)| Older {
            version: *version,
            message: message.clone(),
            type_url: urls.get(version).cloned().unwrap_or_default(),
        });
        let by_url = urls.iter().filter(|(version, _)| {
            accepts.contains(version) && !unversioned.older.contains_key(version)
        });
        let by_url = by_url.map(|(version, type_url)| Older {
            version: *version,
            type_url: type_url.clone(),
            ..Older::default()
        });
        let mut older: Vec<Older> = older.chain(by_url).collect();
        older.sort_by_key(|older| older.version);
        Payload {
            type_url: type_url.to_owned(),
            version,
            saves: known(&unversioned.saves),
            older,
            accepts,
            message: record.schema.root.clone(),
            id_field: record.id_field,
            stage_field: record.stage_field,
            stage_rules: record.stage.as_ref().map(|stage| StageRules {
                freeze_to: unversioned.freeze_to.clone(),
                import_as: unversioned.import_as.clone(),
                abort_to: unversioned.abort_to.clone(),
                live: unversioned.live.clone(),
                ..stage.rules()
            }),
            after: unversioned.after.iter().cloned().collect(),
        }
    }
}

/// The messages and enums of a manifest, by name.
#[derive(Default)]
struct ReleasedTypes {
    messages: BTreeMap<String, Message>,
    enums: BTreeMap<String, Enum>,
}

impl ReleasedTypes {
    /// Adds the types of a newest version. Returns the names that already stand for something else.
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

    /// Adds the types of an older version, whose root message is called `root` without a version.
    fn add_older(&mut self, record: &Record, root: &str) {
        let schema = &record.schema;
        let others = || schema.messages.values().filter(|message| message.name != schema.root);
        let shared = others().all(|message| self.messages.get(&message.name) == Some(message))
            && schema.enums.values().all(|one| self.enums.get(&one.name) == Some(one));
        let called = |name: &str| match name == schema.root {
            true => root.to_owned(),
            // Well-known types are the same everywhere and keep their names.
            false if shared || name.starts_with("google.protobuf.") => name.to_owned(),
            false => format!("{name}@{root}"),
        };
        for message in schema.messages.values() {
            let mut message = Message { name: called(&message.name), ..message.clone() };
            for field in &mut message.fields {
                let shape = KindParts::of(&field.kind);
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
