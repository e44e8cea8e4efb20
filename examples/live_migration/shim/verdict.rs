//! The text that an operator reads about a verdict.

use snapshot_handover::decision::{Choice, Verdict};

/// The sentence for a verdict.
pub(crate) fn sentence(verdict: Verdict) -> &'static str {
    match verdict {
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
        Verdict::Look => {
            "the destination's record is damaged, and its shim has ended: look at its host. If the \
             sandbox runs there, type commit at the source; if it does not, type rollback"
        }
        Verdict::Both => {
            "both sides hold the sandbox to be theirs: somebody has decided against the \
             verdict. Stop the one at the source: the destination went on from its snapshot"
        }
    }
}
