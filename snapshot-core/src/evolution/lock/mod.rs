//! The lock: a record of every released schema, under version control, so that no schema changes
//! unnoticed.
//!
//! A [`Lock`] has one record for each version of each payload: every message that the payload reaches,
//! field by field. It is a text file, by custom `proto/schema.lock`. One line in a test compares it
//! with the payloads that the program has registered:
//!
//! ```no_run
//! #[test]
//! fn no_schema_changes_unnoticed() {
//!     snapshot_core::evolution::assert_locked!("proto/schema.lock");
//! }
//! # fn main() {}
//! ```
//!
//! When anything has changed, the test fails with the difference and the cure.
//! `SNAPSHOT_UPDATE_LOCK=1 cargo test` then rewrites the file, unless the change is never allowed. The
//! file thus serves the review of a schema: the diff of a commit shows how peers and stored snapshots
//! are affected.
//!
//! # Requirements of a change
//!
//! | change | an update of the lock | a new `version` |
//! |---|---|---|
//! | a new payload; a new version | yes | |
//! | the first record of the meanings of fields, in a lock that was written before meanings were recorded | yes, at any time: until then the meanings are not compared | |
//! | `secret` on a field | yes | no: peers do not see it |
//! | a new name for a field, enum value, oneof or message | yes | no: names are not on the wire. Text forms and code that use the name do change |
//! | `freeze_to`, `import_as`, `abort_to`, `live`, `after`; the lists `accepts` and `saves` | yes | no: peers do not see them |
//! | a field or enum value added or removed, another kind, another presence, another oneof | | yes |
//! | the meaning of a field: `ignore`, `discard`, its form (`with`, `form`), its default, whether it is required, the values that it accepts (`range`, `max`, `below`, the width of an integer, a set, the length of an array), which field is the id or the stage | | yes: the same bytes would be read as something else, or refused |
//! | `save_from`, whether the stage is carried, the names that a field defines or refers to | | yes: the other side would refuse values that it read before |
//! | the schema with which an accepted older version is read or written | | never allowed: accept the version as the message that was released |
//! | a lower version; a number or name that is reserved or stood for something else | | never allowed |
//! | a payload removed | by hand: write `retired` after its type URL | |
//!
//! The record of a released version never changes, with one exception: in the newest one, names follow
//! a renaming. Every version in the file counts as released, unless the word `draft` stands after its
//! number, as in `version 3 draft`. Write that word by hand while a version is in development, and
//! remove it with the release.
//!
//! prost's types do not contain the `reserved` declarations of their `.proto` files, so the lock
//! records them: when a new version removes a field or an enum value, its number and name become a
//! `reserved` line in the new record, and every later version is refused if it uses them. For fields
//! that were removed before the first lock, add such lines by hand.
//!
//! # Example
//!
//! ```
//! use snapshot_core::evolution::lock::Lock;
//! use snapshot_core::wire::v1::Manifest;
//! use snapshot_core::wire::v1::manifest::{Field, Message, Payload};
//!
//! let mut manifest = Manifest {
//!     payloads: vec![Payload {
//!         type_url: "type.googleapis.com/doc.v1.Disk".into(),
//!         version: 1,
//!         accepts: vec![1],
//!         saves: vec![1],
//!         message: "doc.v1.Disk".into(),
//!         ..Payload::default()
//!     }],
//!     messages: vec![Message {
//!         name: "doc.v1.Disk".into(),
//!         fields: vec![Field {
//!             number: 2,
//!             name: "image".into(),
//!             kind: "string".into(),
//!             ..Field::default()
//!         }],
//!     }],
//!     ..Manifest::default()
//! };
//! let lock = Lock::of(&manifest)?;
//! assert!(lock.to_string().ends_with(
//!     "payload type.googleapis.com/doc.v1.Disk
//!   accepts 1
//!   saves 1
//!
//!   version 1
//!     root doc.v1.Disk
//!
//!     message doc.v1.Disk
//!       2 image: string
//! "
//! ));
//! lock.check(&manifest)?;
//!
//! manifest.messages[0].fields[0].kind = "bytes".into();
//! let error = lock.updated(&manifest).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "type.googleapis.com/doc.v1.Disk has changed and its version has not: doc.v1.Disk: field 2 \
//!      (image) is string in the lock and bytes now; restore the schema, or set `version = 2` and \
//!      accept version 1"
//! );
//! # Ok::<(), snapshot_core::Error>(())
//! ```

mod assert;
mod check;
mod diff;
mod history;
mod manifest;
mod parse;
mod print;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use assert::assert_locked;
use check::{Recording, Update};

use super::version_schema::VersionSchema;
use crate::error::{Code, Error};
use crate::schema::Manifest;
use crate::wire::v1::manifest::{Older, Payload, StageRules};

/// The released schemas: one record for each version of each payload. See the [module](self).
///
/// [`Display`](std::fmt::Display) and [`FromStr`](std::str::FromStr) write and read its text form.
/// The text has one fact per line, sorted, so that a diff shows exactly the changes. Lines that
/// begin with `#` are comments. Every update writes the comment at the head of the file again and
/// drops all others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lock {
    /// The payloads, by type URL.
    payloads: BTreeMap<String, LockedPayload>,
}

