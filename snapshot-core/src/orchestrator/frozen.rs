//! A frozen source: its operations until its end, and the comparisons of a save.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::changes::When;
use super::end::End;
use super::left_behind;
use super::progress::{self, Entered, tell};
use super::reference_check::{and_references, check_references};
use super::timer::Sleep;
use super::transaction::Transaction;
use super::tree_save::{Allowances, LeftField, TreeSave, type_url_for};
use super::waiting::Waiting;
use super::{Failure, Phase};
use crate::controller::{ChangedStage, FrozenTree, Node, Stranger};
use crate::envelope::{SaveBuffer, Snapshot};
use crate::error::Finding;
use crate::panics::{caught, quietly};
use crate::{Controller, Error, Payload};

/// A tree that stands still and can be saved, as often as needed.
///
/// Until its end no controller of it may be added, removed, replaced or moved, and no second
/// migration may include one of its controllers. A violation is an error that names the id: the
/// save, the commit and the rollback report it, or the second migration.
///
/// # Stages
///
/// A controller may still enter a stage on its own. For example, a guest's process exits and the
/// event comes late. Such a stage is never overwritten silently:
///
/// | found at | the stage | reported in |
/// |---|---|---|
/// | the save | it stays | the save is refused, [`Code::FailedPrecondition`](crate::Code::FailedPrecondition) |
/// | the rollback, before `thaw` | it stays | [`Timeline::late_stages`](crate::Timeline::late_stages), an event |
/// | the commit | becomes `abort_to`, if there is one, because the source is over | the commit's
/// [`Failure`], [`Timeline::late_stages`](crate::Timeline::late_stages), an event |
///
/// On the destination, a stage that a controller enters between import and resume stays, even if
/// its `patch` sets it, and is reported as before `thaw`. A `commit` hook leaves the stage alone.
///
/// It ends by [`commit`](Frozen::commit) or [`rollback`](Frozen::rollback). If it is dropped
/// instead, an error is logged and the controllers stay frozen until [`Source::recover`](crate::Source::recover).
#[must_use = "a frozen source stays frozen until commit or rollback"]
pub struct Frozen<R: Controller> {
    pub(super) root: Arc<R>,
    pub(super) transaction: Transaction,
    /// Logs when the blackout budget is used up. It is only kept alive here.
    pub(super) over_budget: Option<Sleep>,
    /// What is saved in another way for the destination.
    pub(super) allowances: Option<Arc<Allowances>>,
    /// What stays behind, as the preflight has reported it.
    pub(super) reported: Vec<LeftField>,
    /// The memory for the next save, prepared before the freeze.
    pub(super) buffer: Mutex<SaveBuffer>,
}

impl<R: Controller> Frozen<R> {
    /// Returns the root of the tree.
    pub fn root(&self) -> &Arc<R> {
        &self.root
    }

    /// Returns the remaining blackout budget of the session; `None` if it has none.
    pub fn blackout_left(&self) -> Option<Duration> {
        self.transaction.session.blackout_left()
    }

    /// Encodes the tree, into memory that was prepared before the freeze if there was a
    /// [`Source::preflight`](crate::Source::preflight). Every controller is saved in the stage that it
    /// had before the freeze, and in the schema version that the preflight has chosen for the
    /// destination.
    ///
    /// # Errors
    ///
    /// Every value that cannot be encoded, with its controller and field; every value that would be
    /// lost in the older version that the destination asks for; every reference that does not
    /// resolve and every name that is defined twice. Also if the blackout budget is used up. The
    /// tree stays frozen: roll back, or try again.
    ///
    /// [`Code::FailedPrecondition`](crate::Code::FailedPrecondition) if the tree does not stand
    /// still: one finding for every controller that was added, removed, replaced or moved since the
    /// freeze, or has changed its stage. [`Code::Cancelled`](crate::Code::Cancelled) if the session
    /// was cancelled. Then roll back.
    pub fn save(&self) -> Result<Snapshot, Error> {
        let kept = || self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = std::mem::take(&mut *kept());
        if let Err(error) = self.save_into(&mut buffer) {
            *kept() = buffer;
            return Err(error);
        }
        buffer.into_snapshot()
    }

