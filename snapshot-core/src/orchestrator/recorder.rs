//! Collects the hooks of one run of a phase, and moves them to the session's record in batches.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::Phase;
use super::plan::TreePlan;
use super::record::HookTime;
use super::session::Session;

/// Records the hooks of one run of a phase.
pub(super) struct Recorder<'a> {
    session: &'a Session,
    /// The number of this run in the session's record.
    run: usize,
    /// The hooks that have ended and are not yet in the session's record.
    ended: Vec<HookTime>,
}

impl<'a> Recorder<'a> {
    /// The number of hooks that are recorded at once, because the record has a lock.
    const BUNCH: usize = 64;

    pub(super) fn new(session: &'a Session, plan: &Arc<TreePlan>, phase: Phase) -> Self {
        Self { session, run: session.begin_run(plan, phase), ended: Vec::new() }
    }

    /// Records the end of a unit's hook, or of the hooks of consecutive units that took no time.
    #[inline]
    pub(super) fn record(
        &mut self,
        units: Range<usize>,
        began: Instant,
        ended: Instant,
        succeeded: bool,
    ) {
        let units = units.start as u32..units.end as u32;
        if units.is_empty() {
            return;
        }
        if let Some(last) = self.ended.last_mut()
            && last.units.end == units.start
            && began == ended
            && (last.began, last.ended, last.succeeded) == (began, ended, succeeded)
        {
            last.units.end = units.end;
            return;
        }
        if self.ended.len() == Self::BUNCH {
            self.publish();
        }
        self.ended.push(HookTime { units, began, ended, succeeded });
    }

    /// Moves the recorded hooks to the session, where the program can see them.
    pub(super) fn publish(&mut self) {
        if !self.ended.is_empty() {
            self.session.record_hooks(self.run, &mut self.ended);
        }
    }
}
