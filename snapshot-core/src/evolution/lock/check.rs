//! Compares a lock with a manifest: the changes that an update would write, and those it refuses.

use std::collections::{BTreeMap, BTreeSet};

use super::history::{follow, named, next};
use super::{Lock, LockedPayload, LockedStage, Record, Reserved, Unversioned};
use crate::evolution::compare::{Difference, compare, compare_roles, compare_stages};
use crate::evolution::effect::{Effect, SideNames};
use crate::evolution::version_schema::{Types, VersionSchema};
use crate::schema::Manifest;
use crate::wire::v1::manifest::{Field, Meaning, Payload};

const LOCK: SideNames = SideNames { who: ["the lock", "the program"], at: ["in the lock", "now"] };

/// Whether an update records the meanings of fields where a released record does not state them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Recording {
    /// No: such a record stays as it is, so an old lock is equal to the program.
    #[default]
    Keeps,
    /// Yes: the meaning is added.
    Adds,
}

/// The update of a lock to a manifest.
#[derive(Debug, Default)]
pub(super) struct Update {
    /// The changes that are not allowed, each with its cure.
    pub(super) refused: Vec<String>,
    /// The changes that the update writes.
    pub(super) pending: Vec<String>,
    /// The updated lock. Valid only if nothing is refused.
    pub(super) lock: Lock,
    recording: Recording,
}

impl Update {
    /// Determines the update.
    pub(super) fn from(lock: &Lock, manifest: &Manifest, recording: Recording) -> Self {
        let types = Types::of(manifest);
        let mut update = Self { recording, ..Self::default() };
        let mut registered = BTreeSet::new();
        for payload in &manifest.payloads {
            let type_url = &payload.type_url;
            if !registered.insert(type_url) {
                update
                    .refused
                    .push(format!("{type_url} is registered twice: remove one registration"));
                continue;
            }
            let locked = lock.payloads.get(type_url);
            let updated = update.payload(locked, &types, payload);
            update.lock.payloads.insert(type_url.clone(), updated);
        }
        for (type_url, locked) in lock.payloads.iter().filter(|(url, _)| !registered.contains(url))
        {
            if locked.retired {
                update.lock.payloads.insert(type_url.clone(), locked.clone());
                update.chain(type_url, &locked.records, &mut locked.records.clone());
            } else if locked.records.values().all(|record| record.draft) {
                update.pending.push(format!("{type_url}, which was never released, is removed"));
            } else {
                update.refused.push(format!(
                    "{type_url} is in the lock and not registered: register it \
                     (`registry::require!` links controllers and checks that they are registered), \
                     or if it is removed for good, write `retired` after it in the lock"
                ));
            }
        }
        // No difference may pass unreported, even if nothing above describes it.
        if update.is_none() && update.lock != *lock {
            update
                .pending
                .push("the text of the lock is not in the form that an update writes".to_owned());
        }
        update
    }

    /// Returns whether there is nothing to update.
    pub(super) fn is_none(&self) -> bool {
        self.refused.is_empty() && self.pending.is_empty()
    }

