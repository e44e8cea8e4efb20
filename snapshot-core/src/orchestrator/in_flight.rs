//! The hooks that run, as the timer thread sees them: it names those that are late, also while the
//! thread that drives them is blocked by one.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::Dispatch;
use tracing::dispatcher::{self, with_default};

use super::Phase;
use super::signal::Signal;
use super::timer::{Alarm, Watched};
use super::tree::Tree;

/// The hooks of one phase that run.
///
/// A hook that returns at its first poll costs three stores here and no timer of its own; one that
/// waits gets both.
pub(super) struct InFlight {
    phase: Phase,
    tree: Arc<Tree>,
    /// How long one hook may take.
    limit: Duration,
    /// What [`InFlight::since`] counts from.
    base: Instant,
    /// The unit whose hook is polled for the first time, or [`NOBODY`]. Cleared before `since`
    /// changes, so that who reads the same unit before and after has read its time.
    first: AtomicUsize,
    /// When that began, in nanoseconds.
    since: AtomicU64,
    /// The unit that was named as late last.
    named: AtomicUsize,
    /// The units whose hooks have not returned at their first poll.
    waiting: Mutex<BTreeSet<usize>>,
    /// Who is told, whatever thread tells it.
    subscriber: Dispatch,
}

const NOBODY: usize = usize::MAX;

impl InFlight {
    pub(super) fn new(phase: Phase, tree: &Arc<Tree>, limit: Duration) -> Self {
        Self {
            phase,
            tree: Arc::clone(tree),
            limit,
            base: Instant::now(),
            first: AtomicUsize::new(NOBODY),
            since: AtomicU64::new(0),
            named: AtomicUsize::new(NOBODY),
            waiting: Mutex::default(),
            subscriber: dispatcher::get_default(Clone::clone),
        }
    }

    /// The hook of a unit is polled for the first time from now on.
    pub(super) fn begin(&self, unit: usize, now: Instant) {
        let since = now.saturating_duration_since(self.base);
        self.first.store(NOBODY, Ordering::Release);
        // 584 years fit.
        self.since.store(since.as_nanos() as u64, Ordering::Release);
        self.first.store(unit, Ordering::Release);
    }

    /// It has returned from its first poll, at its end.
    pub(super) fn end_first(&self) {
        self.first.store(NOBODY, Ordering::Release);
    }

    /// It has returned from its first poll, to wait.
    pub(super) fn wait(&self, unit: usize) {
        self.lock().insert(unit);
        self.end_first();
    }

    /// A hook that waited has ended.
    pub(super) fn end_waiting(&self, unit: usize) {
        self.lock().remove(&unit);
    }

    /// No hook runs any more.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The unit whose hook is polled for the first time, and since when.
    fn first(&self) -> Option<(usize, Instant)> {
        let unit = self.first.load(Ordering::Acquire);
        let since = Duration::from_nanos(self.since.load(Ordering::Acquire));
        let same = self.first.load(Ordering::Acquire) == unit;
        (same && unit != NOBODY).then(|| (unit, self.base + since))
    }

    /// The ids of the controllers whose hooks run, the first few of them.
    pub(super) fn names(&self) -> String {
        const SHOWN: usize = 5;
        let first = self.first().map(|(unit, _)| unit);
        let mut units = self.lock().clone();
        units.extend(first);
        let shown: Vec<_> =
            units.iter().take(SHOWN).map(|&unit| self.tree.id(unit).as_str()).collect();
        let shown = shown.join(", ");
        match units.len().saturating_sub(SHOWN) {
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    }

    /// Sounds when the phase's time is up: tells its hooks to stop, and an engineer who is late.
    pub(super) fn phase_alarm(self: &Arc<Self>, stop: &Arc<Signal>, limit: Duration) -> Alarm {
        let (in_flight, stop) = (Arc::clone(self), Arc::clone(stop));
        Box::new(move || {
            stop.raise();
            let waiting = in_flight.names();
            with_default(&in_flight.subscriber, || {
                tracing::error!(
                    phase = in_flight.phase.as_str(), ?limit, %waiting,
                    "the phase is past its deadline; if it does not fail now, a hook blocks its thread"
                );
            });
        })
    }

    /// Sounds when the time of a hook that waits is up.
    pub(super) fn hook_alarm(self: &Arc<Self>, unit: usize) -> Alarm {
        let in_flight = Arc::clone(self);
        Box::new(move || in_flight.tell_late(unit))
    }

    fn tell_late(&self, unit: usize) {
        let (phase, limit) = (self.phase, self.limit);
        let id = self.tree.id(unit);
        let type_url = self.tree.plan.info(unit).type_url;
        with_default(&self.subscriber, || {
            tracing::error!(
                controller = %id, type_url, phase = phase.as_str(), ?limit,
                "the hook is past its deadline; if it does not fail now, it blocks its thread"
            );
        });
    }
}

/// Watches the first polls, one after the other: no two of them at the same time.
impl Watched for InFlight {
    fn look(&self, now: Instant) -> Option<Instant> {
        // A hook that begins from now on is not late before this.
        let next = now.checked_add(self.limit);
        let Some((unit, since)) = self.first() else { return next };
        match since.checked_add(self.limit) {
            Some(due) if due <= now => {
                if self.named.swap(unit, Ordering::Relaxed) != unit {
                    self.tell_late(unit);
                }
                next
            }
            due => due,
        }
    }
}
