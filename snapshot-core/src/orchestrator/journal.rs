//! The journal: records the hooks that were begun, so that exactly these are undone, and the stage
//! to which each controller returns.

use std::ops::Range;
use std::sync::Arc;

use super::Phase;
use super::plan::TreePlan;
use super::report::{ControllerReport, Outcome, Undo};
use super::session::Session;
use super::timeline::LateStage;
use super::tree::Tree;
use super::waiting::Waiting;
use crate::controller::lock::{Board, with_board};
use crate::controller::{Hook, Node, Purpose};
use crate::panics::{caught, quietly};
use crate::{Error, StageRules};

/// The way in which a hook has ended, besides its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HowEnded {
    /// It has returned or panicked.
    ByItself,
    /// The controller leaves it out, so nothing ran.
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

/// The part of an entry that the end of a hook sets.
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
    entries: Vec<JournalEntry>,
    late_stages: Vec<LateEntry>,
    purpose: Purpose,
}

/// A stage that a controller has entered on its own, after a phase had left it in another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LateEntry {
    pub(crate) unit: usize,
    /// The hook after which it was found.
    pub(crate) hook: Hook,
    /// The stage in which the previous phase had left it.
    pub(crate) expected: i32,
    pub(crate) found: i32,
}

#[derive(Clone, Copy, Debug, Default)]
struct JournalEntry {
    /// The result of the last hook that was not an undo.
    outcome: Outcome,
    undo: Undo,
    /// Whether something was begun that is neither undone nor committed.
    touched: bool,
    /// Whether a hook was called that needs an undo, that is, one that its controller does not
    /// leave out.
    acted: bool,
    /// Whether an undo has ended, with or without a hook.
    undone: bool,
    /// The stage before the freeze, which is the one on the wire.
    stage: Option<i32>,
    /// The stage in which the freeze left it; `None` if it set none.
    left: Option<i32>,
}

/// A stage that a controller has entered on its own, and the one that was expected.
struct OwnStage {
    expected: i32,
    found: i32,
}

impl OwnStage {
    fn of(self, hook: Hook, unit: usize) -> LateEntry {
        LateEntry { unit, hook, expected: self.expected, found: self.found }
    }
}

impl JournalEntry {
    /// Sets the stage to which a hook leads by these rules. Returns a stage that the controller has
    /// entered on its own. Panics of the controller's code are not caught here.
    // In line: a call costs a controller that leaves a hook out as much as all else that is done for it.
    #[inline(always)]
    fn set_stage(
        &mut self,
        hook: Hook,
        node: &dyn Node,
        rules: &StageRules,
        board: Option<&Board>,
    ) -> Result<Option<OwnStage>, Error> {
        // The stage that is expected, the stage that is next, and whether a stage that the
        // controller has entered on its own is kept.
        let (expected, next, keeps_own) = match hook {
            Hook::Freeze => {
                // The stage stands still only now: the guest may have ended on its own since the
                // phase began.
                node.freeze_stage(rules, &mut self.stage, board)?;
                self.left = rules.freeze_to.or(self.stage);
                return Ok(None);
            }
            Hook::Thaw => (self.left, self.stage, true),
            Hook::Resume => (rules.import_as.or(self.stage), self.stage, true),
            // The source is over, whatever happened to it.
            Hook::Commit => (self.left, rules.abort_to, false),
            Hook::Prepare | Hook::Patch => return Ok(None),
            Hook::Abort => {
                let Some(stage) = rules.abort_to else { return Ok(None) };
                return node.set_stage_number(stage, board).map(|()| None);
            }
        };
        // Without one, the freeze had not reached the stage.
        let Some(expected) = expected else { return Ok(None) };
        let mut own = None;
        node.leave_stage(expected, next, keeps_own, &mut own, board)?;
        // The hook may have set the stage itself.
        let late = own.filter(|&own| !keeps_own || next != Some(own));
        Ok(late.map(|found| OwnStage { expected, found }))
    }

