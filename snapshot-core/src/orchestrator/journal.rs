//! The journal: what was begun, so that exactly that is undone, and the stage that each controller
//! returns to.

use std::ops::Range;

use super::plan::Plan;
use super::report::{ControllerReport, Outcome, Undo};
use super::tree::Tree;
use crate::caught::caught;
use crate::controller::Hook;
use crate::{Error, StageRules};

/// One entry per controller, in the order of the plan.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// What the last hook that was not an undo did.
    outcome: Outcome,
    undo: Undo,
    /// Whether something was begun that is neither undone nor committed.
    touched: bool,
    /// The stage before the freeze, which is the one on the wire.
    stage: Option<i32>,
}

impl Journal {
    /// A journal in which nothing was begun.
    pub(crate) fn new(controllers: usize) -> Self {
        Self { entries: vec![Entry::default(); controllers] }
    }

    /// A journal of imported controllers, with their stages on the wire.
    pub(crate) fn with_stages(stages: impl IntoIterator<Item = Option<i32>>) -> Self {
        let entry = |stage| Entry { stage, ..Entry::default() };
        Self { entries: stages.into_iter().map(entry).collect() }
    }

    /// The stage that a controller is saved in, if it has one.
    pub(crate) fn stage(&self, unit: usize) -> Option<i32> {
        self.entries[unit].stage
    }

    /// Whether a hook of a phase is to run on a controller: all of them, or if it ends something,
    /// those where something was begun.
    pub(crate) fn concerns(&self, hook: Hook, unit: usize) -> bool {
        match hook {
            Hook::Freeze | Hook::Patch | Hook::Resume => true,
            Hook::Thaw | Hook::Abort | Hook::Commit => self.entries[unit].touched,
        }
    }

    /// What was begun on a controller is out of reach: it is gone.
    pub(crate) fn forget(&mut self, unit: usize) {
        self.entries[unit].touched = false;
    }

    pub(crate) fn anything_touched(&self) -> bool {
        self.entries.iter().any(|entry| entry.touched)
    }

    /// A new phase starts.
    pub(crate) fn open(&mut self, hook: Hook) {
        for entry in self.entries.iter_mut().filter(|_| !hook.is_undo()) {
            entry.outcome = Outcome::NotBegun;
        }
    }

    /// A hook starts. Written before its first step, so that what it does is never unrecorded.
    pub(crate) fn begin(&mut self, hook: Hook, unit: usize) {
        let entry = &mut self.entries[unit];
        if !hook.is_undo() {
            entry.outcome = Outcome::CutShort;
            entry.touched = true;
        } else {
            entry.undo = Undo::Failed;
        }
    }

    /// A hook has ended; if it succeeded, the stage follows.
    pub(crate) fn end(
        &mut self,
        hook: Hook,
        unit: usize,
        tree: &Tree,
        result: Result<(), Error>,
    ) -> Result<(), Error> {
        let result = match (result, hook) {
            // Whatever its hook says, the source must never go on beside the destination.
            (Err(error), Hook::Commit) => Error::collect(
                [Some(error), self.settle(hook, unit, tree).err()].into_iter().flatten(),
            ),
            (Err(error), _) => Err(error),
            (Ok(()), _) => self.settle(hook, unit, tree),
        };
        self.close(hook, unit, result.is_ok());
        result
    }

    /// A hook that all of these controllers, which are of one type, leave out: for each, after a call of
    /// `begin`, it begins and ends with nothing in between.
    ///
    /// # Errors
    ///
    /// The first failure, and whose it is. The controllers behind that one are as they were.
    pub(crate) fn pass(
        &mut self,
        hook: Hook,
        units: Range<usize>,
        tree: &Tree,
        begin: impl Fn(usize),
    ) -> Result<(), (usize, Error)> {
        let rules = Self::rules(hook, units.start, tree);
        let mut unit = units.start;
        let passed = caught(|| {
            while unit < units.end {
                begin(unit);
                self.entries[unit].touched = true;
                if let Some(rules) = rules {
                    self.set_stage(hook, unit, tree, rules)?;
                }
                self.close(hook, unit, true);
                unit += 1;
            }
            Ok(())
        });
        passed.map_err(|error| {
            self.close(hook, unit, false);
            (unit, error)
        })
    }

    #[inline]
    fn close(&mut self, hook: Hook, unit: usize, succeeded: bool) {
        let entry = &mut self.entries[unit];
        match (hook.is_undo(), succeeded) {
            (true, true) => {
                entry.undo = Undo::Done;
                entry.touched = false;
            }
            (true, false) => entry.undo = Undo::Failed,
            // There is no second try: the destination is live.
            (false, done) if hook == Hook::Commit => {
                entry.outcome = if done { Outcome::Done } else { Outcome::Failed };
                entry.touched = false;
            }
            (false, true) => entry.outcome = Outcome::Done,
            (false, false) => entry.outcome = Outcome::Failed,
        }
    }

    /// By what rules a hook leaves a stage behind, if it does.
    fn rules(hook: Hook, unit: usize, tree: &Tree) -> Option<&StageRules> {
        tree.plan.info(unit).stage_rules.filter(|_| hook != Hook::Patch)
    }

    /// Sets the stage that a hook leaves behind.
    #[inline]
    fn settle(&mut self, hook: Hook, unit: usize, tree: &Tree) -> Result<(), Error> {
        match Self::rules(hook, unit, tree) {
            Some(rules) => caught(|| self.set_stage(hook, unit, tree, rules)),
            None => Ok(()),
        }
    }

    /// The same by these rules. Panics of the controller's code go through.
    #[inline]
    fn set_stage(
        &mut self,
        hook: Hook,
        unit: usize,
        tree: &Tree,
        rules: &StageRules,
    ) -> Result<(), Error> {
        let node = &tree.nodes()[unit];
        let entry = &mut self.entries[unit];
        let next = match hook {
            Hook::Freeze => {
                // Only now does the stage stand still: the guest may have ended on its own since
                // the phase began.
                return node.freeze_stage(rules, &mut entry.stage);
            }
            Hook::Thaw | Hook::Resume => entry.stage,
            Hook::Patch => None,
            Hook::Commit | Hook::Abort => rules.abort_to,
        };
        match next {
            Some(stage) => node.set_stage_number(stage),
            None => Ok(()),
        }
    }

    /// The tree is given up: sets the stage of the controllers that no abort hook ran for, since
    /// they were built and nothing else.
    pub(crate) fn retire(&mut self, tree: &Tree) {
        for unit in 0..self.entries.len() {
            let Entry { touched, undo, .. } = self.entries[unit];
            if !touched
                && undo == Undo::NotRun
                && let Err(error) = self.settle(Hook::Abort, unit, tree)
            {
                tracing::error!(controller = %tree.id(unit), error = %error.on_one_line(), "its stage could not be set");
            }
        }
    }

    /// The state of every controller, for a report.
    pub(crate) fn report(&self, plan: &Plan) -> Vec<ControllerReport> {
        let units = plan.ids().zip(plan.units()).zip(&self.entries);
        units
            .map(|((id, unit), entry)| ControllerReport {
                id: id.clone(),
                type_url: unit.info.type_url,
                outcome: entry.outcome,
                undo: entry.undo,
            })
            .collect()
    }
}
