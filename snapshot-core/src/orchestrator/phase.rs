//! The driver: one hook over the whole plan, in order, concurrently where the order leaves it open.

use std::collections::{BTreeSet, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tracing::{Instrument, dispatcher};

use super::Phase;
use super::fault;
use super::hook_run::{Ended, HookRun};
use super::journal::Journal;
use super::plan::First;
use super::progress::tell;
use super::session::{Limits, Session};
use super::signal::{Raised, Signal};
use super::timeline::ControllerTime;
use super::timer::{Alarm, Sleep};
use super::tree::Tree;
use crate::controller::{Context, Hook, HookFuture, Node};
use crate::{Code, Error};

impl Hook {
    pub(crate) fn phase(self) -> Phase {
        match self {
            Hook::Freeze => Phase::Freeze,
            Hook::Thaw => Phase::Thaw,
            Hook::Commit => Phase::Commit,
            Hook::Patch => Phase::Patch,
            Hook::Resume => Phase::Resume,
            Hook::Abort => Phase::Abort,
        }
    }

    /// Whose turn is first; an undo goes the other way than what it undoes.
    fn first(self) -> First {
        match self {
            Hook::Freeze | Hook::Commit | Hook::Abort => First::Dependents,
            Hook::Patch | Hook::Resume | Hook::Thaw => First::Dependencies,
        }
    }

    /// Whether it undoes other hooks, and runs only where these have begun.
    pub(crate) fn is_undo(self) -> bool {
        matches!(self, Hook::Thaw | Hook::Abort)
    }

    /// Whether the phase stops at the first failure and can be cancelled. An undo goes as far as it
    /// can, and so does a commit, since there is no way back.
    fn can_stop(self) -> bool {
        matches!(self, Hook::Freeze | Hook::Patch | Hook::Resume)
    }
}

/// Runs a hook on every controller that the journal says it concerns.
///
/// # Errors
///
/// The errors of all hooks that failed, the deadline, or the cancel. Nothing is undone here.
pub(crate) async fn run(
    hook: Hook,
    tree: &Arc<Tree>,
    session: &Arc<Session>,
    journal: &mut Journal,
) -> Result<(), Error> {
    let phase = hook.phase();
    let controllers = tree.plan.units().len();
    let span = tracing::info_span!("phase", phase = phase.as_str(), controllers);
    let began = Instant::now();
    let result = async {
        let mut sweep = Sweep::new(hook, tree, session, journal);
        tell(session.observer(), |observer| observer.phase_started(phase, sweep.concerned));
        tracing::debug!("begins");
        let result = sweep.drive().await;
        match &result {
            Ok(()) => tracing::info!(took = ?began.elapsed(), "done"),
            Err(error) => tracing::error!(took = ?began.elapsed(), %error, "failed"),
        }
        result
    }
    .instrument(span)
    .await;
    session.record_phase(phase, began.elapsed(), result.is_ok());
    tell(session.observer(), |observer| {
        observer.phase_ended(phase, result.as_ref().map(|&()| ()));
    });
    result
}

struct Sweep<'a> {
    hook: Hook,
    phase: Phase,
    limits: Limits,
    tree: &'a Arc<Tree>,
    session: &'a Arc<Session>,
    journal: &'a mut Journal,
    /// How many controllers the hook concerns.
    concerned: usize,
    /// Per step, how many steps it still waits for.
    blockers: Vec<usize>,
    ready: VecDeque<usize>,
    running: FuturesUnordered<HookRun>,
    in_flight: Arc<InFlight>,
    /// Tells the hooks that the phase does not go on.
    stop: Arc<Signal>,
    cause: Option<Error>,
}

/// The units whose hooks run, for the timer thread to name.
type InFlight = Mutex<BTreeSet<usize>>;

/// What the driver waits for.
enum Event {
    Ended(Ended),
    Cancelled,
    Overdue,
    GraceOver,
}

/// When the driver stops waiting for hooks.
struct Watches {
    cancelled: Option<Raised>,
    deadline: Option<Sleep>,
    grace: Option<Sleep>,
}

impl<'a> Sweep<'a> {
    fn new(
        hook: Hook,
        tree: &'a Arc<Tree>,
        session: &'a Arc<Session>,
        journal: &'a mut Journal,
    ) -> Self {
        journal.open(hook);
        let (before, _) = tree.plan.edges(hook.first());
        let blockers = before.counts();
        let ready = (0..blockers.len()).filter(|&step| blockers[step] == 0).collect();
        let units = 0..tree.plan.units().len();
        Self {
            hook,
            phase: hook.phase(),
            limits: session.limits(hook.phase()),
            tree,
            session,
            concerned: units.filter(|&unit| journal.concerns(hook, unit)).count(),
            journal,
            blockers,
            ready,
            running: FuturesUnordered::new(),
            in_flight: Arc::default(),
            stop: Arc::default(),
            cause: None,
        }
    }

