//! The destination's decisions.

use super::{Action, Event, Mark, Word};

/// Where a destination stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// No source has come.
    Waiting,
    /// Gets this host ready.
    Greeting,
    /// Waits for the snapshot.
    Greeted,
    /// Import and patch.
    Patching,
    /// Bound to this host, inert. The sandbox is the source's.
    Patched,
    /// The resume hooks run. The source does not take the sandbox back before it has an answer.
    Resuming,
    /// The sandbox is its own.
    Live,
    /// The sandbox is not, and never will be in this migration.
    Aborted,
}

/// What a destination does when something happens.
pub(crate) fn step(state: State, event: Event) -> (State, Vec<Action>) {
    use Action::{Abort, Contradiction, End, GoLive, Greet, Import, Listen, Record, Resume, Send};
    use Event::{Done, Failed, Got, Nobody, Unrecorded};
    let refuse = || (State::Aborted, vec![Record(Mark::Aborted), Send(Word::Refused)]);
    match (state, event) {
        (State::Waiting, Got(Word::Hello)) => (State::Greeting, vec![Record(Mark::Begun), Greet]),
        (State::Waiting, _) => (State::Aborted, vec![End]),
        (State::Greeting, Done) => (State::Greeted, vec![Send(Word::Manifest)]),
        (State::Greeted, Got(Word::Snapshot)) => (State::Patching, vec![Import]),
        // The source has not given anything away, and does not ask.
        (State::Greeted, _) => (State::Aborted, vec![Record(Mark::Aborted), End]),
        (State::Patching, Done) => (State::Patched, vec![Send(Word::Patched)]),
        (State::Greeting | State::Patching, _) => refuse(),

        (State::Patched, Got(Word::Resume)) => (State::Resuming, vec![Resume]),
        (State::Patched, Got(Word::Abort)) => {
            (State::Aborted, vec![Abort, Record(Mark::Aborted), End])
        }
        // The source may have said `Resume`, and ask.
        (State::Patched, _) => (State::Aborted, vec![Abort, Record(Mark::Aborted), Listen]),
        // Written before the guest goes on: whoever finds no mark knows that it never has.
        (State::Resuming, Done) => {
            (State::Live, vec![Record(Mark::Live), GoLive, Send(Word::Resumed)])
        }
        (State::Resuming, _) => refuse(),
        (State::Live, Unrecorded) => {
            (State::Aborted, vec![Abort, Record(Mark::Aborted), Send(Word::Refused)])
        }

        (State::Live, Got(Word::Committed)) => (state, vec![Send(Word::Settled), End]),
        (State::Live, Got(Word::Outcome)) => (state, vec![Send(Word::Resumed)]),
        (State::Live, Got(Word::Abort)) => (state, vec![Contradiction, End]),
        (State::Aborted, Got(Word::Outcome)) => (state, vec![Send(Word::Refused)]),
        (State::Aborted, Got(Word::Abort)) => (state, vec![End]),
        (State::Aborted, Got(Word::Committed)) => (state, vec![Contradiction, End]),
        (State::Live | State::Aborted, Nobody) => (state, vec![End]),
        (State::Live | State::Aborted, Event::Start | Failed | Done) => (state, vec![]),
        (State::Live | State::Aborted, _) => (state, vec![Listen]),
    }
}

/// How a destination goes on that was ended and is started again, by what it had written. It
/// resumes nothing; it is there to be asked.
pub(crate) fn restart(mark: Mark) -> (State, Vec<Action>) {
    match mark {
        Mark::Live => (State::Live, vec![Action::Listen]),
        _ => (State::Aborted, vec![Action::Record(Mark::Aborted), Action::Listen]),
    }
}
