//! The source's decisions.

use super::{Action, Choice, Event, Mark, Word};

/// Where a source stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// Nothing was said.
    Idle,
    /// Waits for the manifest. Nothing is frozen.
    Greeting,
    /// Preflight, freeze, save.
    Preparing,
    /// The snapshot is sent. The sandbox is frozen, and still its own.
    Offered,
    /// The destination was told to resume: the sandbox is not its own any more, and it does not take
    /// it back on its own account.
    Given,
    /// As before, and the destination cannot be reached.
    Doubt,
    /// The sandbox is the destination's.
    Committed,
    /// The sandbox is its own.
    Kept,
}

/// What a source does when something happens.
pub(crate) fn step(state: State, event: Event) -> (State, Vec<Action>) {
    use Action::{Ask, AskOperator, Commit, Contradiction, End, Prepare, Record, Send, Thaw};
    use Event::{Done, Got, Nobody, Operator, Start, Unrecorded};
    match (state, event) {
        (State::Idle, Start) => (State::Greeting, vec![Record(Mark::Begun), Send(Word::Hello)]),
        (State::Greeting, Got(Word::Manifest)) => (State::Preparing, vec![Prepare]),
        (State::Preparing, Done) => (State::Offered, vec![Send(Word::Snapshot)]),
        (State::Offered, Got(Word::Patched)) => {
            (State::Given, vec![Record(Mark::Given), Send(Word::Resume)])
        }
        // Whatever else happens before the destination was told to resume: it never will be.
        (State::Idle | State::Greeting | State::Preparing | State::Offered, _)
        | (State::Given, Unrecorded) => {
            // Told first: the destination may hold disks that the thaw needs.
            (State::Kept, vec![Send(Word::Abort), Thaw, Record(Mark::Kept), End])
        }

        (State::Given, Got(Word::Resumed)) => {
            (State::Committed, vec![Record(Mark::Committed), Commit, Send(Word::Committed)])
        }
        (State::Given, Got(Word::Refused)) => {
            (State::Kept, vec![Record(Mark::Kept), Thaw, Send(Word::Abort), End])
        }
        (State::Given, Nobody) => (State::Doubt, vec![AskOperator]),
        (State::Given, _) => (State::Given, vec![Ask]),

        (State::Doubt, Operator(Choice::Commit)) => {
            (State::Committed, vec![Record(Mark::Committed), Commit, End])
        }
        (State::Doubt, Operator(Choice::Rollback)) => {
            (State::Kept, vec![Record(Mark::Kept), Thaw, End])
        }
        (State::Doubt, _) => (State::Doubt, vec![AskOperator]),

        (State::Committed, Got(Word::Settled) | Nobody) => (state, vec![End]),
        (State::Committed, Got(Word::Resumed)) => (state, vec![Send(Word::Committed)]),
        (State::Committed, Got(Word::Refused)) => (state, vec![Contradiction, End]),
        (State::Committed, _) => (state, vec![Ask]),

        (State::Kept, _) => (state, vec![End]),
    }
}

/// How a source goes on that was ended and is started again, by what it had written.
pub(crate) fn restart(mark: Mark) -> (State, Vec<Action>) {
    match mark {
        Mark::Given => (State::Given, vec![Action::Ask]),
        Mark::Committed => (State::Committed, vec![Action::Ask]),
        _ => (State::Kept, vec![Action::Record(Mark::Kept), Action::End]),
    }
}
