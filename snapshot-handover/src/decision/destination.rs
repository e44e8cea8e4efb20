//! The destination's decisions.

use super::{Action, Again, Event, Mark, Word};

/// The state of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// No source has come.
    Waiting,
    /// The source is checked and this host is made ready.
    Greeting,
    /// Waits for a rehearsal or the snapshot.
    Greeted,
    /// A rehearsed tree is verified and this host prepares for it.
    Preparing,
    /// Prepared for the rehearsed tree. Waits for another rehearsal or the snapshot.
    Prepared,
    /// Import and patch.
    Patching,
    /// Bound to this host, inert. The tree is the source's.
    Patched,
    /// The resume hooks run. The source does not take the tree back before it has an answer.
    Resuming,
    /// The tree is this side's.
    Live,
    /// The tree is not this side's and never will be in this session.
    Aborted,
}

/// Returns the next state and the actions for an event.
pub fn step(state: State, event: Event) -> (State, Vec<Action>) {
    use Action::{
        Abort, Contradiction, End, GoLive, Greet, Import, Leave, Listen, Note, Prepare, Record,
        Resume, Send,
    };
    use Event::{Done, Failed, Got, Nobody, Unrecorded, Unsure};
    let refuse = || (State::Aborted, vec![Note(Mark::Aborted), Send(Word::Refused)]);
    match (state, event) {
        (State::Waiting, Got(Word::Hello)) => (State::Greeting, vec![Record(Mark::Begun), Greet]),
        (State::Waiting, _) => (State::Aborted, vec![End]),
        (State::Greeting, Done) => (State::Greeted, vec![Send(Word::Welcome)]),
        (State::Greeted | State::Prepared, Got(Word::Rehearsal)) => {
            (State::Preparing, vec![Prepare])
        }
        (State::Preparing, Done) => (State::Prepared, vec![Send(Word::Ready)]),
        (State::Greeted | State::Prepared, Got(Word::Snapshot)) => (State::Patching, vec![Import]),
        // The source has given nothing away, and does not ask.
        (State::Greeted, _) => (State::Aborted, vec![Note(Mark::Aborted), End]),
        (State::Prepared, _) => (State::Aborted, vec![Abort, Note(Mark::Aborted), End]),
        (State::Patching, Done) => (State::Patched, vec![Send(Word::Patched)]),
        (State::Greeting, _) => refuse(),
        // Something may be prepared already.
        (State::Preparing | State::Patching, _) => {
            (State::Aborted, vec![Abort, Note(Mark::Aborted), Send(Word::Refused)])
        }

        (State::Patched, Got(Word::Resume)) => (State::Resuming, vec![Resume]),
        (State::Patched, Got(Word::Abort)) => {
            (State::Aborted, vec![Abort, Note(Mark::Aborted), End])
        }
        // The source may have sent `Resume`, and will ask.
        (State::Patched, _) => (State::Aborted, vec![Abort, Note(Mark::Aborted), Listen]),
        // Written before anything runs: without the mark, it is certain that nothing ever ran here.
        (State::Resuming, Done) => {
            (State::Live, vec![Record(Mark::Live), GoLive, Send(Word::Resumed)])
        }
        (State::Resuming, _) => refuse(),
        (State::Live, Unrecorded) => {
            (State::Aborted, vec![Abort, Note(Mark::Aborted), Send(Word::Refused)])
        }
        // An operator may have read the mark already and told the source to release the tree, so
        // another mark cannot replace it. Nor can this side rely on it.
        (State::Live, Unsure) => (State::Aborted, vec![Abort, Leave]),

        (State::Live, Got(Word::Committed)) => (state, vec![Send(Word::Settled), End]),
        (State::Live, Got(Word::Ask)) => (state, vec![Send(Word::Resumed)]),
        (State::Live, Got(Word::Abort)) => (state, vec![Contradiction, End]),
        (State::Aborted, Got(Word::Ask)) => (state, vec![Send(Word::Refused)]),
        (State::Aborted, Got(Word::Abort)) => (state, vec![End]),
        (State::Aborted, Got(Word::Committed)) => (state, vec![Contradiction, End]),
        (State::Live | State::Aborted, Nobody) => (state, vec![End]),
        (State::Live | State::Aborted, Event::Start | Failed | Done | Event::Unneeded) => {
            (state, vec![])
        }
        (State::Live | State::Aborted, _) => (state, vec![Listen]),
    }
}

/// Returns how a destination continues from the mark in its ledger after its process has ended. It
/// resumes nothing; it only answers the source.
pub fn restart(mark: Mark) -> (State, Vec<Action>) {
    match mark {
        Mark::Live => (State::Live, vec![Action::Listen]),
        // Not written again: a write that is not needed can only do harm.
        Mark::Aborted => (State::Aborted, vec![Action::Listen]),
        _ => (State::Aborted, vec![Action::Note(Mark::Aborted), Action::Listen]),
    }
}

/// Decides from the last mark of a destination what it does with the tree of an unfinished hand-over after its
/// process has ended. The mark is `None` if no hand-over ever began.
pub fn again(mark: Option<Mark>) -> Again {
    match mark {
        Some(Mark::Live) => Again::TakeUp,
        _ => Again::Leave,
    }
}
