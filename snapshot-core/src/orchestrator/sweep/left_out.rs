//! Hooks that controllers leave out. They are not called, but the work around a hook is still done.

use std::ops::Range;
use std::time::Instant;

use super::super::journal::HowEnded;
use super::super::units::Unit;
use super::Sweep;
use crate::controller::address;

impl Sweep<'_> {
    /// Returns whether the type of a controller is known to leave the hook out.
    fn leaves_out(&self, unit: usize) -> bool {
        self.left_out.contains_key(&address(self.tree.plan.info(unit)))
    }

    /// Does the work around the hook for the next controllers in line that leave it out, at most
    /// `turns` of them. Returns their number, which may be 0. The hook itself is not called,
    /// because it would do nothing.
    pub(super) fn pass_by(&mut self, turns: usize, now: Instant) -> usize {
        /// The number of controllers between two looks around.
        const MOST: usize = 64;
        let most = turns.min(MOST);
        let mut passed = 0;
        while let Some(run) = self.next_of_one_type(most - passed) {
            self.ready.take(run.len());
            passed += run.len();
            self.pass_run(run, now);
        }
        passed
    }

    /// Returns the controllers of one type that leave the hook out and are next in line, at most
    /// this many.
    fn next_of_one_type(&self, most: usize) -> Option<Range<usize>> {
        let next = self.ready.first()?;
        let first = next.start;
        if most == 0 || !self.has_hook(first) || !self.leaves_out(first) {
            return None;
        }
        let units = self.tree.plan.units();
        // Groups, which come behind the units, have no hooks.
        let end = next.end.min(units.len()).min(first + most);
        let run = units.get(first..end)?;
        let info = run.first()?.info;
        let is_like_it = |&(unit, other): &(usize, &Unit)| {
            std::ptr::eq(other.info, info) && self.journal.concerns(self.hook, unit)
        };
        let count = (first..).zip(run).take_while(is_like_it).count();
        Some(first..first + count)
    }

    fn pass_run(&mut self, mut run: Range<usize>, now: Instant) {
        let is_leaf = run.start < run.end && self.tree.plan.info(run.start).is_leaf;
        let holds_nothing_up = is_leaf && self.blockers.is_none();
        while !run.is_empty() {
            let failed = self.journal.pass(self.hook, run.clone(), self.tree).err();
            let passed = run.start..failed.as_ref().map_or(run.end, |&(unit, _)| unit);
            run.start = passed.end;
            self.recorder.record(passed.clone(), now, now, true);
            // Each step waits for its parent alone, and these are no parents.
            if !holds_nothing_up {
                self.release(passed);
            }
            if let Some((unit, error)) = failed {
                run.start += 1;
                self.ended(unit, now, now, Err(error));
            }
        }
    }

    /// Notes the result of a hook that was called. If its controller leaves the hook out, no other
    /// controller of the type is called.
    pub(super) fn note_left_out(&mut self, unit: usize) -> HowEnded {
        if self.contexts.is_left_out(unit) {
            self.left_out.insert(address(self.tree.plan.info(unit)), ());
            return HowEnded::LeftOut;
        }
        self.journal.note_called(self.hook, unit);
        HowEnded::ByItself
    }
}