    async fn drive(&mut self) -> Result<(), Error> {
        let mut watches = Watches { cancelled: None, deadline: None, grace: None };
        if self.hook.can_stop() {
            watches.cancelled = Some(self.session.cancel_signal().raised());
            watches.deadline = Sleep::after(self.limits.whole, Some(self.phase_alarm()))?;
        }
        loop {
            // Looked at before every start, so that a cancel is heard even if no hook ever waits.
            let over = self.hook.can_stop() && self.cause.is_none();
            if over && self.session.cancel_signal().is_raised() {
                self.fail(self.cancelled());
            }
            if self.cause.is_none() || !self.hook.can_stop() {
                self.start_ready();
            }
            if self.cause.is_some() && self.hook.can_stop() && watches.grace.is_none() {
                self.stop.raise();
                watches.cancelled = None;
                watches.grace = Sleep::after(self.limits.grace, None)?;
            }
            if self.running.is_empty() {
                break;
            }
            match self.next(&mut watches).await {
                Event::Ended(ended) => self.end(ended),
                Event::Cancelled => self.fail(self.cancelled()),
                Event::Overdue => {
                    self.stop.raise();
                    self.fail(self.overdue());
                    self.cut_short();
                    break;
                }
                Event::GraceOver => {
                    self.cut_short();
                    break;
                }
            }
        }
        match self.cause.take() {
            Some(cause) => Err(cause),
            None => Ok(()),
        }
    }

    async fn next(&mut self, watches: &mut Watches) -> Event {
        poll_fn(|cx| {
            if let Some(cancelled) = &mut watches.cancelled
                && Pin::new(cancelled).poll(cx).is_ready()
            {
                return Poll::Ready(Event::Cancelled);
            }
            if let Some(deadline) = &mut watches.deadline
                && Pin::new(deadline).poll(cx).is_ready()
            {
                return Poll::Ready(Event::Overdue);
            }
            match self.running.poll_next_unpin(cx) {
                Poll::Ready(Some(ended)) => return Poll::Ready(Event::Ended(ended)),
                Poll::Ready(None) | Poll::Pending => {}
            }
            if let Some(grace) = &mut watches.grace
                && Pin::new(grace).poll(cx).is_ready()
            {
                return Poll::Ready(Event::GraceOver);
            }
            Poll::Pending
        })
        .await
    }

    fn start_ready(&mut self) {
        while self.running.len() < self.limits.max_in_flight
            && let Some(step) = self.ready.pop_front()
        {
            let is_unit = step < self.tree.plan.units().len();
            if !is_unit || !self.journal.concerns(self.hook, step) {
                self.release(step);
                continue;
            }
            self.journal.begin(self.hook, step);
            lock(&self.in_flight).insert(step);
            tell(self.session.observer(), |observer| {
                observer.controller_started(self.phase, self.tree.id(step));
            });
            match self.hook_run(step) {
                Ok(run) => self.running.push(run),
                Err(error) => {
                    let took = Duration::ZERO;
                    self.end(Ended { unit: step, took, result: Err(error) });
                    if self.hook.can_stop() {
                        return;
                    }
                }
            }
        }
    }

    /// Lets those go on that wait for this step only.
    fn release(&mut self, step: usize) {
        let (_, after) = self.tree.plan.edges(self.hook.first());
        for after in after.of(step) {
            self.blockers[after] -= 1;
            if self.blockers[after] == 0 {
                self.ready.push_back(after);
            }
        }
    }

    fn end(&mut self, Ended { unit, took, result }: Ended) {
        lock(&self.in_flight).remove(&unit);
        let id = self.tree.id(unit);
        let result = self
            .journal
            .end(self.hook, unit, self.tree, result)
            .map_err(|error| error.at_controller(id));
        self.record(unit, took, result.as_ref().map(|&()| ()));
        match result {
            Ok(()) => self.release(unit),
            Err(error) => {
                // What a hook says after it was told to stop is the consequence, not the cause.
                if self.cause.is_none() || error.code() != Code::Cancelled {
                    self.fail(error);
                }
                if !self.hook.can_stop() {
                    self.release(unit);
                }
            }
        }
    }

