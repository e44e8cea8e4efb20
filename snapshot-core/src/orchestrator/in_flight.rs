//! The hooks that run, as the timer thread sees them. It names the late ones, even while one of
//! them blocks the thread that drives them all.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::Dispatch;
use tracing::dispatcher::{self, with_default};

use super::Phase;
use super::timer::{Alarm, Watched};
use super::tree::Tree;
use crate::controller::Signal;
use crate::controller::lock::Board;

/// The running hooks of one phase.
///
/// A hook that returns at its first poll costs one store here and no timer of its own. Its start
/// time is not recorded: the timer thread looks eight times within the time of a hook, and counts
/// from its first sight of it. A hook that waits gets a timer.
pub(super) struct InFlight {
    phase: Phase,
    tree: Arc<Tree>,
    /// The time for one hook.
    limit: Duration,
    /// The unit whose hook is polled for the first time, or [`NOBODY`].
    first: AtomicUsize,
    /// The unit that the timer thread saw in `first` at its last look.
    seen: Mutex<Option<SeenPoll>>,
    /// The units whose hooks have not returned at their first poll.
    waiting: Mutex<BTreeSet<usize>>,
    /// The board of the states that are awaited when hooks have ended.
    locks: Arc<Board>,
    /// The subscriber for the events, whichever thread sends them.
    subscriber: Dispatch,
}

const NOBODY: usize = usize::MAX;

/// A first poll that the timer thread has seen.
struct SeenPoll {
    unit: usize,
    /// The time when it was first seen.
    at: Instant,
    /// Whether it was already reported as late.
    is_reported: bool,
}

impl InFlight {
    pub(super) fn new(phase: Phase, tree: &Arc<Tree>, limit: Duration, locks: &Arc<Board>) -> Self {
        Self {
            phase,
            tree: Arc::clone(tree),
            limit,
            first: AtomicUsize::new(NOBODY),
            seen: Mutex::default(),
            waiting: Mutex::default(),
            locks: Arc::clone(locks),
            subscriber: dispatcher::get_default(Clone::clone),
        }
    }

    /// Begins the first poll of a unit's hook.
    pub(super) fn begin(&self, unit: usize) {
        self.first.store(unit, Ordering::Relaxed);
    }

    /// Ends the first poll.
    pub(super) fn end_first(&self) {
        self.first.store(NOBODY, Ordering::Relaxed);
    }

    /// Adds a hook that has not returned at its first poll.
    pub(super) fn wait(&self, unit: usize) {
        self.lock().insert(unit);
        self.end_first();
    }

    /// Removes a hook that waited and has ended.
    pub(super) fn end_waiting(&self, unit: usize) {
        self.lock().remove(&unit);
    }

    /// Removes all hooks.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the unit whose hook is polled for the first time.
    fn first(&self) -> Option<usize> {
        Some(self.first.load(Ordering::Relaxed)).filter(|&unit| unit != NOBODY)
    }

    /// Returns the time of the timer thread's next look.
    pub(super) fn next_look(&self, now: Instant) -> Option<Instant> {
        // A hook without any time must not keep the timer thread busy.
        const LEAST: Duration = Duration::from_millis(1);
        now.checked_add((self.limit / 8).max(LEAST))
    }

    /// Returns the ids of the first few controllers whose hooks run or whose state is awaited.
    pub(super) fn names(&self) -> String {
        const SHOWN: usize = 5;
        let mut units = self.lock().clone();
        units.extend(self.first());
        let shown = units.iter().map(|&unit| self.tree.id(unit).clone());
        let locked = self.locks.waits_for().and_then(|(_, address)| self.locks.name(address));
        let shown = locked.into_iter().map(|(id, _)| id).chain(shown).take(SHOWN);
        let shown: Vec<String> = shown.map(|id| id.to_string()).collect();
        let shown = shown.join(", ");
        match units.len().saturating_sub(SHOWN) {
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    }

    /// Creates the alarm for the end of the phase's time: it tells the hooks to stop, and logs
    /// which are late.
    pub(super) fn phase_alarm(self: &Arc<Self>, stop: &Arc<Signal>, limit: Duration) -> Alarm {
        let (in_flight, stop) = (Arc::clone(self), Arc::clone(stop));
        Box::new(move || {
            stop.raise();
            let waiting = in_flight.names();
            with_default(&in_flight.subscriber, || {
                tracing::error!(
                    phase = in_flight.phase.as_str(), ?limit, %waiting,
                    "the phase has exceeded its deadline; if it does not fail now, a hook is \
                     blocking its thread"
                );
            });
        })
    }

    /// Creates the alarm for the end of a waiting hook's time.
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
                "the hook has exceeded its deadline; if it does not fail now, it is blocking its \
                 thread"
            );
        });
    }
}

/// Watches the first polls. There is only one at a time, and no unit has two of them in one phase.
impl Watched for InFlight {
    fn look(&self, now: Instant) -> Option<Instant> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let late = match (self.first(), &mut *seen) {
            (Some(unit), Some(seen)) if seen.unit == unit => {
                let is_late = now.saturating_duration_since(seen.at) >= self.limit;
                (is_late && !std::mem::replace(&mut seen.is_reported, is_late)).then_some(unit)
            }
            (first, seen) => {
                *seen = first.map(|unit| SeenPoll { unit, at: now, is_reported: false });
                None
            }
        };
        drop(seen);
        if let Some(unit) = late {
            self.tell_late(unit);
        }
        self.next_look(now)
    }
}
