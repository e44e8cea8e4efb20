//! The report of a side after a hand-over.

use std::time::Duration;

use snapshot_core::{Error, SideReport};

use crate::SessionId;

/// The events of a session on one side.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The session.
    pub session: SessionId,
    /// The phases and hooks of this side.
    pub side: SideReport,
    /// The name of the other side's program; empty if it is unknown.
    pub peer: String,
    /// The number of bytes of the snapshot; 0 if there was none.
    pub bytes: u64,
    /// The measurements of the rehearsal; `None` at a destination, and without a rehearsal.
    pub rehearsal: Option<Rehearsed>,
    /// Whether both sides know the outcome. If not, the source can still ask: see
    /// [`Handover::finish`](crate::Handover::finish).
    pub settled: bool,
    /// The last note of the other side's program: at the source that of `Resumed`, at the
    /// destination that of `Committed`.
    pub note: Vec<u8>,
    /// Errors that did not change the outcome: a mark that was not needed could not be written, a
    /// commit hook failed, or the other side contradicted the outcome.
    pub trouble: Vec<Error>,
}

/// The measurements of a rehearsal, while the tree still ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rehearsed {
    /// The number of rehearsals, including this one.
    pub rounds: u32,
    /// The number of bytes of the snapshot.
    pub bytes: u64,
    /// The duration of the save.
    pub save: Duration,
    /// The duration of the transfer, including the answer.
    pub transfer: Duration,
    /// The duration of the verification and the import at the destination.
    pub import: Duration,
    /// The duration of the preparation at the destination. It is not a part of the blackout.
    pub prepare: Duration,
}

impl Rehearsed {
    /// Returns the shortest blackout that can be expected: save, transfer and import. The times of
    /// `freeze`, `patch` and `resume` are not included.
    pub fn estimate(&self) -> Duration {
        self.save + self.transfer + self.import
    }
}

/// A tree that was not moved.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NotMoved {
    /// The first reason.
    pub error: Error,
    /// The errors of the undo on this side. `None` if this side is as it was before.
    pub undo: Option<Error>,
    /// The report of this side.
    pub report: Report,
}