    /// Updates the entry of one payload.
    fn payload(
        &mut self,
        locked: Option<&LockedPayload>,
        types: &Types<'_>,
        payload: &Payload,
    ) -> LockedPayload {
        let (type_url, version) = (&payload.type_url, payload.version);
        let none = LockedPayload::default();
        let locked = match locked {
            Some(locked) => locked,
            None => {
                self.pending.push(format!("{type_url} is new"));
                &none
            }
        };
        if locked.retired {
            self.refused.push(format!(
                "{type_url} is retired in the lock and registered: use another type URL, or if it \
                 was never removed, delete the word `retired`"
            ));
        }
        let released = locked.records.iter().rev().find(|(_, record)| !record.draft);
        if let Some((&newest, _)) = released.filter(|(newest, _)| **newest > version) {
            self.refused.push(format!(
                "{type_url}: version {version} is lower than version {newest}, which was released: \
                 set `version = {newest}`, or if its schema has changed, {}",
                newest.saturating_add(1)
            ));
        }

        let mut versions: BTreeSet<u32> =
            payload.accepts.iter().chain(&payload.saves).copied().collect();
        versions.insert(version);
        for newer in versions.split_off(&version.saturating_add(1)) {
            self.refused.push(format!(
                "{type_url}: version {newer} is accepted or saved, but is newer than the payload's own \
                 version {version}: remove it from `accept`, or raise the version"
            ));
        }
        // Every record stays in the lock, except for abandoned drafts.
        let mut records: BTreeMap<u32, Record> = BTreeMap::new();
        for (locked_version, record) in &locked.records {
            if !record.draft || versions.contains(locked_version) {
                records.insert(*locked_version, record.clone());
            } else {
                self.pending.push(format!("{type_url}: draft version {locked_version} is removed"));
            }
        }
        for &one in &versions {
            let now = record_of(types, payload, one);
            let record = match locked.records.get(&one) {
                Some(record) => self.record(payload, one, record, now),
                None => {
                    if !locked.records.is_empty() {
                        self.pending.push(format!("{type_url}: version {one} is new"));
                    }
                    now
                }
            };
            records.insert(one, record);
        }
        let unversioned = Unversioned::of(payload);
        if !locked.records.is_empty() {
            self.unversioned(type_url, &locked.unversioned, &unversioned);
        }
        self.chain(type_url, &locked.records, &mut records);
        LockedPayload { retired: locked.retired, unversioned, records }
    }

    /// Updates the record of a version that is in the lock and in the program.
    fn record(&mut self, payload: &Payload, version: u32, locked: &Record, now: Record) -> Record {
        let type_url = &payload.type_url;
        let is_first = now.states_meaning && !locked.states_meaning;
        let is_kept = is_first && self.recording == Recording::Keeps;
        // Only one side states the meanings, so they are not compared.
        let (locked, now) = match (locked.states_meaning, now.states_meaning) {
            (false, true) if is_kept => (locked.clone(), now.without_meaning()),
            (true, false) => (locked.clone(), now.with_meaning_of(locked)),
            _ => (locked.clone(), now),
        };
        let locked = &locked;
        let now = Record { draft: locked.draft, reserved: still_reserved(locked, &now), ..now };
        let is_newest = version == payload.version;
        let mut found = compare(LOCK, &locked.schema, &now.schema);
        if is_newest {
            let [from, to] = [locked, &now].map(|r| r.stage.as_ref().map(LockedStage::rules));
            found.extend(compare_stages(LOCK, type_url, from.as_ref(), to.as_ref()));
            let [from, to] = [locked, &now].map(Record::roles);
            found.extend(compare_roles(LOCK, type_url, &from, &to));
        }
        if locked.draft {
            if *locked != now {
                self.pending.push(format!("{type_url}: draft version {version} has changed"));
            }
            return now;
        }
        let reasons = |wanted: fn(Effect) -> bool| {
            let found = found.iter().filter(|(effect, _)| wanted(*effect));
            let found = found.map(|(_, Difference { place, reason, .. })| {
                if place == type_url { reason.clone() } else { format!("{place}: {reason}") }
            });
            found.collect::<Vec<_>>().join("; ")
        };
        let changed = reasons(|effect| effect != Effect::Renamed);
        if !changed.is_empty() && is_newest {
            let next = version.saturating_add(1);
            self.refused.push(format!(
                "{type_url} has changed and its version has not: {changed}; restore the schema, or \
                 set `version = {next}` and accept version {version}"
            ));
            return now;
        }
        if !changed.is_empty() {
            self.refused.push(format!(
                "{type_url}: version {version} of this build is not the version that was released: \
                 {changed}; restore it, or keep the message as it was released and add `accept(version \
                 = {version}, message = ..., upgrade = ...)`"
            ));
            return now;
        }
        if !is_newest {
            // Nothing changes an older record, not even a renaming, except that the meanings of its
            // fields may be added.
            return if is_first && !is_kept && found.is_empty() { now } else { locked.clone() };
        }
        let renamed = reasons(|effect| effect == Effect::Renamed);
        if !renamed.is_empty() {
            self.pending.push(format!("{type_url}: {renamed}"));
        } else if *locked != now {
            let reason = match is_first {
                true => "the meaning of its fields is recorded from now on",
                false => "the `since` of a field has changed",
            };
            self.pending.push(format!("{type_url}: version {version}: {reason}"));
        }
        now
    }

