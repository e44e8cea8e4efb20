//! The steps of a sweep that are ready.

use std::collections::VecDeque;
use std::ops::Range;

/// Steps, first come, first served. Most steps are followed by their neighbours; these are stored
/// as one run.
#[derive(Debug, Default)]
pub(super) struct Ready {
    /// All runs but the last one.
    runs: VecDeque<Range<usize>>,
    /// The last run, which the next step may prolong; empty if there is none.
    last: Range<usize>,
    len: usize,
}

impl Ready {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(super) fn push(&mut self, step: usize) {
        if self.last.end != step || self.last.is_empty() {
            self.begin(step);
        }
        self.last.end += 1;
        self.len += 1;
    }

    /// Begins a run.
    fn begin(&mut self, step: usize) {
        let last = std::mem::replace(&mut self.last, step..step);
        if !last.is_empty() {
            self.runs.push_back(last);
        }
    }

    /// Returns the first step, with the neighbours that follow it.
    pub(super) fn first(&self) -> Option<&Range<usize>> {
        match self.runs.front() {
            None => Some(&self.last).filter(|run| !run.is_empty()),
            first => first,
        }
    }

    /// Removes this many of the [first](Self::first), which are at least as many.
    pub(super) fn take(&mut self, count: usize) {
        let Some(run) = self.runs.front_mut() else {
            self.last.start += count;
            self.len -= count;
            return;
        };
        run.start += count;
        self.len -= count;
        if run.start == run.end {
            self.runs.pop_front();
        }
    }
}

impl Extend<usize> for Ready {
    fn extend<I: IntoIterator<Item = usize>>(&mut self, steps: I) {
        steps.into_iter().for_each(|step| self.push(step));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_have_their_turn_in_the_order_in_which_they_came() {
        let mut ready = Ready::default();
        let steps = [3, 4, 5, 1, 2, 9, 8, 7, 7, 8];
        ready.extend(steps);
        let mut came = Vec::new();
        while let Some(run) = ready.first() {
            assert_eq!(ready.len(), steps.len() - came.len());
            came.push(run.start);
            ready.take(1);
        }
        assert_eq!(came, steps);
        assert!(ready.is_empty());
    }

    #[test]
    fn neighbours_may_be_taken_together() {
        let mut ready = Ready::default();
        ready.extend([3, 4, 5, 1]);
        assert_eq!(ready.first(), Some(&(3..6)));
        ready.take(2);
        assert_eq!(ready.first(), Some(&(5..6)));
        // A step right behind the last one in line.
        ready.push(2);
        ready.take(1);
        assert_eq!(ready.first(), Some(&(1..3)));
        ready.take(2);
        assert!(ready.is_empty() && ready.first().is_none());
    }
}
