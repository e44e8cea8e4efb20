//! The decisions of both sides: pure functions from a state and an event to the next state and the
//! actions to take, in order.
//!
//! Nothing here reads, writes or waits. [`offer`](crate::offer) and [`accept`](crate::accept)
//! perform the actions, and the tests check the same functions with a model checker, against every
//! loss, crash, restart and failed write. A program with its own transport can drive them itself.
//! Start with [`source::State::Idle`] and [`Event::Start`], or with
//! [`destination::State::Waiting`]. Perform each [`Action`] in order, and then report the next
//! [`Event`].
//!
//! ```
//! use snapshot_handover::decision::{Action, Event, Mark, Word, source};
//!
//! let (state, actions) = source::step(source::State::Idle, Event::Start);
//! assert_eq!(actions, [Action::Record(Mark::Begun), Action::Send(Word::Hello)]);
//!
//! // The link is lost before anything was given away: the source keeps the tree.
//! let (state, actions) = source::step(state, Event::Lost);
//! assert_eq!(state, source::State::Kept);
//! assert!(actions.contains(&Action::Thaw));
//! ```
//!
//! # Who owns the tree
//!
//! The source owns it until its mark [`Given`](Mark::Given) is durable, which it writes before it
//! sends `Resume`. From then on it never takes the tree back on its own: it asks the destination,
//! or an operator. The destination owns the tree as soon as its mark [`Live`](Mark::Live) is
//! durable, which it writes before anything runs there. The source writes
//! [`Committed`](Mark::Committed) only after the destination has answered that it is live, or if an
//! operator decides so.
//!
//! # What these decisions need from the ledger
//!
//! - [`Action::Record`]: if the write is reported as done, the mark survives a crash.
//! - If a write fails and the record is not surely as before, the ledger reports [`Event::Unsure`].
//! - A record that cannot be read is refused. It is never taken for "nothing was written".

pub mod destination;
pub mod source;
mod verdict;

pub use verdict::{Side, Verdict, Written, verdict};

/// A message, without its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Word {
    /// Source: the session and its root.
    Hello,
    /// Destination: the payloads that it can import.
    Welcome,
    /// Source: the tree as it is now, while it still runs.
    Rehearsal,
    /// Destination: its host is ready for the rehearsed tree.
    Ready,
    /// Source: the snapshot. The tree is frozen.
    Snapshot,
    /// Destination: imported and bound to its host. Nothing runs yet.
    Patched,
    /// Source: the tree is the destination's, unless it refuses.
    Resume,
    /// Destination: the tree runs there.
    Resumed,
    /// Destination: it did not take the tree over and never will in this session.
    Refused,
    /// Source: it stops the hand-over. The tree continues at the source.
    Abort,
    /// Source: it has released the tree.
    Committed,
    /// Source, on a new link: asks for the outcome of the session.
    Ask,
    /// Destination: the source's last word has arrived.
    Settled,
}

impl Word {
    /// Returns the name of the message, as errors show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Word::Hello => "Hello",
            Word::Welcome => "Welcome",
            Word::Rehearsal => "Rehearsal",
            Word::Ready => "Ready",
            Word::Snapshot => "Snapshot",
            Word::Patched => "Patched",
            Word::Resume => "Resume",
            Word::Resumed => "Resumed",
            Word::Refused => "Refused",
            Word::Abort => "Abort",
            Word::Committed => "Committed",
            Word::Ask => "Ask",
            Word::Settled => "Settled",
        }
    }
}

/// The record of a side for a session in its ledger. After a crash it says which side owns the
/// tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mark {
    /// Either side: the session has begun. After a crash the tree is the source's.
    Begun,
    /// Source: given away; written before `Resume` is sent. After a crash, ask the destination.
    Given,
    /// Destination: the tree is its own; written before anything runs.
    Live,
    /// Destination: the tree is not its own and never will be in this session.
    Aborted,
    /// Source: the tree is the destination's.
    Committed,
    /// Source: the tree is its own again.
    Kept,
}

