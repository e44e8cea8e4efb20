//! The operator's settings for one migration.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tracing::dispatcher;

use super::fault::{Fault, Faults};
use super::plan::TreePlan;
use super::record::{HookTime, TimelineRecord};
use super::timeline::{LateStage, PhaseTime};
use super::timer::Sleep;
use super::{Phase, Progress, Timeline};
use crate::controller::{Origin, Signal};
use crate::{Code, ControllerId, Error};

/// The settings of one migration on one side: the resources of the host, deadlines, a way to
/// cancel, an observer. It also records how long everything took.
///
/// A clone belongs to the same migration: it shares the cancel handle and the timeline.
///
/// | setting | default |
/// |---|---|
/// | [`deadline`](Session::deadline) of freeze, prepare, patch, resume | 60 s each |
/// | [`hook_deadline`](Session::hook_deadline), which also limits the wait for one controller's state | 30 s |
/// | [`undo_deadline`](Session::undo_deadline) | 30 s |
/// | [`grace`](Session::grace) | 5 s |
/// | [`blackout_budget`](Session::blackout_budget) | none |
/// | [`max_in_flight`](Session::max_in_flight) | no limit |
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use snapshot_core::{Phase, Session};
///
/// struct HostBus;
///
/// let session = Session::new()
///     .resource(Arc::new(HostBus))
///     .deadline(Phase::Freeze, Duration::from_secs(5))
///     .blackout_budget(Duration::from_secs(2));
/// let cancel = session.cancel_handle();
/// // In another thread or task:
/// cancel.cancel();
/// assert!(cancel.is_cancelled());
/// ```
#[derive(Clone)]
pub struct Session {
    /// Each is an `Arc<T>` under the type `T`, which need not be sized.
    resources: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    deadlines: HashMap<Phase, Duration>,
    hook_deadline: Duration,
    undo_deadline: Duration,
    grace: Duration,
    blackout_budget: Option<Duration>,
    max_in_flight: usize,
    progress: Option<Arc<dyn Progress>>,
    faults: Faults,
    origin: Origin,
    cancel: Arc<Signal>,
    record: Arc<Mutex<TimelineRecord>>,
    started: (Instant, SystemTime),
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    /// Creates a session with the default settings.
    pub fn new() -> Self {
        Self {
            resources: HashMap::new(),
            deadlines: HashMap::new(),
            hook_deadline: Duration::from_secs(30),
            undo_deadline: Duration::from_secs(30),
            grace: Duration::from_secs(5),
            blackout_budget: None,
            max_in_flight: usize::MAX,
            progress: None,
            faults: Faults::default(),
            origin: Origin::Unknown,
            cancel: Arc::default(),
            record: Arc::default(),
            started: (Instant::now(), SystemTime::now()),
        }
    }