    /// Saves as [`Frozen::save`] does, into memory that the next save uses again.
    ///
    /// # Errors
    ///
    /// As [`Frozen::save`].
    pub fn save_into<'b>(&self, buffer: &'b mut SaveBuffer) -> Result<&'b [u8], Error> {
        let Transaction { session, .. } = &self.transaction;
        let phase = Phase::Save;
        let span = progress::span(|| tracing::info_span!("phase", phase = phase.as_str()));
        let controllers = self.transaction.tree.nodes().len();
        tell(session.observer(), phase, None, |observer| {
            observer.phase_started(phase, controllers);
        });
        let began = Instant::now();
        let in_span = Entered::into(&span);
        let result = session
            .check_cancelled()
            .and_then(|()| session.check_blackout())
            .and_then(|()| caught(|| self.check_faults()))
            .and_then(|()| self.encode_whole(buffer));
        match &result {
            Ok(()) => {
                let bytes = buffer.as_bytes().len();
                quietly(|| tracing::info!(controllers, bytes, took = ?began.elapsed(), "done"));
            }
            Err(error) => {
                let error = error.on_one_line();
                quietly(|| tracing::error!(took = ?began.elapsed(), %error, "failed"));
                buffer.clear();
            }
        }
        drop(in_span);
        session.record_phase(phase, began.elapsed(), result.is_ok());
        tell(session.observer(), phase, None, |observer| {
            observer.phase_ended(phase, result.as_ref().map(|&()| ()));
        });
        result.map(|()| buffer.as_bytes())
    }

    /// Encodes the tree and checks its references. Reports all problems together.
    fn encode_whole(&self, buffer: &mut SaveBuffer) -> Result<(), Error> {
        let Transaction { tree, session, .. } = &self.transaction;
        let waiting = Waiting::of_session(Phase::Save, session);
        waiting.know(Arc::clone(tree) as _);
        let _watch = waiting.watch()?;
        let result = waiting.during(|| match caught(|| self.encode(buffer)) {
            Ok(()) => check_references(tree, &*self.root),
            Err(error) => Err(and_references(error, tree, &*self.root)),
        });
        result.map_err(|error| error.named(|address| tree.id_at(address)))
    }

    fn check_faults(&self) -> Result<(), Error> {
        let Transaction { tree, session, .. } = &self.transaction;
        if session.faults().is_empty() {
            return Ok(());
        }
        let check = |id| session.faults().check(Phase::Save, id).map_err(|e| e.at_controller(id));
        tree.plan.ids().try_for_each(check)
    }

    fn encode(&self, buffer: &mut SaveBuffer) -> Result<(), Error> {
        let Transaction { tree, journal, session, .. } = &self.transaction;
        let mut frozen = FrozenTree::with_capacity(tree.nodes().len());
        for (unit, (node, planned)) in tree.nodes().iter().zip(tree.plan.units()).enumerate() {
            let (before, left) = (journal.stage(unit), journal.frozen_stage(unit));
            frozen.push(&**node, planned.parent(), before, left);
        }
        let allowances = self.allowances.clone();
        let type_url = type_url_for(R::State::TYPE_URL, allowances.as_deref());
        let mut scope = TreeSave::default();
        let encoded = buffer.fill(type_url, |w| {
            w.set_scope(TreeSave::new(frozen, allowances));
            let result = caught(|| self.root.put_payload(w).map_err(Error::at_root));
            scope = w.take_scope::<TreeSave>().map(|scope| *scope).unwrap_or_default();
            result
        });
        let encoded = encoded.map(drop);
        let TreeSave { frozen: saved, left, .. } = scope;
        let lengths = saved.net_lengths();
        if encoded.is_ok()
            && saved.is_in_order()
            && saved.changed_stages().is_empty()
            && left.is_empty()
            && let Ok(lengths) = lengths
        {
            session.record_saved(&tree.plan, lengths);
            return Ok(());
        }
        let (lengths, missing) = match lengths {
            Ok(lengths) => (Some(lengths), Vec::new()),
            Err(missing) => (None, missing),
        };
        let missing = if encoded.is_ok() { missing } else { Vec::new() };
        let mut changes = self.not_as_frozen(&saved, &missing);
        let unreported = left.iter().filter(|left| !self.reported.contains(left));
        changes.extend(unreported.map(|left| left_behind::unreported(left, tree)));
        let changes = changes.into_iter();
        // A state that could not be locked for the save cannot be visited for its children either.
        let is_news = |finding: &Finding| encoded.is_ok() || !finding.is_of_a_lock();
        let changes: Vec<_> = changes.filter_map(|error| error.filtered(is_news)).collect();
        Error::collect(encoded.err().into_iter().chain(changes))?;
        if let Some(lengths) = lengths {
            session.record_saved(&tree.plan, lengths);
        }
        Ok(())
    }

    /// Finds every difference between the saved controllers and the frozen tree; `missing` are the
    /// units that were not saved.
    #[cold]
    fn not_as_frozen(&self, saved: &FrozenTree, missing: &[usize]) -> Vec<Error> {
        let tree = &self.transaction.tree;
        let mut errors = match saved.is_in_order() && missing.is_empty() {
            true => Vec::new(),
            false => tree.changes(When::Save),
        };
        // If no change of the tree explains it, a state saves other children than it shows.
        if errors.is_empty() {
            errors.extend(missing.iter().map(|&unit| {
                let reason = "is in the tree, but its parent did not save it";
                Error::internal(reason).at_controller(tree.id(unit))
            }));
            errors.extend(saved.strangers().iter().map(|&Stranger { parent, type_url }| {
                let reason = format!("saves a controller that it does not show: {type_url}");
                Error::internal(reason).at_controller(tree.id(parent))
            }));
        }
        errors.extend(saved.changed_stages().iter().map(
            |&ChangedStage { place, frozen, found }| {
                let name = |stage: Option<i32>| {
                    let rules = tree.plan.info(place).stage_rules;
                    rules.zip(stage).map_or("(none)", |(rules, stage)| rules.name(stage))
                };
                let (frozen, found) = (name(frozen), name(found));
                Error::precondition(format!(
                    "its stage changed from {frozen} to {found} while it was frozen: roll back, \
                     the controller stays in {found}"
                ))
                .at_controller(tree.id(place))
            },
        ));
        errors
    }

    /// Ends the source, because the destination is live: every controller releases the resources of
    /// this host. There is no way back from here, and a cancellation has no effect.
    ///
    /// The commit counts from the call, not from the first poll of the future. If the future is
    /// dropped, for example with the handler of a server,
    /// [`Source::recover`](crate::Source::recover) continues the commit and thaws nothing.
    ///
    /// # Errors
    ///
    /// The errors of the hooks; the other hooks still run, and every controller is in its
    /// `abort_to` stage. Also, with [`Code::FailedPrecondition`](crate::Code::FailedPrecondition),
    /// the changes that the destination does not know: every controller that was added, removed,
    /// replaced or moved since the freeze, and every stage that has changed. The commit is complete
    /// nevertheless.
    pub fn commit(mut self) -> impl Future<Output = Result<(), Failure>> {
        self.transaction.end = End::Commit;
        self.end(End::Commit)
    }

    /// Thaws every controller, in reverse: the source continues as before the freeze. A
    /// cancellation has no effect.
    ///
    /// # Errors
    ///
    /// The errors of the hooks; the other hooks still run. A controller whose hook failed stays
    /// frozen: [`Source::recover`](crate::Source::recover) tries again. Also, with
    /// [`Code::FailedPrecondition`](crate::Code::FailedPrecondition), every controller that was
    /// added, removed, replaced or moved since the freeze. Whatever was frozen is thawed
    /// nevertheless.
    pub async fn rollback(self) -> Result<(), Failure> {
        self.end(End::Thaw).await
    }

    async fn end(self, end: End) -> Result<(), Failure> {
        let Frozen { root, mut transaction, over_budget, .. } = self;
        // The tree holds the root too, and handles a panic of its destructor.
        drop(root);
        drop(over_budget);
        transaction.finish(end).await
    }
}

impl<R: Controller> fmt::Debug for Frozen<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let controllers = self.transaction.tree.nodes().len();
        f.debug_struct("Frozen").field("controllers", &controllers).finish_non_exhaustive()
    }
}
