//! The journal: what was begun, so that exactly that is undone, and the stage that each controller
//! returns to.

use std::ops::Range;
use std::sync::Arc;

use super::Phase;
use super::plan::Plan;
use super::report::{ControllerReport, Outcome, Undo};
use super::session::Session;
use super::timeline::LateStage;
use super::tree::Tree;
use super::waiting::Waiting;
use crate::caught::{caught, quietly};
use crate::controller::{Hook, Purpose};
use crate::{Error, StageRules};

/// How a hook has ended, beside its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HowEnded {
    /// It has returned or panicked.
    ByItself,
    /// The controller leaves it out, so that there was nothing to run.
    LeftOut,
    /// It was dropped before its end.
    CutShort,
}

impl HowEnded {
    fn succeeded(self) -> Closed {
        match self {
            HowEnded::ByItself | HowEnded::CutShort => Closed::Done,
            HowEnded::LeftOut => Closed::LeftOut,
        }
    }

    fn failed(self) -> Closed {
        match self {
            HowEnded::ByItself | HowEnded::LeftOut => Closed::Failed,
            HowEnded::CutShort => Closed::CutShort,
        }
    }
}

/// What goes into an entry at the end of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closed {
    Done,
    LeftOut,
    Failed,
    CutShort,
}

/// One entry per controller, in the order of the plan.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    entries: Vec<Entry>,
    late_stages: Vec<LateEntry>,
    purpose: Purpose,
}

/// A stage that a controller has entered on its own after a phase had left it in another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LateEntry {
    pub(crate) unit: usize,
    /// The hook after which it was seen.
    pub(crate) hook: Hook,
    /// The stage that the phase before had left.
    pub(crate) expected: i32,
    pub(crate) found: i32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// What the last hook that was not an undo did.
    outcome: Outcome,
    undo: Undo,
    /// Whether something was begun that is neither undone nor committed.
    touched: bool,
    /// Whether a hook was called that needs an undo: one that its controller does not leave out.
    acted: bool,
    /// Whether an undo has ended, with a hook or without one.
    undone: bool,
    /// The stage before the freeze, which is the one on the wire.
    stage: Option<i32>,
    /// The stage that the freeze has left it in; `None` if it has set none.
    left: Option<i32>,
}

impl Journal {
    /// A journal in which nothing was begun.
    pub(crate) fn new(controllers: usize) -> Self {
        let entries = vec![Entry::default(); controllers];
        Self { entries, late_stages: Vec::new(), purpose: Purpose::Migration }
    }

    /// A journal of imported controllers, with their stages on the wire.
    pub(crate) fn with_stages(stages: impl IntoIterator<Item = Option<i32>>) -> Self {
        let entry = |stage| Entry { stage, ..Entry::default() };
        let entries = stages.into_iter().map(entry).collect();
        Self { entries, late_stages: Vec::new(), purpose: Purpose::Rehearsal }
    }

    /// The journal of a tree that took the place of the one that this is of: `stages` are those of the
    /// later snapshot, `kept` says per controller which one of this journal it is.
    pub(crate) fn refreshed(&self, stages: &[Option<i32>], kept: &[Option<usize>]) -> Self {
        let entries = stages.iter().zip(kept).map(|(&stage, &kept)| {
            let before = kept.and_then(|unit| self.entries.get(unit)).copied().unwrap_or_default();
            Entry { stage, ..before }
        });
        Self { entries: entries.collect(), late_stages: Vec::new(), purpose: self.purpose }
    }

    /// The journal of those that have no place in a later tree, as all the others need no undo.
    pub(crate) fn of_gone(mut self, is_gone: impl Fn(usize) -> bool) -> Self {
        let entries = self.entries.iter_mut().enumerate();
        for (_, entry) in entries.filter(|(unit, _)| !is_gone(*unit)) {
            (entry.touched, entry.undone) = (false, true);
        }
        self
    }

    /// What a hook that runs next is for.
    pub(crate) fn purpose_of(&self, hook: Hook) -> Purpose {
        match hook {
            Hook::Abort => self.purpose,
            Hook::Prepare => Purpose::Rehearsal,
            _ => Purpose::Migration,
        }
    }

