//! The machine's clock, which both shims read.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use snapshot_core::{SideReport, Timeline};

use crate::shim::note::Step;

/// Returns the time in nanoseconds since the machine started.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or_default();
    seconds * 1_000_000_000 + nanoseconds
}

/// Returns the time between two readings.
pub(crate) fn between(earlier: u64, later: u64) -> Duration {
    Duration::from_nanos(later.saturating_sub(earlier))
}

/// Returns the steps of a timeline, phases first.
pub(crate) fn steps(timeline: &Timeline) -> Vec<Step> {
    let phases = timeline.phases.iter().map(|time| Step {
        phase: time.phase.as_str().to_owned(),
        controller: String::new(),
        took: time.took,
    });
    let controllers = timeline.controllers.iter().map(|time| Step {
        phase: time.phase.as_str().to_owned(),
        controller: time.id.to_string(),
        took: time.took,
    });
    phases.chain(controllers).collect()
}

/// Returns the steps of a report, phases first.
pub(crate) fn steps_of(side: &SideReport) -> Vec<Step> {
    let phases = side.phases.iter().map(|phase| Step {
        phase: phase.phase.clone(),
        controller: String::new(),
        took: Duration::from_nanos(phase.took_ns),
    });
    let hooks = side.hooks.iter().map(|hook| Step {
        phase: hook.phase.clone(),
        controller: hook.controller.clone(),
        took: Duration::from_nanos(hook.took_ns),
    });
    phases.chain(hooks).collect()
}
