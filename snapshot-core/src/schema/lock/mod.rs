//! The lock: what was released, under version control, so that no schema changes unnoticed.
//!
//! A [`Lock`] has one record for each version of each payload: every message that it reaches, field
//! by field. It is a text file, `proto/schema.lock` by custom, and one line in a test compares it
//! with what the program has registered:
//!
//! ```no_run
//! #[test]
//! fn no_schema_changes_unnoticed() {
//!     snapshot_core::schema::assert_locked!("proto/schema.lock");
//! }
//! # fn main() {}
//! ```
//!
//! The test fails, with the difference and what to do, when anything has changed.
//! `SNAPSHOT_UPDATE_LOCK=1 cargo test` then rewrites the file, unless the change is one that may
//! never be made. So the file is the review of a schema: who reads the diff of a commit sees what
//! peers and stored snapshots will notice.
//!
//! # What a change needs
//!
//! | change | an update | a new `version` |
//! |---|---|---|
//! | a new payload; a new version | yes | |
//! | another name of a field, enum value, oneof, message | yes | no: it is not on the wire. Text forms and code that use the name do change |
//! | `freeze_to`, `import_as`, `abort_to`, `live`, `after`; what `accepts` and `saves` list | yes | no: peers do not see it |
//! | a field or enum value added or removed, another kind, another presence, another oneof | | yes |
//! | `save_from`, whether the stage is carried, what a field defines or refers to | | yes: the other side would refuse what it read before |
//! | the schema that an accepted older version is read or written by | | never: accept it as the message that was released |
//! | a lower version; a number or a name that meant something else, or that is reserved | | never |
//! | a payload that is gone | by hand: write `retired` after its type URL | |
//!
//! The record of a released version is never changed: of the newest one the names follow a
//! renaming, of the older ones nothing does. What is in the file is released, but for a version
//! with the word `draft` after its number, as in `version 3 draft`: write it there by hand while a
//! version is still in the making, and take it away with the release.
//!
//! prost's types do not know what their `.proto` files reserve, so the lock remembers it: when a
//! field or an enum value goes with a new version, its number and name become a `reserved` line in
//! the new record, and are refused in every later one. Lines for what was removed before the first
//! lock can be added by hand.
//!
//! # Example
//!
//! ```
//! use snapshot_core::schema::lock::Lock;
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
use check::Step;

use super::Manifest;
use super::version::VersionSchema;
use crate::wire::v1::manifest::{Older, Payload, StageRules};
use crate::{Code, Error};

/// What was released: one record for each version of each payload. See the [module](self).
///
/// Its text form is its [`Display`](std::fmt::Display) and [`FromStr`](std::str::FromStr): one
/// fact a line, sorted, so that a diff tells what has changed. Lines that begin with `#` are
/// comments; those of the file's head are written again with every update, others are lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lock {
    /// By type URL.
    payloads: BTreeMap<String, Locked>,
}

/// One payload.
#[derive(Clone, Debug, Default, PartialEq)]
struct Locked {
    /// No program has it any more, and its type URL is never used again.
    retired: bool,
    today: Today,
    /// By version.
    records: BTreeMap<u32, Record>,
}

/// What a build does with a payload that is no part of any version: free to change.
#[derive(Clone, Debug, Default, PartialEq)]
struct Today {
    accepts: BTreeSet<u32>,
    saves: BTreeSet<u32>,
    /// The message that an accepted version is read as, if it is one of its own.
    older: BTreeMap<u32, String>,
    after: BTreeSet<String>,
    freeze_to: String,
    import_as: String,
    abort_to: String,
    live: String,
}

/// One version of one payload.
#[derive(Clone, Debug, Default, PartialEq)]
struct Record {
    /// Not released yet.
    draft: bool,
    stage: Option<Stage>,
    schema: VersionSchema,
    /// By the name of the message or enum: what it had in an earlier version and lost.
    reserved: Reserved,
}

/// By the name of a message or enum, then number and name.
type Reserved = BTreeMap<String, BTreeSet<(i64, String)>>;

/// The stage rules that a peer notices.
#[derive(Clone, Debug, Default, PartialEq)]
struct Stage {
    carried: bool,
    save_from: BTreeSet<String>,
}

impl Stage {
    fn of(rules: &StageRules) -> Self {
        Self { carried: rules.carried, save_from: rules.save_from.iter().cloned().collect() }
    }

    fn rules(&self) -> StageRules {
        StageRules {
            carried: self.carried,
            save_from: self.save_from.iter().cloned().collect(),
            ..StageRules::default()
        }
    }
}

impl Today {
    fn of(payload: &Payload) -> Self {
        let rules = payload.stage_rules.clone().unwrap_or_default();
        let older = |older: &Older| (older.version, older.message.clone());
        Self {
            accepts: payload.accepts.iter().copied().collect(),
            saves: payload.saves.iter().copied().collect(),
            older: payload.older.iter().map(older).collect(),
            after: payload.after.iter().cloned().collect(),
            freeze_to: rules.freeze_to,
            import_as: rules.import_as,
            abort_to: rules.abort_to,
            live: rules.live,
        }
    }
}

impl Lock {
    /// The first lock of a program: everything that its manifest has is released.
    ///
    /// # Errors
    ///
    /// If the versions in the manifest contradict each other: a number that is one thing in one
    /// version and another in the next.
    pub fn of(manifest: &Manifest) -> Result<Self, Error> {
        Self::default().updated(manifest)
    }

    /// Compares with what a program has registered.
    ///
    /// # Errors
    ///
    /// [`Code::FailedPrecondition`]: everything that has changed, what to do about each, and last
    /// the difference between the two as text.
    pub fn check(&self, manifest: &Manifest) -> Result<(), Error> {
        let step = Step::from(self, manifest);
        if step.is_none() {
            return Ok(());
        }
        let mut findings = step.refused;
        let update = match findings.is_empty() {
            true => "SNAPSHOT_UPDATE_LOCK=1 writes this to the lock",
            false => "SNAPSHOT_UPDATE_LOCK=1 refuses this",
        };
        findings.extend(step.pending);
        let lines = diff::of(&self.to_string(), &step.now.to_string());
        findings.push(format!("{update}:\n{lines}"));
        refuse(findings)
    }

    /// The lock as it is after an update.
    ///
    /// # Errors
    ///
    /// [`Code::FailedPrecondition`]: every change that may not be made.
    pub fn updated(&self, manifest: &Manifest) -> Result<Self, Error> {
        let step = Step::from(self, manifest);
        refuse(step.refused)?;
        Ok(step.now)
    }
}

fn refuse(reasons: impl IntoIterator<Item = String>) -> Result<(), Error> {
    let error = |reason| Error::new(Code::FailedPrecondition, reason);
    Error::collect(reasons.into_iter().map(error))
}