    /// Gives hooks a resource of this host, which they find by its type with
    /// [`Context::resource`](crate::Context::resource). It is a struct, or a trait object; for a
    /// trait object, write out the type: `resource::<dyn DiskHost>(host)`. A second resource of the
    /// same type replaces the first.
    #[must_use]
    pub fn resource<T: ?Sized + Send + Sync + 'static>(mut self, resource: Arc<T>) -> Self {
        self.resources.insert(TypeId::of::<T>(), Arc::new(resource));
        self
    }

    /// Sets the time for all hooks of a phase together. [`Duration::MAX`] means no deadline.
    ///
    /// Freeze, prepare, patch and resume have one. The phases that end a migration (commit, thaw,
    /// abort) are not cut short as a whole; only their hooks are.
    #[must_use]
    pub fn deadline(mut self, phase: Phase, deadline: Duration) -> Self {
        self.deadlines.insert(phase, deadline);
        self
    }

    /// Sets the time for one `freeze`, `prepare`, `patch`, `resume` or `commit` hook.
    /// [`Duration::MAX`] means no deadline.
    ///
    /// It is also the time for which the framework waits for the lock of one controller's state, in
    /// these phases and in a save. When it is over, the wait is reported as an error event with the
    /// controller's id. If the controller has a [`try_state`](crate::Controller::try_state), the
    /// phase fails.
    #[must_use]
    pub fn hook_deadline(mut self, deadline: Duration) -> Self {
        self.hook_deadline = deadline;
        self
    }

    /// Sets the time for one `thaw` or `abort` hook. [`Duration::MAX`] means no deadline.
    #[must_use]
    pub fn undo_deadline(mut self, deadline: Duration) -> Self {
        self.undo_deadline = deadline;
        self
    }

    /// Sets the time within which running hooks may return after another hook has failed or the
    /// migration was cancelled, before they are cut short.
    /// [`Context::cancelled`](crate::Context::cancelled) tells them to stop.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets the time for which the controllers may stand still. When the budget is used up, the
    /// running phase fails as if it had exceeded its deadline,
    /// [`Frozen::save`](crate::Frozen::save) refuses, and an error is logged.
    #[must_use]
    pub fn blackout_budget(mut self, budget: Duration) -> Self {
        self.blackout_budget = Some(budget);
        self
    }

    /// Sets the maximum number of hooks that run at the same time.
    #[must_use]
    pub fn max_in_flight(mut self, limit: NonZeroUsize) -> Self {
        self.max_in_flight = limit.get();
        self
    }

    /// Sets the observer, which is called with the progress of the migration.
    #[must_use]
    pub fn progress(mut self, observer: Arc<dyn Progress>) -> Self {
        self.progress = Some(observer);
        self
    }

    /// Sets the migration that hooks find with [`Context::origin`](crate::Context::origin). A
    /// hand-over sets it automatically.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// Returns this session. If it states no origin, this is its origin.
    pub(crate) fn with_origin_or(mut self, origin: &Origin) -> Self {
        if self.origin == Origin::Unknown {
            self.origin = origin.clone();
        }
        self
    }

    pub(crate) fn find_origin(&self) -> &Origin {
        &self.origin
    }

    /// Makes one controller fail in one phase: [`Session::fault_at`] with [`Fault::Error`].
    #[must_use]
    pub fn fail_at(self, phase: Phase, id: impl Into<ControllerId>) -> Self {
        self.fault_at(phase, id, Fault::Error)
    }

    /// Injects a fault into one controller in one phase, after its hook has done all its work: the
    /// hardest place for the undo. Use it to rehearse and to test failures.
    ///
    /// It works in the phases that have hooks, and in [`Phase::Save`] and [`Phase::Refresh`], which
    /// have none. In these two, every fault except a panic is an error. An id without a controller
    /// has no effect.
    ///
    /// ```
    /// use snapshot_core::{Fault, Phase, Session};
    ///
    /// let session = Session::new().fault_at(Phase::Patch, "vm/scsi", Fault::Panic);
    /// ```
    #[must_use]
    pub fn fault_at(mut self, phase: Phase, id: impl Into<ControllerId>, fault: Fault) -> Self {
        self.faults.add(phase, id.into(), fault);
        self
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Returns a handle that cancels this migration from any thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle { signal: Arc::clone(&self.cancel) }
    }

    /// Returns how long each phase and hook took so far.
    pub fn timeline(&self) -> Timeline {
        self.record().timeline(self.started.0)
    }

    /// Returns the start of the session by the host's clock.
    pub(crate) fn started(&self) -> SystemTime {
        self.started.1
    }

    /// Returns the start of something that ends now and took this long, from the start of the
    /// session. Zero if it began before the session.
    pub(crate) fn began(&self, took: Duration) -> Duration {
        self.started.0.elapsed().saturating_sub(took)
    }

    fn record(&self) -> std::sync::MutexGuard<'_, TimelineRecord> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find_resource(&self, of: TypeId) -> Option<&(dyn Any + Send + Sync)> {
        self.resources.get(&of).map(|resource| &**resource)
    }

    pub(crate) fn observer(&self) -> Option<&dyn Progress> {
        self.progress.as_deref()
    }

    pub(crate) fn cancel_signal(&self) -> &Arc<Signal> {
        &self.cancel
    }

    pub(crate) fn limits(&self, phase: Phase) -> Limits {
        let per_hook = match phase {
            Phase::Thaw | Phase::Abort => self.undo_deadline,
            _ => self.hook_deadline,
        };
        let whole = match phase {
            Phase::Freeze | Phase::Prepare | Phase::Patch | Phase::Resume => {
                let whole = self.deadlines.get(&phase).copied();
                let whole = whole.unwrap_or(const { Duration::from_secs(60) });
                // The source still runs while this side prepares.
                let left = self.blackout_left().filter(|_| phase != Phase::Prepare);
                left.map_or(whole, |left| whole.min(left))
            }
            _ => Duration::MAX,
        };
        Limits { per_hook, whole, grace: self.grace, max_in_flight: self.max_in_flight }
    }

    /// Begins the blackout, if it has not begun already.
    pub(crate) fn begin_blackout(&self) {
        let mut record = self.record();
        if record.blackout_began.is_none() || record.blackout_ended.is_some() {
            record.blackout_began = Some(Instant::now());
            record.blackout_ended = None;
        }
    }

    pub(crate) fn end_blackout(&self) {
        self.record().blackout_ended = Some(Instant::now());
    }

    /// Returns the remaining [blackout budget](Session::blackout_budget). Before the blackout it is
    /// the whole budget; `None` if there is none.
    pub fn blackout_left(&self) -> Option<Duration> {
        let budget = self.blackout_budget?;
        let began = self.record().blackout_began;
        Some(budget.saturating_sub(began.map_or(Duration::ZERO, |began| began.elapsed())))
    }

    /// # Errors
    ///
    /// [`Code::DeadlineExceeded`] if the budget is used up.
    pub(crate) fn check_blackout(&self) -> Result<(), Error> {
        match (self.blackout_left(), self.blackout_budget) {
            (Some(Duration::ZERO), Some(budget)) => Err(Error::new(
                Code::DeadlineExceeded,
                format!("the blackout budget of {budget:?} is used up: roll back"),
            )),
            _ => Ok(()),
        }
    }

    /// Logs an error from the timer thread when the blackout budget is used up, while the sleep is
    /// held.
    pub(crate) fn watch_blackout(&self) -> Result<Option<Sleep>, Error> {
        let (Some(left), Some(budget)) = (self.blackout_left(), self.blackout_budget) else {
            return Ok(None);
        };
        let subscriber = dispatcher::get_default(Clone::clone);
        let alarm = move || {
            dispatcher::with_default(&subscriber, || {
                tracing::error!(limit = ?budget, "the blackout budget is used up, the source is frozen");
            });
        };
        Sleep::after(left, Some(Box::new(alarm)))
    }

    pub(crate) fn record_phase(&self, phase: Phase, took: Duration, succeeded: bool) {
        let began = self.began(took);
        self.record().phases.push(PhaseTime { phase, began, took, succeeded });
    }

    /// Records an import, which has no session yet while it runs.
    pub(crate) fn record_import(&self, began: Instant, took: Duration) {
        let began = began.saturating_duration_since(self.started.0);
        let import = PhaseTime { phase: Phase::Import, began, took, succeeded: true };
        self.record().phases.push(import);
    }

    /// Begins a run of hooks in a phase. Returns its number.
    pub(crate) fn begin_run(&self, plan: &Arc<TreePlan>, phase: Phase) -> usize {
        self.record().begin_run(plan, phase)
    }

    /// Records hooks of this run that have ended.
    pub(crate) fn record_hooks(&self, run: usize, hooks: &mut Vec<HookTime>) {
        self.record().end_hooks(run, hooks);
    }

    /// Records the changed stages that a phase has found.
    pub(crate) fn record_late_stages(&self, late: Vec<LateStage>) {
        if !late.is_empty() {
            self.record().late_stages.extend(late);
        }
    }

    /// # Errors
    ///
    /// [`Code::Cancelled`] if the migration was cancelled.
    pub(crate) fn check_cancelled(&self) -> Result<(), Error> {
        match self.cancel.is_raised() {
            true => Err(Error::new(Code::Cancelled, "the migration was cancelled: roll back")),
            false => Ok(()),
        }
    }

    /// Records how much each controller saved, in the order of the plan.
    pub(crate) fn record_saved(&self, plan: &Arc<TreePlan>, lengths: Vec<usize>) {
        self.record().saved = Some((Arc::clone(plan), lengths));
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("deadlines", &self.deadlines)
            .field("hook_deadline", &self.hook_deadline)
            .field("undo_deadline", &self.undo_deadline)
            .field("grace", &self.grace)
            .field("blackout_budget", &self.blackout_budget)
            .field("max_in_flight", &self.max_in_flight)
            .field("faults", &self.faults)
            .field("cancelled", &self.cancel.is_raised())
            .finish_non_exhaustive()
    }
}

/// The deadlines of a phase and its hooks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) whole: Duration,
    pub(crate) per_hook: Duration,
    pub(crate) grace: Duration,
    pub(crate) max_in_flight: usize,
}

/// Cancels the migration of the [`Session`] from which it came.
#[derive(Clone, Debug)]
pub struct CancelHandle {
    signal: Arc<Signal>,
}

impl CancelHandle {
    /// Cancels the migration: no further hook is started, running hooks are asked to stop and have
    /// the grace period to return, and the phase is undone. An undo and a commit are not cancelled.
    /// A cancellation is final: try again with a new session.
    pub fn cancel(&self) {
        self.signal.raise();
    }

    /// Returns whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.signal.is_raised()
    }
}
