//! Hooks that controllers leave out. Nobody calls them; what is done around a hook is done all the same.

use std::time::Instant;

use super::Sweep;
use crate::controller::address;

impl Sweep<'_> {
    /// Whether the type of a controller is known to leave the hook out.
    pub(super) fn leaves_out(&self, unit: usize) -> bool {
        self.left_out.contains_key(&address(self.tree.plan.info(unit)))
    }

    /// Does for a controller that leaves the hook out what is done around it, and for those like it
    /// whose turn is next, but for so many more only; says for how many more. That nobody calls the
    /// hook makes no difference: it would do nothing.
    pub(super) fn pass_by(&mut self, unit: usize, turns: usize, now: Instant) -> usize {
        /// As many go by between two looks around.
        const RUN: usize = 64;
        let (hook, info) = (self.hook, self.tree.plan.info(unit));
        let (mut next, mut more) = (unit, 0);
        loop {
            self.in_flight.begin(next);
            match self.journal.pass(hook, next, self.tree) {
                Ok(()) => {
                    self.recorder.record(next, now, now, true);
                    self.release(next);
                }
                Err(error) => self.ended(next, now, now, Err(error)),
            }
            // Most are of one type, which is told without a look at the table.
            let is_of_type = |step| std::ptr::eq(self.tree.plan.info(step), info);
            let is_like_it =
                |step| self.has_hook(step) && (is_of_type(step) || self.leaves_out(step));
            match self.ready.front() {
                Some(&step) if more < turns.min(RUN) && is_like_it(step) => next = step,
                _ => return more,
            }
            self.ready.pop_front();
            more += 1;
        }
    }

    /// A hook was called. If it said that its controller leaves it out, no other of its type is asked.
    pub(super) fn note_left_out(&mut self, unit: usize) {
        if self.contexts.is_left_out(unit) {
            self.left_out.insert(address(self.tree.plan.info(unit)), ());
        }
    }
}
