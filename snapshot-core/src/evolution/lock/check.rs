//! A lock and a manifest, side by side: what an update would write, and what it would not.

use std::collections::{BTreeMap, BTreeSet};

use super::history::{follow, named, next};
use super::{Lock, Locked, Record, Reserved, Stage, Today};
use crate::evolution::compare::{Difference, Effect, Sides, compare, compare_stages};
use crate::evolution::version_schema::{Types, VersionSchema};
use crate::schema::Manifest;
use crate::wire::v1::manifest::Payload;

const LOCK: Sides = Sides { who: ["the lock", "the program"], at: ["in the lock", "now"] };

/// From a lock to the next.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// What may not be done, and what to do instead.
    pub(super) refused: Vec<String>,
    /// What an update would write.
    pub(super) pending: Vec<String>,
    /// The lock of the manifest. Of use as the next one only if nothing is refused.
    pub(super) now: Lock,
}

impl Step {
    pub(super) fn from(lock: &Lock, manifest: &Manifest) -> Self {
        let types = Types::of(manifest);
        let mut step = Self::default();
        let mut here = BTreeSet::new();
        for payload in &manifest.payloads {
            let type_url = &payload.type_url;
            if !here.insert(type_url) {
                step.refused.push(format!("{type_url} is registered twice: once is enough"));
                continue;
            }
            let locked = lock.payloads.get(type_url);
            let now = step.payload(locked, &types, payload);
            step.now.payloads.insert(type_url.clone(), now);
        }
        for (type_url, locked) in lock.payloads.iter().filter(|(url, _)| !here.contains(url)) {
            if locked.retired {
                step.now.payloads.insert(type_url.clone(), locked.clone());
                step.chain(type_url, &locked.records, &mut locked.records.clone());
            } else if locked.records.values().all(|record| record.draft) {
                step.pending.push(format!("{type_url} is gone, and was never released"));
            } else {
                step.refused.push(format!(
                    "{type_url} is in the lock and not registered: register it \
                     (`registry::require!` links and checks what a program needs), or if it is gone \
                     for good, write `retired` after it in the lock"
                ));
            }
        }
        // Whatever differs must be told, though nothing above has a word for it.
        if step.is_none() && step.now != *lock {
            step.pending.push("the lock is not as an update would write it".to_owned());
        }
        step
    }

    pub(super) fn is_none(&self) -> bool {
        self.refused.is_empty() && self.pending.is_empty()
    }

