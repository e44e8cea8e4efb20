//! The source's decisions.

use super::{Action, Again, Choice, Event, Mark, Word};

/// The state of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing was sent.
    Idle,
    /// Waits for the welcome. Nothing is frozen.
    Greeting,
    /// Preflight, and a save while the tree runs.
    Rehearsing,
    /// Waits for the findings of the destination. Nothing is frozen.
    Rehearsed,
    /// The destination is ready. The choice is open: freeze, rehearse again, or keep the tree.
    Weighing,
    /// Freeze, save.
    Freezing,
    /// The snapshot is sent. The tree is frozen, and still this side's.
    Offered,
    /// The destination was asked to resume. The tree is no longer this side's, and this side does
    /// not take it back on its own.
    Given,
    /// As `Given`, and the destination cannot be reached.
    Doubt,
    /// The tree is the destination's.
    Committed,
    /// The tree is this side's.
    Kept,
}

/// Returns the next state and the actions for an event.
pub fn step(state: State, event: Event) -> (State, Vec<Action>) {
    use Action::{
        Ask, AskOperator, Commit, Contradiction, End, Freeze, Note, Record, Rehearse, Send, Thaw,
        Weigh,
    };
    use Event::{Again, Done, Got, Nobody, Operator, Start, Unneeded, Unrecorded, Unsure};
    match (state, event) {
        (State::Idle, Start) => (State::Greeting, vec![Record(Mark::Begun), Send(Word::Hello)]),
        (State::Greeting, Got(Word::Welcome)) => (State::Rehearsing, vec![Rehearse]),
        (State::Rehearsing, Done) => (State::Rehearsed, vec![Send(Word::Rehearsal)]),
        (State::Rehearsed, Got(Word::Ready)) => (State::Weighing, vec![Weigh]),
        (State::Weighing, Again) => (State::Rehearsing, vec![Rehearse]),
        (State::Rehearsing, Unneeded) | (State::Weighing, Done) => (State::Freezing, vec![Freeze]),
        (State::Freezing, Done) => (State::Offered, vec![Send(Word::Snapshot)]),
        (State::Offered, Got(Word::Patched)) => {
            (State::Given, vec![Record(Mark::Given), Send(Word::Resume)])
        }
        // Any other event before the destination was asked to resume: it never will be. If `Given`
        // is written nevertheless, a restarted source asks, and gets a refusal.
        (
            State::Idle
            | State::Greeting
            | State::Rehearsing
            | State::Rehearsed
            | State::Weighing
            | State::Freezing
            | State::Offered,
            _,
        )
        | (State::Given, Unrecorded | Unsure) => {
            // Sent first: the destination may hold disks that the thaw needs.
            (State::Kept, vec![Send(Word::Abort), Thaw, Note(Mark::Kept), End])
        }

        (State::Given, Got(Word::Resumed)) => {
            (State::Committed, vec![Note(Mark::Committed), Commit, Send(Word::Committed)])
        }
        (State::Given, Got(Word::Refused)) => {
            (State::Kept, vec![Note(Mark::Kept), Thaw, Send(Word::Abort), End])
        }
        (State::Given, Nobody) => (State::Doubt, vec![AskOperator]),
        (State::Given, _) => (State::Given, vec![Ask]),

        (State::Doubt, Operator(Choice::Commit)) => {
            (State::Committed, vec![Note(Mark::Committed), Commit, End])
        }
        (State::Doubt, Operator(Choice::Rollback)) => {
            (State::Kept, vec![Note(Mark::Kept), Thaw, End])
        }
        (State::Doubt, _) => (State::Doubt, vec![AskOperator]),

        (State::Committed, Got(Word::Settled) | Nobody) => (state, vec![End]),
        (State::Committed, Got(Word::Resumed)) => (state, vec![Send(Word::Committed)]),
        (State::Committed, Got(Word::Refused)) => (state, vec![Contradiction, End]),
        (State::Committed, _) => (state, vec![Ask]),

        (State::Kept, _) => (state, vec![End]),
    }
}

/// Returns how a source continues from the mark in its ledger after its process has ended.
pub fn restart(mark: Mark) -> (State, Vec<Action>) {
    match mark {
        Mark::Given => (State::Given, vec![Action::Ask]),
        Mark::Committed => (State::Committed, vec![Action::Ask]),
        // Not written again: a write that is not needed can only do harm.
        Mark::Kept => (State::Kept, vec![Action::End]),
        _ => (State::Kept, vec![Action::Note(Mark::Kept), Action::End]),
    }
}

/// Decides from the last mark of a source what it does with its tree after its process has ended. The mark is
/// `None` if it never began a hand-over. A record that cannot be read is neither a mark nor `None`: an
/// operator has to look.
///
/// ```
/// use snapshot_handover::decision::{Again, Mark, source};
///
/// assert_eq!(source::again(None), Again::TakeUp);
/// assert_eq!(source::again(Some(Mark::Given)), Again::Ask);
/// ```
pub fn again(mark: Option<Mark>) -> Again {
    match mark {
        None | Some(Mark::Begun | Mark::Kept) => Again::TakeUp,
        Some(Mark::Given) => Again::Ask,
        Some(Mark::Committed | Mark::Live | Mark::Aborted) => Again::Leave,
    }
}