    /// Reports changes of the properties that belong to no version.
    fn unversioned(&mut self, type_url: &str, locked: &Unversioned, now: &Unversioned) {
        let mut versions = |locked: &BTreeSet<u32>, now: &BTreeSet<u32>, verb: &str| {
            for version in locked.difference(now) {
                self.pending.push(format!("{type_url}: version {version} is no longer {verb}"));
            }
            for version in now.difference(locked) {
                self.pending.push(format!("{type_url}: version {version} is now {verb}"));
            }
        };
        versions(&locked.accepts, &now.accepts, "accepted");
        versions(&locked.saves, &now.saves, "saved");
        if locked.older != now.older {
            let reason = "the messages of accepted versions have changed";
            self.pending.push(format!("{type_url}: {reason}"));
        }
        if locked.older_urls != now.older_urls {
            let reason = "the type URLs of accepted versions have changed";
            self.pending.push(format!("{type_url}: {reason}"));
        }
        if locked.after != now.after {
            let list = |after: &BTreeSet<String>| match after.is_empty() {
                true => "nothing".to_owned(),
                false => after.iter().cloned().collect::<Vec<_>>().join(", "),
            };
            let (from, to) = (list(&locked.after), list(&now.after));
            self.pending.push(format!("{type_url}: `after` was {from} and is {to}"));
        }
        for (rule, from, to) in [
            ("freeze_to", &locked.freeze_to, &now.freeze_to),
            ("import_as", &locked.import_as, &now.import_as),
            ("abort_to", &locked.abort_to, &now.abort_to),
            ("live", &locked.live, &now.live),
        ] {
            if from != to {
                let stage = |stage: &str| match stage {
                    "" => "no stage".to_owned(),
                    stage => stage.to_owned(),
                };
                let (from, to) = (stage(from), stage(to));
                self.pending.push(format!("{type_url}: {rule} was {from} and is {to}"));
            }
        }
    }

    /// Checks that each version is consistent with all earlier ones, and adds the `reserved` entries
    /// to the records. If the program contradicts a released record, which is refused elsewhere, the
    /// other versions are checked against the record.
    fn chain(
        &mut self,
        type_url: &str,
        locked: &BTreeMap<u32, Record>,
        records: &mut BTreeMap<u32, Record>,
    ) {
        let mut earlier: BTreeMap<u32, Record> = BTreeMap::new();
        for (&version, record) in records {
            let released = locked.get(&version).filter(|locked| !locked.draft);
            let schema = released.map_or(&record.schema, |released| &released.schema);
            let mut lost = BTreeSet::new();
            let mut known: BTreeSet<&str> = BTreeSet::new();
            for (position, (before, one)) in earlier.iter().rev().enumerate() {
                // A type that a version removed and a later one has again is checked against the last
                // record that has it.
                let starts = |schema| -> Vec<(&str, &str)> {
                    match position {
                        0 => next(one, schema).collect(),
                        _ => named(one, schema)
                            .filter(|name| !known.contains(name))
                            .map(|name| (name, name))
                            .collect(),
                    }
                };
                let (_, refused) = follow(one, schema, starts(schema));
                self.refused.extend(refused.into_iter().map(|reason| {
                    format!(
                        "{type_url}: version {version} cannot follow version {before}: {reason}"
                    )
                }));
                let (reserved, _) = follow(one, &record.schema, starts(&record.schema));
                for (place, entries) in reserved {
                    let there = record.reserved.get(&place);
                    let missing = |entry: &(i64, String)| !there.is_some_and(|t| t.contains(entry));
                    lost.extend(entries.into_iter().filter(missing).map(|e| (place.clone(), e)));
                }
                known.extend(one.schema.messages.keys().map(String::as_str));
                known.extend(one.schema.enums.keys().map(String::as_str));
            }
            for (place, (number, name)) in lost {
                if released.is_some() {
                    self.refused.push(format!(
                        "{type_url}: version {version}: the line `reserved {number} {name}` of \
                         {place} is missing from the lock: restore it"
                    ));
                }
                record.reserved.entry(place).or_default().insert((number, name));
            }
            self.check_reserved(type_url, version, record);
            earlier.insert(version, released.unwrap_or(record).clone());
        }
    }