    /// The stage that an imported controller has until it is resumed, if it has one.
    pub(crate) fn imported_stage(&self, unit: usize, rules: &StageRules) -> Option<i32> {
        rules.import_as.or(self.entries[unit].stage)
    }

    /// The stage that a controller is saved in, if it has one.
    pub(crate) fn stage(&self, unit: usize) -> Option<i32> {
        self.entries[unit].stage
    }

    /// The stage that the freeze has left a controller in, if it has one.
    pub(crate) fn frozen_stage(&self, unit: usize) -> Option<i32> {
        self.entries[unit].left
    }

    /// Whether a hook of a phase is to run on a controller: all of them, or if it ends something,
    /// those where something was begun.
    #[inline]
    pub(crate) fn concerns(&self, hook: Hook, unit: usize) -> bool {
        match hook {
            Hook::Freeze | Hook::Prepare | Hook::Patch | Hook::Resume => true,
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
        if matches!(hook, Hook::Patch | Hook::Resume) {
            self.purpose = Purpose::Migration;
        }
        for entry in self.entries.iter_mut().filter(|_| !hook.is_undo()) {
            entry.outcome = Outcome::NotBegun;
        }
    }

    /// A hook starts. Written before its first step, so that what it does is never unrecorded. A hook that
    /// leads back to the stage before the migration finds the controller in it.
    ///
    /// # Errors
    ///
    /// If that stage cannot be set. Then the hook must not run.
    pub(crate) fn begin(&mut self, hook: Hook, unit: usize, tree: &Tree) -> Result<(), Error> {
        let entry = &mut self.entries[unit];
        if !hook.is_undo() {
            entry.outcome = Outcome::CutShort;
            entry.touched = true;
        } else {
            entry.undo = Undo::Failed;
        }
        match hook {
            Hook::Thaw | Hook::Resume => self.settle(hook, unit, tree),
            Hook::Freeze | Hook::Commit | Hook::Prepare | Hook::Patch | Hook::Abort => Ok(()),
        }
    }

    /// Puts a controller back into the stage that it had before a hook that did not succeed, unless the
    /// controller is in another one by now.
    pub(crate) fn put_back(&mut self, hook: Hook, unit: usize, tree: &Tree) -> Result<(), Error> {
        let entry = self.entries[unit];
        let Some(rules) = Self::rules(hook, unit, tree) else { return Ok(()) };
        let from = match hook {
            Hook::Thaw => entry.left,
            Hook::Resume => rules.import_as.or(entry.stage),
            Hook::Freeze | Hook::Commit | Hook::Prepare | Hook::Patch | Hook::Abort => {
                return Ok(());
            }
        };
        match entry.stage {
            Some(led_to) if from.is_some() => {
                caught(|| tree.nodes()[unit].leave_stage(led_to, from, true, &mut None))
            }
            _ => Ok(()),
        }
    }

    /// A hook was called that its controller does not leave out.
    pub(crate) fn note_called(&mut self, hook: Hook, unit: usize) {
        self.entries[unit].acted |= hook.can_stop();
    }

    /// A hook has ended; if it succeeded, the stage follows that the hook leads to, unless the
    /// controller had it from the beginning of the hook on.
    pub(crate) fn end(
        &mut self,
        hook: Hook,
        unit: usize,
        tree: &Tree,
        (how, result): (HowEnded, Result<(), Error>),
    ) -> Result<(), Error> {
        let result = match (result, hook) {
            // Whatever its hook says, the source must never go on beside the destination.
            (Err(error), Hook::Commit) => Error::collect(
                [Some(error), self.settle(hook, unit, tree).err()].into_iter().flatten(),
            ),
            (Err(error), Hook::Thaw | Hook::Resume) => {
                let put_back = self.put_back(hook, unit, tree).err();
                Error::collect([Some(error), put_back].into_iter().flatten())
            }
            (Err(error), _) => Err(error),
            (Ok(()), Hook::Thaw | Hook::Resume) => Ok(()),
            (Ok(()), _) => self.settle(hook, unit, tree),
        };
        self.close(hook, unit, result.as_ref().map_or_else(|_| how.failed(), |()| how.succeeded()));
        self.warn_if_nothing_was_undone(hook, unit, tree);
        result
    }

    /// A hook that all of these controllers, which are of one type, leave out: for each it begins and
    /// ends with nothing in between.
    ///
    /// # Errors
    ///
    /// The first failure, and whose it is. The controllers behind that one are as they were.
    pub(crate) fn pass(
        &mut self,
        hook: Hook,
        units: Range<usize>,
        tree: &Tree,
    ) -> Result<(), (usize, Error)> {
        let rules = Self::rules(hook, units.start, tree);
        let mut unit = units.start;
        let passed = caught(|| {
            while unit < units.end {
                self.entries[unit].touched = true;
                if let Some(rules) = rules {
                    self.set_stage(hook, unit, tree, rules)?;
                }
                self.close(hook, unit, Closed::LeftOut);
                self.warn_if_nothing_was_undone(hook, unit, tree);
                unit += 1;
            }
            Ok(())
        });
        passed.map_err(|error| {
            self.close(hook, unit, Closed::Failed);
            (unit, error)
        })
    }

    #[inline]
    fn close(&mut self, hook: Hook, unit: usize, closed: Closed) {
        let entry = &mut self.entries[unit];
        if hook.is_undo() {
            entry.undo = match closed {
                Closed::Done => Undo::Done,
                Closed::LeftOut if entry.acted => Undo::Nothing,
                Closed::LeftOut => Undo::NotRun,
                Closed::Failed | Closed::CutShort => Undo::Failed,
            };
            entry.undone = matches!(closed, Closed::Done | Closed::LeftOut);
            entry.touched = !entry.undone;
            return;
        }
        entry.outcome = match closed {
            Closed::Done | Closed::LeftOut => Outcome::Done,
            Closed::Failed => Outcome::Failed,
            Closed::CutShort => Outcome::CutShort,
        };
        if hook == Hook::Commit {
            // There is no second try: the destination is live.
            entry.touched = false;
        }
    }

    /// Logs that the undo of a controller has undone nothing, since no hook was written for it.
    #[inline]
    fn warn_if_nothing_was_undone(&self, hook: Hook, unit: usize, tree: &Tree) {
        if self.entries[unit].undo == Undo::Nothing && hook.is_undo() {
            warn_of_nothing(hook, unit, tree);
        }
    }

    /// By what rules a hook leads to a stage, if it does.
    fn rules(hook: Hook, unit: usize, tree: &Tree) -> Option<&StageRules> {
        let sets_none = matches!(hook, Hook::Prepare | Hook::Patch);
        tree.plan.info(unit).stage_rules.filter(|_| !sets_none)
    }

    /// Sets the stage that a hook leads to.
    #[inline]
    fn settle(&mut self, hook: Hook, unit: usize, tree: &Tree) -> Result<(), Error> {
        match Self::rules(hook, unit, tree) {
            Some(rules) => caught(|| self.set_stage(hook, unit, tree, rules)),
            None => Ok(()),
        }
    }

    /// The same by these rules. Panics of the controller's code go through.
    // In line: a call costs a controller that leaves a hook out as much as all else that is done for it.
    #[inline(always)]
    fn set_stage(
        &mut self,
        hook: Hook,
        unit: usize,
        tree: &Tree,
        rules: &StageRules,
    ) -> Result<(), Error> {
        let node = &tree.nodes()[unit];
        let entry = &mut self.entries[unit];
        // From which stage to which, and whether a stage that the controller has entered on its own
        // is kept.
        let (expected, next, keeps_own) = match hook {
            Hook::Freeze => {
                // Only now does the stage stand still: the guest may have ended on its own since
                // the phase began.
                node.freeze_stage(rules, &mut entry.stage)?;
                entry.left = rules.freeze_to.or(entry.stage);
                return Ok(());
            }
            Hook::Thaw => (entry.left, entry.stage, true),
            Hook::Resume => (rules.import_as.or(entry.stage), entry.stage, true),
            // The source is over, whatever has become of it.
            Hook::Commit => (entry.left, rules.abort_to, false),
            Hook::Prepare | Hook::Patch => return Ok(()),
            Hook::Abort => {
                return rules.abort_to.map_or(Ok(()), |stage| node.set_stage_number(stage));
            }
        };
        // Without one, the freeze had not come as far as the stage.
        let Some(expected) = expected else { return Ok(()) };
        let mut own = None;
        node.leave_stage(expected, next, keeps_own, &mut own)?;
        // A hook may have done what is done here.
        if let Some(found) = own.filter(|&own| !keeps_own || next != Some(own)) {
            self.note_late_stage(LateEntry { unit, hook, expected, found }, tree, rules);
        }
        Ok(())
    }

    #[cold]
    fn note_late_stage(&mut self, late: LateEntry, tree: &Tree, rules: &StageRules) {
        let (expected, found) = (rules.name(late.expected), rules.name(late.found));
        let (phase, type_url) = (late.hook.phase().as_str(), tree.plan.info(late.unit).type_url);
        self.late_stages.push(late);
        quietly(|| {
            tracing::warn!(
                controller = %tree.id(late.unit), type_url, phase, expected, found,
                kept = late.hook != Hook::Commit,
                "the stage has changed since the phase before"
            );
        });
    }

    /// Returns how many stages controllers have entered on their own.
    pub(crate) fn late_stage_count(&self) -> usize {
        self.late_stages.len()
    }

    /// Returns the stages that controllers have entered on their own, without the first `known`.
    pub(crate) fn late_stages_after(&self, known: usize, plan: &Plan) -> Vec<LateStage> {
        let named = |late: &LateEntry| {
            let info = plan.info(late.unit);
            let rules = info.stage_rules?;
            Some(LateStage {
                id: plan.id(late.unit).clone(),
                type_url: info.type_url,
                phase: late.hook.phase(),
                expected: rules.name(late.expected),
                found: rules.name(late.found),
                kept: late.hook != Hook::Commit,
            })
        };
        self.late_stages.iter().skip(known).filter_map(named).collect()
    }

    /// Forgets them.
    pub(crate) fn clear_late_stages(&mut self) {
        self.late_stages.clear();
    }

    /// The same as the findings of a commit: the destination has an older stage.
    pub(crate) fn late_stage_errors(&self, tree: &Tree) -> Vec<Error> {
        let late = self.late_stages.iter().filter(|late| late.hook == Hook::Commit);
        let error = |&LateEntry { unit, expected, found, .. }: &LateEntry| {
            let rules = tree.plan.info(unit).stage_rules?;
            let (expected, found) = (rules.name(expected), rules.name(found));
            let saved = self.stage(unit).map_or("(unknown)", |stage| rules.name(stage));
            let reason = format!(
                "its stage changed from {expected} to {found} while it was moved: the destination \
                 has it as {saved}; make the change there"
            );
            Some(Error::precondition(reason).at_controller(tree.id(unit)))
        };
        late.filter_map(error).collect()
    }

    /// The tree is given up: sets the stage of the controllers that no abort hook ran for, since
    /// they were built and nothing else.
    pub(crate) fn retire(&mut self, tree: &Arc<Tree>, session: &Session) {
        let waiting = Waiting::of_session(Phase::Abort, session);
        waiting.know(Arc::clone(tree) as _);
        // Without a timer nobody says who is waited for.
        let _watch = waiting.watch();
        waiting.during(|| self.retire_each(tree));
    }

    fn retire_each(&mut self, tree: &Tree) {
        for unit in 0..self.entries.len() {
            let Entry { touched, undone, .. } = self.entries[unit];
            if !touched
                && !undone
                && let Err(error) = self.settle(Hook::Abort, unit, tree)
            {
                quietly(|| {
                    let (controller, error) = (tree.id(unit), error.on_one_line());
                    tracing::error!(%controller, %error, "its stage could not be set");
                });
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

#[cold]
fn warn_of_nothing(hook: Hook, unit: usize, tree: &Tree) {
    let (phase, type_url) = (hook.phase().as_str(), tree.plan.info(unit).type_url);
    quietly(|| {
        tracing::warn!(
            controller = %tree.id(unit), type_url, phase,
            "nothing was undone: the controller has no {} hook", hook.as_str()
        );
    });
}
