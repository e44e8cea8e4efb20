//! Decides from the records of both sides which side owns the tree, and what the operator has to
//! do.

use std::fmt;

use super::{Choice, Mark};

/// The record of one side, as its ledger reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Written {
    /// The ledger has no record of the session.
    Nothing,
    /// The last mark.
    Mark(Mark),
    /// There is a record, and it cannot be read.
    Unreadable,
}

impl From<Option<Mark>> for Written {
    fn from(mark: Option<Mark>) -> Self {
        mark.map_or(Written::Nothing, Written::Mark)
    }
}

/// The known facts about one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Side {
    /// Its record.
    pub written: Written,
    /// Whether the process that wrote it still runs.
    pub alive: bool,
}

/// The owner of the tree. `Display` writes a sentence for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The source owns it, and its process runs.
    RunsAtSource,
    /// The source owns it, and its process has ended.
    StartAtSource,
    /// The destination owns it, and its process runs.
    RunsAtDestination,
    /// The destination owns it, and its process has ended.
    StartAtDestination,
    /// The source may be in doubt and hold it frozen: give it this decision.
    Tell(Choice),
    /// The destination has not decided, and nobody else may.
    Wait,
    /// The destination's record is damaged: only a look at its host can show whether it runs there.
    Look,
    /// Both sides claim it.
    Both,
}

/// Decides from the records of both sides which side owns the tree.
///
/// ```
/// use snapshot_handover::decision::{Choice, Mark, Side, Verdict, Written, verdict};
///
/// let source = Side { written: Written::Mark(Mark::Given), alive: true };
/// let destination = Side { written: Written::Mark(Mark::Live), alive: false };
/// assert_eq!(verdict(source, destination), Verdict::Tell(Choice::Commit));
/// ```
pub fn verdict(source: Side, destination: Side) -> Verdict {
    let at_source = if source.alive { Verdict::RunsAtSource } else { Verdict::StartAtSource };
    let at_destination = match destination.alive {
        true => Verdict::RunsAtDestination,
        false => Verdict::StartAtDestination,
    };
    let source_mark = match source.written {
        Written::Nothing => None,
        Written::Mark(mark) => Some(mark),
        // It may have given the tree away.
        Written::Unreadable => Some(Mark::Given),
    };
    match (source_mark, destination.written) {
        (Some(Mark::Committed), _) => at_destination,
        (Some(Mark::Given), Written::Mark(Mark::Live)) => match source.alive {
            true => Verdict::Tell(Choice::Commit),
            false => at_destination,
        },
        (Some(Mark::Given), written) => match (written, destination.alive, source.alive) {
            // It may be about to resume.
            (Written::Mark(Mark::Begun) | Written::Nothing | Written::Unreadable, true, _) => {
                Verdict::Wait
            }
            (Written::Unreadable, false, _) => Verdict::Look,
            (_, _, true) => Verdict::Tell(Choice::Rollback),
            (_, _, false) => Verdict::StartAtSource,
        },
        (_, Written::Mark(Mark::Live)) => Verdict::Both,
        _ => at_source,
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::RunsAtSource => "the tree is the source's: nothing to do",
            Verdict::StartAtSource => {
                "the tree is the source's, and its process has ended: start it again there, \
                 because the destination will never run it"
            }
            Verdict::RunsAtDestination => "the tree is the destination's: nothing to do",
            Verdict::StartAtDestination => {
                "the tree is the destination's, and its process has ended: start it again there, \
                 because the source will never run it"
            }
            Verdict::Tell(Choice::Commit) => {
                "the tree is the destination's, and the source still holds its own, frozen: commit \
                 at the source if it is in doubt"
            }
            Verdict::Tell(Choice::Rollback) => {
                "the tree is the source's: roll back at the source if it is in doubt, and start the \
                 tree there if it does not run"
            }
            Verdict::Wait => {
                "the destination has not decided yet: wait for it, or end its process, then ask \
                 again"
            }
            Verdict::Look => {
                "the destination's record is damaged, and its process has ended: look at its host. \
                 If the tree runs there, it is the destination's: commit at the source. If it does \
                 not, it is the source's: roll back"
            }
            Verdict::Both => {
                "both sides claim the tree, because somebody has decided against the verdict. Stop \
                 it at the source: the destination continued from its snapshot"
            }
        })
    }
}