impl Mark {
    /// Returns the name of the mark in lower case, for logs and status lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Mark::Begun => "begun",
            Mark::Given => "given",
            Mark::Live => "live",
            Mark::Aborted => "aborted",
            Mark::Committed => "committed",
            Mark::Kept => "kept",
        }
    }
}

/// The action of a restarted process for the tree of its side, which it has in a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Again {
    /// Continue the tree: it is this side's.
    TakeUp,
    /// Ask the destination first which side owns it.
    Ask,
    /// Leave it alone: it is not this side's, and the checkpoint is useless.
    Leave,
}

/// An event at a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// Source: begin.
    Start,
    /// A message has arrived.
    Got(Word),
    /// The action that was started has succeeded.
    Done,
    /// Source: the result of an [`Action::Weigh`] is to rehearse the tree once more.
    Again,
    /// The action was not needed: an [`Action::Rehearse`] of a source that does not rehearse.
    Unneeded,
    /// The action has failed, and its own effects are undone.
    Failed,
    /// The write of an [`Action::Record`] has failed, and the old record is unchanged.
    Unrecorded,
    /// The write of an [`Action::Record`] has failed, but the mark may be written, or the record
    /// may be damaged.
    Unsure,
    /// The link is lost, or nothing has arrived within the deadline.
    Lost,
    /// The other side could not be reached, or did not come, for as long as this side waits for it.
    Nobody,
    /// Source: the operator has decided.
    Operator(Choice),
}

/// An operator's decision at a source in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// The tree is the destination's: the source lets go.
    Commit,
    /// The tree is the source's: it goes on there.
    Rollback,
}

/// The next thing that a side does. Actions are done in order. The next event is waited for after the
/// last one, or comes from an action itself, as each says; the remaining actions are then dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Write the mark durably. If that fails: [`Event::Unrecorded`] if the record is surely as before,
    /// else [`Event::Unsure`].
    Record(Mark),
    /// Write the mark durably if possible. If the write fails, go on: without this mark, a reader of
    /// the ledger comes to the same conclusion.
    Note(Mark),
    /// Send a message. If it cannot be sent, the next wait reports it.
    Send(Word),
    /// Source: preflight, and save without a freeze. Then [`Event::Done`], [`Event::Unneeded`] or
    /// [`Event::Failed`].
    Rehearse,
    /// Source: the destination is ready; decide whether to go on. Then [`Event::Done`] to freeze,
    /// [`Event::Again`] to rehearse once more, or [`Event::Failed`] to keep the tree.
    Weigh,
    /// Source: freeze and save. Then [`Event::Done`] or [`Event::Failed`].
    Freeze,
    /// Source: thaw everything that is frozen.
    Thaw,
    /// Source: release the tree.
    Commit,
    /// Source: connect again and ask for the outcome of the session, or [`Event::Nobody`].
    Ask,
    /// Source: wait for the operator's decision.
    AskOperator,
    /// Destination: check the source and get this host ready. Then [`Event::Done`] or
    /// [`Event::Failed`].
    Greet,
    /// Destination: verify the rehearsed tree and get this host ready for it, or for its later state. Then
    /// [`Event::Done`] or [`Event::Failed`].
    Prepare,
    /// Destination: import and patch. Then [`Event::Done`] or [`Event::Failed`].
    Import,
    /// Destination: run the resume hooks. Then [`Event::Done`] or [`Event::Failed`].
    Resume,
    /// Destination: the tree is live from here on.
    GoLive,
    /// Destination: undo everything that import, prepare, patch and resume did, if anything.
    Abort,
    /// Destination: wait for the source on a new link, or [`Event::Nobody`].
    Listen,
    /// Destination: leave the session to the ledger. This process no longer knows the outcome; the
    /// record does. Continue as if the process had been killed here: later answers about the
    /// session come from the record.
    Leave,
    /// The two sides contradict each other, which only an operator can have caused.
    Contradiction,
    /// There are no more messages.
    End,
}