    /// Records the end of a hook.
    #[inline(always)]
    fn close(&mut self, hook: Hook, closed: Closed) {
        if hook.is_undo() {
            self.undo = match closed {
                Closed::Done => Undo::Done,
                Closed::LeftOut if self.acted => Undo::Nothing,
                Closed::LeftOut => Undo::NotRun,
                Closed::Failed | Closed::CutShort => Undo::Failed,
            };
            self.undone = matches!(closed, Closed::Done | Closed::LeftOut);
            self.touched = !self.undone;
            return;
        }
        self.outcome = match closed {
            Closed::Done | Closed::LeftOut => Outcome::Done,
            Closed::Failed => Outcome::Failed,
            Closed::CutShort => Outcome::CutShort,
        };
        if hook == Hook::Commit {
            // There is no second try: the destination is live.
            self.touched = false;
        }
    }

    /// Returns whether this hook was an undo and has undone nothing, because the controller has no
    /// such hook.
    #[inline]
    fn has_undone_nothing(&self, hook: Hook) -> bool {
        self.undo == Undo::Nothing && hook.is_undo()
    }
}

impl Journal {
    /// Creates a journal in which nothing was begun.
    pub(crate) fn new(controllers: usize) -> Self {
        let entries = vec![JournalEntry::default(); controllers];
        Self { entries, late_stages: Vec::new(), purpose: Purpose::Migration }
    }

    /// Creates a journal of imported controllers, with their stages on the wire.
    pub(crate) fn with_stages(stages: impl IntoIterator<Item = Option<i32>>) -> Self {
        let entry = |stage| JournalEntry { stage, ..JournalEntry::default() };
        let entries = stages.into_iter().map(entry).collect();
        Self { entries, late_stages: Vec::new(), purpose: Purpose::Rehearsal }
    }

    /// Creates the journal of a later tree that replaces the tree of this one. `stages` are those
    /// of the later snapshot; `kept` has, for each controller, its unit in this journal.
    pub(crate) fn refreshed(&self, stages: &[Option<i32>], kept: &[Option<usize>]) -> Self {
        let entries = stages.iter().zip(kept).map(|(&stage, &kept)| {
            let before = kept.and_then(|unit| self.entries.get(unit)).copied().unwrap_or_default();
            JournalEntry { stage, ..before }
        });
        Self { entries: entries.collect(), late_stages: Vec::new(), purpose: self.purpose }
    }

    /// Creates the journal of the controllers that have no place in a later tree. All others need
    /// no undo.
    pub(crate) fn of_gone(mut self, is_gone: impl Fn(usize) -> bool) -> Self {
        let entries = self.entries.iter_mut().enumerate();
        for (_, entry) in entries.filter(|(unit, _)| !is_gone(*unit)) {
            (entry.touched, entry.undone) = (false, true);
        }
        self
    }

    /// Returns the purpose of a hook that runs next.
    pub(crate) fn purpose_of(&self, hook: Hook) -> Purpose {
        match hook {
            Hook::Abort => self.purpose,
            Hook::Prepare => Purpose::Rehearsal,
            _ => Purpose::Migration,
        }
    }

    /// Returns the stage that an imported controller has until it is resumed, if it has one.
    pub(crate) fn imported_stage(&self, unit: usize, rules: &StageRules) -> Option<i32> {
        rules.import_as.or(self.entries[unit].stage)
    }

    /// Returns the stage in which a controller is saved, if it has one.
    pub(crate) fn stage(&self, unit: usize) -> Option<i32> {
        self.entries[unit].stage
    }

    /// Returns the stage in which the freeze left a controller, if it has one.
    pub(crate) fn frozen_stage(&self, unit: usize) -> Option<i32> {
        self.entries[unit].left
    }