    fn record(&self, unit: usize, took: Duration, result: Result<(), &Error>) {
        let plan_unit = &self.tree.plan.units()[unit];
        let (id, type_url) = (&plan_unit.id, plan_unit.info.type_url);
        let phase = self.phase.as_str();
        match result {
            Ok(()) => tracing::debug!(controller = %id, type_url, phase, ?took, "hook done"),
            Err(error) => {
                tracing::error!(controller = %id, type_url, phase, ?took, %error, "hook failed");
            }
        }
        self.session.record_controller(ControllerTime {
            id: id.clone(),
            type_url,
            phase: self.phase,
            began: self.session.began(took),
            took,
            succeeded: result.is_ok(),
        });
        tell(self.session.observer(), |observer| {
            observer.controller_ended(self.phase, id, result);
        });
    }

    fn fail(&mut self, error: Error) {
        self.cause = Some(match self.cause.take() {
            Some(cause) => cause.and(error),
            None => error,
        });
    }

    /// Drops the hooks in flight, whose journal entries say already that they did not end.
    fn cut_short(&mut self) {
        lock(&self.in_flight).clear();
        for run in std::mem::take(&mut self.running) {
            let error = Error::new(Code::Cancelled, "was cut short").at_controller(&run.id);
            let (unit, took) = (run.unit, run.began.elapsed());
            drop(run);
            self.record(unit, took, Err(&error));
        }
    }

    #[cold]
    fn cancelled(&self) -> Error {
        let reason = format!("cancelled during the {} phase", self.phase);
        Error::new(Code::Cancelled, reason)
    }

    #[cold]
    fn overdue(&self) -> Error {
        let waiting = names(&self.in_flight, self.tree);
        let limit = self.limits.whole;
        Error::new(
            Code::DeadlineExceeded,
            format!(
                "the {} phase did not end within {limit:?}, it waits for {waiting}",
                self.phase
            ),
        )
    }

    /// Sounds on the timer thread when the phase's time is up.
    fn phase_alarm(&self) -> Alarm {
        let (phase, limit) = (self.phase, self.limits.whole);
        let (stop, tree) = (Arc::clone(&self.stop), Arc::clone(self.tree));
        let in_flight = Arc::clone(&self.in_flight);
        let subscriber = dispatcher::get_default(Clone::clone);
        Box::new(move || {
            stop.raise();
            let waiting = names(&in_flight, &tree);
            dispatcher::with_default(&subscriber, || {
                tracing::error!(
                    phase = phase.as_str(), ?limit, %waiting,
                    "the phase is past its deadline; if it does not fail now, a hook blocks its thread"
                );
            });
        })
    }

    /// Sounds on the timer thread when a hook's time is up.
    fn hook_alarm(&self, unit: usize) -> Alarm {
        let (phase, limit) = (self.phase, self.limits.per_hook);
        let id = self.tree.id(unit).clone();
        let type_url = self.tree.plan.units()[unit].info.type_url;
        let subscriber = dispatcher::get_default(Clone::clone);
        Box::new(move || {
            dispatcher::with_default(&subscriber, || {
                tracing::error!(
                    controller = %id, type_url, phase = phase.as_str(), ?limit,
                    "the hook is past its deadline; if it does not fail now, it blocks its thread"
                );
            });
        })
    }

    fn hook_run(&self, unit: usize) -> Result<HookRun, Error> {
        let node = Arc::clone(&self.tree.nodes()[unit]);
        let id = self.tree.id(unit).clone();
        let span = tracing::debug_span!(
            "controller",
            controller = %id,
            type_url = self.tree.plan.units()[unit].info.type_url,
            phase = self.phase.as_str()
        );
        let hook = self.hook;
        let cx = Context::new(
            id.clone(),
            self.phase,
            Arc::clone(self.tree),
            unit,
            Arc::clone(self.session),
            hook.can_stop().then(|| Arc::clone(&self.stop)),
        );
        let deadline = Sleep::after(self.limits.per_hook, Some(self.hook_alarm(unit)))?;
        let future: HookFuture<'static> =
            Box::pin(run_hook(node, hook, cx, Arc::clone(self.session)).instrument(span));
        Ok(HookRun {
            unit,
            id,
            hook,
            began: Instant::now(),
            limit: self.limits.per_hook,
            future: Some(future),
            deadline,
        })
    }
}

async fn run_hook(
    node: Arc<dyn Node>,
    hook: Hook,
    cx: Context,
    session: Arc<Session>,
) -> Result<(), Error> {
    node.hook(hook, &cx).await?;
    fault::happen(&session, &cx, hook.can_stop()).await
}

fn lock(in_flight: &InFlight) -> std::sync::MutexGuard<'_, BTreeSet<usize>> {
    in_flight.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The ids of the controllers whose hooks run, the first few of them.
fn names(in_flight: &InFlight, tree: &Tree) -> String {
    const SHOWN: usize = 5;
    let units = lock(in_flight);
    let shown: Vec<_> = units.iter().take(SHOWN).map(|&unit| tree.id(unit).as_str()).collect();
    let shown = shown.join(", ");
    match units.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
