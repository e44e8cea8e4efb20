//! The durations of phases and hooks, and the bytes that each controller saved.

use std::fmt;
use std::time::Duration;

use super::Phase;
use crate::ControllerId;
use crate::error::plural;

/// The durations of the phases and hooks of one [`Session`](super::Session), in the order of their
/// ends.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Timeline {
    /// The phases that have ended.
    pub phases: Vec<PhaseTime>,
    /// The hooks that have ended.
    pub controllers: Vec<ControllerTime>,
    /// The bytes that each controller saved, in the order of the tree, parents first.
    pub saved: Vec<SavedBytes>,
    /// Stages that controllers have entered on their own while they were moved, in the order in
    /// which they were found.
    pub late_stages: Vec<LateStage>,
    /// The time for which the controllers stood still. On the source: from the start of the freeze
    /// to the end of the commit or rollback. On the destination: from the start of the patch to the
    /// end of the resume. While it lasts, the time until now; `None` before it begins.
    pub blackout: Option<Duration>,
    /// The start of that time, from the start of the session.
    pub blackout_began: Option<Duration>,
}

/// The duration of a phase.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PhaseTime {
    /// The phase.
    pub phase: Phase,
    /// The start, from the start of the session.
    pub began: Duration,
    /// The duration.
    pub took: Duration,
    /// Whether it succeeded.
    pub succeeded: bool,
}

/// The duration of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ControllerTime {
    /// The controller.
    pub id: ControllerId,
    /// The type URL of its payload.
    pub type_url: &'static str,
    /// The phase.
    pub phase: Phase,
    /// The start, from the start of the session.
    pub began: Duration,
    /// The duration from its start, including waits.
    pub took: Duration,
    /// Whether it succeeded.
    pub succeeded: bool,
}

/// The size of a saved controller.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SavedBytes {
    /// The controller.
    pub id: ControllerId,
    /// The type URL of its payload.
    pub type_url: &'static str,
    /// The length of its payload without the payloads of its children, in bytes.
    pub bytes: usize,
}

/// A stage that a controller has entered on its own while it was moved, for instance because an
/// exit event came late. After a thaw and a resume the controller is still in it. After a commit it
/// is in its `abort_to` stage, if it has one, and the commit has reported it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LateStage {
    /// The controller.
    pub id: ControllerId,
    /// The type URL of its payload.
    pub type_url: &'static str,
    /// The phase that found it.
    pub phase: Phase,
    /// The Rust name of the stage in which the framework had left it.
    pub expected: &'static str,
    /// The Rust name of the stage in which it was found.
    pub found: &'static str,
    /// Whether the controller stayed in that stage.
    pub kept: bool,
}

impl Timeline {
    /// Returns the duration of a phase, with all its runs; `None` if it did not run.
    pub fn phase(&self, phase: Phase) -> Option<Duration> {
        let runs = self.phases.iter().filter(|time| time.phase == phase);
        runs.map(|time| time.took).reduce(|a, b| a.saturating_add(b))
    }

    /// Returns the slowest hooks, the slowest first.
    pub fn slowest(&self, count: usize) -> Vec<&ControllerTime> {
        let mut all: Vec<_> = self.controllers.iter().collect();
        all.sort_by_key(|time| std::cmp::Reverse(time.took));
        all.truncate(count);
        all
    }
}

impl fmt::Display for Timeline {
    /// Writes one line per phase, then the blackout, the slowest hooks and the number of bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for time in &self.phases {
            let outcome = if time.succeeded { "" } else { " (failed)" };
            writeln!(f, "{:<9} {:>10.3?}{outcome}", time.phase.as_str(), time.took)?;
        }
        if let Some(blackout) = self.blackout {
            writeln!(f, "{:<9} {blackout:>10.3?}", "blackout")?;
        }
        for time in self.slowest(5) {
            writeln!(f, "  {} {}: {:.3?}", time.phase, time.id, time.took)?;
        }
        let bytes: usize = self.saved.iter().map(|saved| saved.bytes).sum();
        let count = self.saved.len();
        write!(f, "{count} controller{} saved {bytes} byte{}", plural(count), plural(bytes))
    }
}