    /// Returns whether a hook of a phase is to run on a controller. If the hook ends something, it
    /// runs only where something was begun.
    #[inline]
    pub(crate) fn concerns(&self, hook: Hook, unit: usize) -> bool {
        match hook {
            Hook::Freeze | Hook::Prepare | Hook::Patch | Hook::Resume => true,
            Hook::Thaw | Hook::Abort | Hook::Commit => self.entries[unit].touched,
        }
    }

    /// Forgets the hooks of a controller that is gone, because they can no longer be undone.
    pub(crate) fn forget(&mut self, unit: usize) {
        self.entries[unit].touched = false;
    }

    pub(crate) fn anything_touched(&self) -> bool {
        self.entries.iter().any(|entry| entry.touched)
    }

    /// Begins a new phase.
    pub(crate) fn open(&mut self, hook: Hook) {
        if matches!(hook, Hook::Patch | Hook::Resume) {
            self.purpose = Purpose::Migration;
        }
        for entry in self.entries.iter_mut().filter(|_| !hook.is_undo()) {
            entry.outcome = Outcome::NotBegun;
        }
    }

    /// Records the start of a hook. It is recorded before the first step, so that no effect is
    /// unrecorded. A hook that leads back to the stage before the migration finds the controller in
    /// that stage.
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

