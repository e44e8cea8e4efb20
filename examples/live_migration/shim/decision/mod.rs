//! What each side decides, and nothing of how it is done: pure functions from a state and an event
//! to the next state and what is to be done then.
//!
//! The shims do what these say, and the tests check these very functions against every loss, crash
//! and restart with a model checker. The table is in `protocol`.

pub(crate) mod destination;
pub(crate) mod source;
pub(crate) mod verdict;

use serde::{Deserialize, Serialize};

/// A message, without what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Word {
    Hello,
    Manifest,
    /// With the processes of the guest before it.
    Snapshot,
    Patched,
    Resume,
    Resumed,
    Refused,
    Abort,
    Committed,
    Outcome,
    Settled,
}

/// What a side keeps on disk of a migration: enough to say after a crash whose the sandbox is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mark {
    /// Either side: it has begun. After a crash: the sandbox is the source's.
    Begun,
    /// Source: given away, written before the destination is told. After a crash: ask it.
    Given,
    /// Destination: the sandbox is its own, written before the guest goes on.
    Live,
    /// Destination: it is not, and never will be in this migration.
    Aborted,
    /// Source: the sandbox is the destination's.
    Committed,
    /// Source: the sandbox is its own again.
    Kept,
}

/// What happens to a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// Source: begin.
    Start,
    /// A message has come.
    Got(Word),
    /// What was to be done is done.
    Done,
    /// It failed, and what it had begun is undone.
    Failed,
    /// A mark could not be written.
    Unrecorded,
    /// The connection is lost, or nothing has come for too long.
    Lost,
    /// The other side could not be reached, or has not come, for as long as the patience lasts.
    Nobody,
    /// Source: the operator has decided.
    Operator(Choice),
}

/// What an operator can decide at a source in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Choice {
    /// The sandbox is the destination's.
    Commit,
    /// The sandbox goes on at the source.
    Rollback,
}

/// What a side does next. They are done in order; the next event is looked for after the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Write the mark, so that it survives a crash.
    Record(Mark),
    /// Send a message. That it cannot be sent shows when the next is waited for.
    Send(Word),
    /// Source: preflight, freeze and save. Then `Done` or `Failed`.
    Prepare,
    /// Source: thaw what is frozen.
    Thaw,
    /// Source: let go of the sandbox.
    Commit,
    /// Source: connect once more and ask for the outcome, or `Nobody`.
    Ask,
    /// Source: wait for the operator's word.
    AskOperator,
    /// Destination: get this host ready. Then `Done` or `Failed`.
    Greet,
    /// Destination: import and patch. Then `Done` or `Failed`.
    Import,
    /// Destination: run the resume hooks; the guest does not go on yet. Then `Done` or `Failed`.
    Resume,
    /// Destination: the guest goes on.
    GoLive,
    /// Destination: take back what import, patch and resume did.
    Abort,
    /// Destination: wait for the source on a new connection, or `Nobody`.
    Listen,
    /// The two sides contradict each other, which only an operator can have brought about.
    Contradiction,
    /// There is nothing more to say.
    End,
}