    fn payload(&mut self, locked: Option<&Locked>, types: &Types<'_>, payload: &Payload) -> Locked {
        let (type_url, version) = (&payload.type_url, payload.version);
        let none = Locked::default();
        let locked = match locked {
            Some(locked) => locked,
            None => {
                self.pending.push(format!("{type_url} is new"));
                &none
            }
        };
        if locked.retired {
            self.refused.push(format!(
                "{type_url} is retired in the lock and registered: take another type URL, or if it \
                 was never gone, remove the word `retired`"
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
                "{type_url}: version {newer} is accepted or saved and newer than its own, {version}"
            ));
        }
        // What is in the lock stays there, but for drafts that were given up.
        let mut records: BTreeMap<u32, Record> = BTreeMap::new();
        for (locked_version, record) in &locked.records {
            if !record.draft || versions.contains(locked_version) {
                records.insert(*locked_version, record.clone());
            } else {
                self.pending
                    .push(format!("{type_url}: version {locked_version}, a draft, is gone"));
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
        let today = Today::of(payload);
        if !locked.records.is_empty() {
            self.today(type_url, &locked.today, &today);
        }
        self.chain(type_url, &locked.records, &mut records);
        Locked { retired: locked.retired, today, records }
    }

    /// One version that is in the lock and in the program.
    fn record(&mut self, payload: &Payload, version: u32, locked: &Record, now: Record) -> Record {
        let type_url = &payload.type_url;
        let now = Record { draft: locked.draft, reserved: still_reserved(locked, &now), ..now };
        let is_newest = version == payload.version;
        let mut found = compare(LOCK, &locked.schema, &now.schema);
        if is_newest {
            let [from, to] = [locked, &now].map(|r| r.stage.as_ref().map(Stage::rules));
            found.extend(compare_stages(LOCK, type_url, from.as_ref(), to.as_ref()));
        }
        if locked.draft {
            if *locked != now {
                self.pending.push(format!("{type_url}: version {version}, a draft, has changed"));
            }
            return now;
        }
        let told = |wanted: fn(Effect) -> bool| {
            let found = found.iter().filter(|(effect, _)| wanted(*effect));
            let found = found.map(|(_, Difference { place, reason, .. })| {
                if place == type_url { reason.clone() } else { format!("{place}: {reason}") }
            });
            found.collect::<Vec<_>>().join("; ")
        };
        let changed = told(|effect| effect != Effect::Renamed);
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
                "{type_url}: what this build takes for version {version} is not what was released: \
                 {changed}; restore it, or keep the message as it was released and add `accept(version \
                 = {version}, message = ..., upgrade = ...)`"
            ));
            return now;
        }
        if !is_newest {
            // An older record is not altered by anything, not even by a renaming.
            return locked.clone();
        }
        let renamed = told(|effect| effect == Effect::Renamed);
        if !renamed.is_empty() {
            self.pending.push(format!("{type_url}: {renamed}"));
        } else if *locked != now {
            let reason = "says of a field from which version on it is there, and that has changed";
            self.pending.push(format!("{type_url}: version {version} {reason}"));
        }
        now
    }

    fn today(&mut self, type_url: &str, locked: &Today, now: &Today) {
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
            let reason = "accepted versions are read as other messages";
            self.pending.push(format!("{type_url}: {reason}"));
        }
        if locked.after != now.after {
            let list = |after: &BTreeSet<String>| match after.is_empty() {
                true => "nothing".to_owned(),
                false => after.iter().cloned().collect::<Vec<_>>().join(", "),
            };
            let (from, to) = (list(&locked.after), list(&now.after));
            self.pending.push(format!("{type_url}: it came after {from} and comes after {to}"));
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

    /// Checks that each version keeps what the one before it demands, and puts what it reserves
    /// into the records. Where the program contradicts a released record, which has been refused
    /// already, the record is what the others are checked against.
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
                // What went with a version and comes back with a later one follows its last record.
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
                        "{type_url}: version {version}: {place} has lost `reserved {number} {name}` \
                         in the lock: restore the line"
                    ));
                }
                record.reserved.entry(place).or_default().insert((number, name));
            }
            self.reserved_is_unused(type_url, version, record);
            earlier.insert(version, released.unwrap_or(record).clone());
        }
    }

    /// Lines that were added by hand count as well.
    fn reserved_is_unused(&mut self, type_url: &str, version: u32, record: &Record) {
        for (place, entries) in &record.reserved {
            for (number, name) in used(&record.schema, place) {
                if let Some((taken, was)) =
                    entries.iter().find(|(taken, was)| *taken == number || *was == name)
                {
                    self.refused.push(format!(
                        "{type_url}: version {version}: {place} uses number {number} ({name}) and \
                         reserves {taken} ({was}): take a number and a name that were never used"
                    ));
                }
            }
        }
    }
}

/// What a record goes on to reserve, by the names that the program has for its messages now.
///
/// A draft may take back what it removed; what was removed before it is added by the chain.
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

/// The numbers and names of a message or an enum.
fn used(schema: &VersionSchema, place: &str) -> Vec<(i64, String)> {
    let fields = schema.messages.get(place).map(|message| &message.fields);
    let values = schema.enums.get(place).map(|one| &one.values);
    let fields = fields.into_iter().flatten().map(|f| (i64::from(f.number), f.name.clone()));
    let values = values.into_iter().flatten().map(|v| (i64::from(v.number), v.name.clone()));
    fields.chain(values).collect()
}

fn record_of(types: &Types<'_>, payload: &Payload, version: u32) -> Record {
    let own = payload.older.iter().any(|older| older.version == version);
    Record {
        stage: payload.stage_rules.as_ref().filter(|_| !own).map(Stage::of),
        schema: VersionSchema::of(types, payload, version),
        ..Record::default()
    }
}