    /// Puts a controller back into the stage that it had before a hook that did not succeed, unless
    /// the controller has entered another one meanwhile.
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
            Some(led_to) if from.is_some() => with_board(|board| {
                let node = &tree.nodes()[unit];
                caught(|| node.leave_stage(led_to, from, true, &mut None, board))
            }),
            _ => Ok(()),
        }
    }

    /// Records the call of a hook that its controller does not leave out.
    pub(crate) fn note_called(&mut self, hook: Hook, unit: usize) {
        self.entries[unit].acted |= hook.can_stop();
    }

    /// Records the end of a hook. If it succeeded, sets the stage to which the hook leads, unless
    /// the controller had that stage from the beginning of the hook.
    pub(crate) fn end(
        &mut self,
        hook: Hook,
        unit: usize,
        tree: &Tree,
        (how, result): (HowEnded, Result<(), Error>),
    ) -> Result<(), Error> {
        let result = match (result, hook) {
            // Whatever its hook returns, the source must never continue beside the destination.
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
        let entry = &mut self.entries[unit];
        entry.close(hook, result.as_ref().map_or_else(|_| how.failed(), |()| how.succeeded()));
        if entry.has_undone_nothing(hook) {
            warn_of_nothing(hook, unit, tree);
        }
        result
    }

    /// Records a hook that all of these controllers, which are of one type, leave out: for each it
    /// begins and ends at once.
    ///
    /// # Errors
    ///
    /// The first failure, with its controller. The controllers behind that one are unchanged.
    pub(crate) fn pass(
        &mut self,
        hook: Hook,
        units: Range<usize>,
        tree: &Tree,
    ) -> Result<(), (usize, Error)> {
        let rules = Self::rules(hook, units.start, tree);
        let mut unit = units.start;
        let passed = with_board(|board| {
            // A loop for each hook that all controllers have in a migration: what follows from the
            // hook is then decided before the loop.
            caught(|| match hook {
                Hook::Freeze => {
                    self.pass_each(Hook::Freeze, units, &mut unit, (tree, rules), board)
                }
                Hook::Patch => self.pass_each(Hook::Patch, units, &mut unit, (tree, rules), board),
                Hook::Resume => {
                    self.pass_each(Hook::Resume, units, &mut unit, (tree, rules), board)
                }
                Hook::Thaw => self.pass_each(Hook::Thaw, units, &mut unit, (tree, rules), board),
                Hook::Commit | Hook::Prepare | Hook::Abort => {
                    self.pass_each(hook, units, &mut unit, (tree, rules), board)
                }
            })
        });
        passed.map_err(|error| {
            self.entries[unit].close(hook, Closed::Failed);
            (unit, error)
        })
    }

    /// Passes these units one by one. `unit` is the one whose turn it is.
    #[inline(always)]
    fn pass_each(
        &mut self,
        hook: Hook,
        units: Range<usize>,
        unit: &mut usize,
        (tree, rules): (&Tree, Option<&StageRules>),
        board: Option<&Board>,
    ) -> Result<(), Error> {
        let Self { entries, late_stages, .. } = self;
        let entries = entries.get_mut(units.clone()).unwrap_or_default();
        let nodes = tree.nodes().get(units).unwrap_or_default();
        for (entry, node) in entries.iter_mut().zip(nodes) {
            entry.touched = true;
            if let Some(rules) = rules
                && let Some(late) = entry.set_stage(hook, &**node, rules, board)?
            {
                note_late_stage(late_stages, late.of(hook, *unit), tree, rules);
            }
            entry.close(hook, Closed::LeftOut);
            if entry.has_undone_nothing(hook) {
                warn_of_nothing(hook, *unit, tree);
            }
            *unit += 1;
        }
        Ok(())
    }

    /// Returns the rules by which a hook leads to a stage, if it does.
    fn rules(hook: Hook, unit: usize, tree: &Tree) -> Option<&StageRules> {
        let sets_none = matches!(hook, Hook::Prepare | Hook::Patch);
        tree.plan.info(unit).stage_rules.filter(|_| !sets_none)
    }

    /// Sets the stage to which a hook leads.
    #[inline]
    fn settle(&mut self, hook: Hook, unit: usize, tree: &Tree) -> Result<(), Error> {
        let Some(rules) = Self::rules(hook, unit, tree) else { return Ok(()) };
        let Self { entries, late_stages, .. } = self;
        let (entry, node) = (&mut entries[unit], &*tree.nodes()[unit]);
        let late = with_board(|board| caught(|| entry.set_stage(hook, node, rules, board)))?;
        if let Some(late) = late {
            note_late_stage(late_stages, late.of(hook, unit), tree, rules);
        }
        Ok(())
    }

    /// Returns how many stages controllers have entered on their own.
    pub(crate) fn late_stage_count(&self) -> usize {
        self.late_stages.len()
    }

    /// Returns the stages that controllers have entered on their own, without the first `known`.
    pub(crate) fn late_stages_after(&self, known: usize, plan: &TreePlan) -> Vec<LateStage> {
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

    /// Returns the same as the findings of a commit: the destination has an older stage.
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

    /// Gives the tree up: sets the stage of the controllers for which no abort hook ran, because
    /// they were built and nothing else.
    pub(crate) fn retire(&mut self, tree: &Arc<Tree>, session: &Session) {
        let waiting = Waiting::of_session(Phase::Abort, session);
        waiting.know(Arc::clone(tree) as _);
        // Without a timer, a long wait is not reported.
        let _watch = waiting.watch();
        waiting.during(|| self.retire_each(tree));
    }

    fn retire_each(&mut self, tree: &Tree) {
        for unit in 0..self.entries.len() {
            let JournalEntry { touched, undone, .. } = self.entries[unit];
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

    /// Returns the state of every controller, for a report.
    pub(crate) fn report(&self, plan: &TreePlan) -> Vec<ControllerReport> {
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
fn note_late_stage(
    late_stages: &mut Vec<LateEntry>,
    late: LateEntry,
    tree: &Tree,
    rules: &StageRules,
) {
    let (expected, found) = (rules.name(late.expected), rules.name(late.found));
    let (phase, type_url) = (late.hook.phase().as_str(), tree.plan.info(late.unit).type_url);
    late_stages.push(late);
    quietly(|| {
        tracing::warn!(
            controller = %tree.id(late.unit), type_url, phase, expected, found,
            kept = late.hook != Hook::Commit,
            "the stage has changed since the phase before"
        );
    });
}

/// Logs that the undo of a controller has undone nothing, because the controller has no such hook.
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
