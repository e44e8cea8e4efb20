//! Whose the sandbox is, by what both sides have written, and what the operator has to do.

use std::fmt;

use super::{Choice, Mark};

/// What is known of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Side {
    /// The last mark that it has written; `None` if it has written none.
    pub(crate) mark: Option<Mark>,
    /// Whether the shim that wrote it still runs.
    pub(crate) alive: bool,
}

/// Whose the sandbox is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Verdict {
    /// The source's, and its shim runs.
    RunsAtSource,
    /// The source's, and its shim has ended.
    StartAtSource,
    /// The destination's, and its shim runs.
    RunsAtDestination,
    /// The destination's, and its shim has ended.
    StartAtDestination,
    /// The source holds it frozen and may be in doubt: this is what to tell it.
    Tell(Choice),
    /// The destination has not decided, and nobody else may.
    Wait,
    /// Both sides say that it is theirs.
    Both,
}

/// Whose the sandbox is.
pub(crate) fn verdict(source: Side, destination: Side) -> Verdict {
    let at_source = if source.alive { Verdict::RunsAtSource } else { Verdict::StartAtSource };
    let at_destination = match destination.alive {
        true => Verdict::RunsAtDestination,
        false => Verdict::StartAtDestination,
    };
    match (source.mark, destination.mark) {
        (Some(Mark::Committed), _) => at_destination,
        (Some(Mark::Given), Some(Mark::Live)) => match source.alive {
            true => Verdict::Tell(Choice::Commit),
            false => at_destination,
        },
        (Some(Mark::Given), mark) => match (mark, destination.alive, source.alive) {
            // It may be about to resume.
            (Some(Mark::Begun) | None, true, _) => Verdict::Wait,
            (_, _, true) => Verdict::Tell(Choice::Rollback),
            (_, _, false) => Verdict::StartAtSource,
        },
        (_, Some(Mark::Live)) => Verdict::Both,
        _ => at_source,
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::RunsAtSource => "the sandbox is the source's: nothing to do",
            Verdict::StartAtSource => {
                "the sandbox is the source's, and its shim has ended: start it again there; the \
                 destination never will"
            }
            Verdict::RunsAtDestination => "the sandbox is the destination's: nothing to do",
            Verdict::StartAtDestination => {
                "the sandbox is the destination's, and its shim has ended: start it again there; \
                 the source never will"
            }
            Verdict::Tell(Choice::Commit) => {
                "the sandbox is the destination's, and the source still holds its own, frozen: if \
                 it asks, type commit at the source"
            }
            Verdict::Tell(Choice::Rollback) => {
                "the sandbox is the source's, which holds it frozen: if it asks, type rollback at \
                 the source"
            }
            Verdict::Wait => {
                "the destination has not decided yet: wait for it, or end its shim, then ask again"
            }
            Verdict::Both => {
                "both sides hold the sandbox to be theirs: somebody has decided against the \
                 verdict. Stop the one at the source: the destination went on from its snapshot"
            }
        })
    }
}
