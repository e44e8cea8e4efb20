//! What a side can tell after a hand-over.

use std::time::Duration;

use snapshot_core::{Error, SideReport};

use crate::SessionId;

/// What happened in a session on one side.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The session.
    pub session: SessionId,
    /// The phases and hooks of this side.
    pub side: SideReport,
    /// The name of the other side's program; empty if it never said one.
    pub peer: String,
    /// The number of bytes of the snapshot; 0 if there was none.
    pub bytes: u64,
    /// What the rehearsal has measured; `None` at a destination, and without a rehearsal.
    pub rehearsal: Option<Rehearsed>,
    /// Whether both sides know the outcome. If not, the source can still be asked, or ask: see
    /// [`Handover::finish`](crate::Handover::finish).
    pub settled: bool,
    /// The last note of the other side's program: at the source that of `Resumed`, at the destination
    /// that of `Committed`.
    pub note: Vec<u8>,
    /// What went wrong without a change of the outcome: a mark that was not needed could not be
    /// written, a commit hook failed, the other side contradicted the outcome.
    pub trouble: Vec<Error>,
}

/// What a rehearsal has measured, while the tree still ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rehearsed {
    /// How many rehearsals there were, this one included.
    pub rounds: u32,
    /// The number of bytes of the snapshot.
    pub bytes: u64,
    /// How long the save took.
    pub save: Duration,
    /// How long the bytes were on their way, with the answer.
    pub transfer: Duration,
    /// How long the destination took to verify them and to take them in.
    pub import: Duration,
    /// How long the destination took to get its host ready. It is no part of the blackout.
    pub prepare: Duration,
}

impl Rehearsed {
    /// The shortest blackout that can be expected: save, transfer and import. What `freeze`, `patch` and
    /// `resume` take is not in it.
    pub fn estimate(&self) -> Duration {
        self.save + self.transfer + self.import
    }
}

/// A tree that was not moved.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NotMoved {
    /// Why: the first reason.
    pub error: Error,
    /// What could not be taken back on this side. `None` if this side is as it was before.
    pub undo: Option<Error>,
    /// What happened on this side.
    pub report: Report,
}