    /// Refuses numbers and names that the record reserves, including lines that were added by hand.
    fn check_reserved(&mut self, type_url: &str, version: u32, record: &Record) {
        for (place, entries) in &record.reserved {
            for (number, name) in used(&record.schema, place) {
                if let Some((taken, was)) =
                    entries.iter().find(|(taken, was)| *taken == number || *was == name)
                {
                    self.refused.push(format!(
                        "{type_url}: version {version}: {place} uses number {number} ({name}) and \
                         reserves {taken} ({was}): use a number and a name that were never used"
                    ));
                }
            }
        }
    }
}

/// Returns the entries that a record still reserves, by the program's current names for its
/// messages.
///
/// A draft may reuse the numbers and names that it removed itself. [`Update::chain`] adds the entries of earlier
/// versions.
fn still_reserved(locked: &Record, now: &Record) -> Reserved {
    if !locked.draft {
        return match locked.schema == now.schema {
            true => locked.reserved.clone(),
            false => follow(locked, &now.schema, next(locked, &now.schema)).0,
        };
    }
    let mut reserved = locked.reserved.clone();
    for (place, entries) in &mut reserved {
        let used = used(&now.schema, place);
        entries.retain(|entry| !used.contains(entry));
    }
    reserved
}

/// Returns the numbers and names that a message or an enum uses.
fn used(schema: &VersionSchema, place: &str) -> Vec<(i64, String)> {
    let fields = schema.messages.get(place).map(|message| &message.fields);
    let values = schema.enums.get(place).map(|one| &one.values);
    let fields = fields.into_iter().flatten().map(|f| (i64::from(f.number), f.name.clone()));
    let values = values.into_iter().flatten().map(|v| (i64::from(v.number), v.name.clone()));
    fields.chain(values).collect()
}

/// Returns the record of one version of a payload, as the program has it.
fn record_of(types: &Types<'_>, payload: &Payload, version: u32) -> Record {
    let own =
        payload.older.iter().any(|older| older.version == version && !older.message.is_empty());
    let schema = VersionSchema::of(types, payload, version);
    let states_meaning = schema.states_meaning();
    let role = |number| if own { 0 } else { number };
    let record = Record {
        stage: payload.stage_rules.as_ref().filter(|_| !own).map(LockedStage::of),
        id_field: role(payload.id_field),
        stage_field: role(payload.stage_field),
        schema,
        states_meaning,
        ..Record::default()
    };
    match states_meaning {
        true => record.with_plain_fields(),
        false => record,
    }
}

impl Record {
    /// Returns which fields hold the name and the stage, as a payload of a manifest, to compare.
    fn roles(&self) -> Payload {
        Payload { id_field: self.id_field, stage_field: self.stage_field, ..Payload::default() }
    }

    /// States that each field without a meaning stands for itself, as the text form of a record does.
    pub(super) fn with_plain_fields(mut self) -> Self {
        for field in self.schema.messages.values_mut().flat_map(|message| &mut message.fields) {
            if field.meanings.is_empty() {
                field.meanings.push(Meaning::default());
            }
        }
        self
    }

    fn without_meaning(mut self) -> Self {
        for field in self.schema.messages.values_mut().flat_map(|message| &mut message.fields) {
            field.meanings.clear();
        }
        Self { states_meaning: false, id_field: 0, stage_field: 0, ..self }
    }

    fn with_meaning_of(mut self, other: &Self) -> Self {
        for (name, message) in &mut self.schema.messages {
            let there = other.schema.messages.get(name);
            for field in &mut message.fields {
                let same = |known: &&Field| known.number == field.number;
                let known = there.and_then(|message| message.fields.iter().find(same));
                field.meanings = known.map(|known| known.meanings.clone()).unwrap_or_default();
            }
        }
        let (id_field, stage_field) = (other.id_field, other.stage_field);
        Self { states_meaning: true, id_field, stage_field, ..self }.with_plain_fields()
    }
}