/// The entry of one payload.
#[derive(Clone, Debug, Default, PartialEq)]
struct LockedPayload {
    /// Whether the payload was removed for good: its type URL is never used again.
    retired: bool,
    unversioned: Unversioned,
    /// The records, by version.
    records: BTreeMap<u32, Record>,
}

/// The properties of a payload that belong to no version and may change at any time.
#[derive(Clone, Debug, Default, PartialEq)]
struct Unversioned {
    accepts: BTreeSet<u32>,
    saves: BTreeSet<u32>,
    /// The message of each accepted version that has its own message, by version.
    older: BTreeMap<u32, String>,
    /// The type URL of each accepted version that has its own, by version.
    older_urls: BTreeMap<u32, String>,
    after: BTreeSet<String>,
    freeze_to: String,
    import_as: String,
    abort_to: String,
    live: String,
}

/// The record of one version of a payload.
#[derive(Clone, Debug, Default, PartialEq)]
struct Record {
    /// Whether the version is not released yet.
    draft: bool,
    stage: Option<LockedStage>,
    /// The number of the field that names the controller; 0: none, or unknown.
    id_field: u32,
    /// The number of the field with the stage; 0: none, or unknown.
    stage_field: u32,
    schema: VersionSchema,
    /// Whether the record states the meanings of its fields. Records from before meanings were
    /// recorded do not, and are equal to every meaning.
    states_meaning: bool,
    /// The numbers and names that earlier versions had and this one may not use.
    reserved: Reserved,
}

/// Reserved numbers with their names, by the name of the message or enum.
type Reserved = BTreeMap<String, BTreeSet<(i64, String)>>;

/// The stage rules that affect a peer.
#[derive(Clone, Debug, Default, PartialEq)]
struct LockedStage {
    carried: bool,
    save_from: BTreeSet<String>,
}

impl LockedStage {
    /// Extracts the rules that affect a peer.
    fn of(rules: &StageRules) -> Self {
        Self { carried: rules.carried, save_from: rules.save_from.iter().cloned().collect() }
    }

    /// Returns them as rules of a manifest, to compare.
    fn rules(&self) -> StageRules {
        StageRules {
            carried: self.carried,
            save_from: self.save_from.iter().cloned().collect(),
            ..StageRules::default()
        }
    }
}

impl Unversioned {
    /// Extracts the properties of a payload that belong to no version.
    fn of(payload: &Payload) -> Self {
        let rules = payload.stage_rules.clone().unwrap_or_default();
        let older = |older: &Older| (older.version, older.message.clone());
        Self {
            accepts: payload.accepts.iter().copied().collect(),
            saves: payload.saves.iter().copied().collect(),
            older: payload
                .older
                .iter()
                .filter(|older| !older.message.is_empty())
                .map(older)
                .collect(),
            older_urls: payload
                .older
                .iter()
                .filter(|older| !older.type_url.is_empty())
                .map(|older| (older.version, older.type_url.clone()))
                .collect(),
            after: payload.after.iter().cloned().collect(),
            freeze_to: rules.freeze_to,
            import_as: rules.import_as,
            abort_to: rules.abort_to,
            live: rules.live,
        }
    }
}

impl Lock {
    /// Creates the first lock of a program. Everything in its manifest counts as released.
    ///
    /// # Errors
    ///
    /// [`Code::FailedPrecondition`] if the versions in the manifest contradict each other: a number
    /// stands for one thing in one version and for another in the next.
    pub fn of(manifest: &Manifest) -> Result<Self, Error> {
        Self::default().updated(manifest)
    }

    /// Compares the lock with the manifest of a program.
    ///
    /// # Errors
    ///
    /// [`Code::FailedPrecondition`] with one finding for each change and its cure. The last finding is
    /// the difference between the two texts.
    pub fn check(&self, manifest: &Manifest) -> Result<(), Error> {
        let update = Update::from(self, manifest, Recording::Keeps);
        if update.is_none() {
            return Ok(());
        }
        let mut findings = update.refused;
        let outcome = match findings.is_empty() {
            true => "SNAPSHOT_UPDATE_LOCK=1 writes this to the lock",
            false => "SNAPSHOT_UPDATE_LOCK=1 refuses this",
        };
        findings.extend(update.pending);
        let lines = diff::of(&self.to_string(), &update.lock.to_string());
        let difference = precondition(format!("{outcome}:\n{lines}")).keeping_lines();
        Error::collect(findings.into_iter().map(precondition).chain([difference]))
    }

    /// Returns the lock after an update to a manifest.
    ///
    /// # Errors
    ///
    /// [`Code::FailedPrecondition`] with one finding for each change that is not allowed.
    pub fn updated(&self, manifest: &Manifest) -> Result<Self, Error> {
        let update = Update::from(self, manifest, Recording::Adds);
        refuse(update.refused)?;
        Ok(update.lock)
    }
}

fn refuse(reasons: impl IntoIterator<Item = String>) -> Result<(), Error> {
    Error::collect(reasons.into_iter().map(precondition))
}

fn precondition(reason: String) -> Error {
    Error::new(Code::FailedPrecondition, reason)
}
