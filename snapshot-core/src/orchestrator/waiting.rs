//! The waits outside of hooks. The timer thread names the controller whose lock is not released, or
//! whose code, such as an adapter or `import`, does not return.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::Dispatch;
use tracing::dispatcher::{self, with_default};

use super::Phase;
use super::session::Session;
use super::timer::{Watch, Watched};
use super::tree::Tree;
use crate::controller::address;
use crate::controller::lock::{self, Board, KnownNames, Patience, READING, WHO_HOLDS_IT};
use crate::{ControllerId, Error};

/// The waits of one step.
///
/// A state that is free at once costs a few stores and no look at the clock. The timer thread looks
/// eight times within the time of one controller, and counts from its first sight of a wait.
pub(super) struct Waiting {
    phase: Phase,
    board: Arc<Board>,
    seen: Mutex<Option<SeenWait>>,
    /// The subscriber for the events, whichever thread sends them.
    subscriber: Dispatch,
}

/// The advice for code that does not return.
const WHICH_CODE: &str = "look for an adapter, a `validate` or an `import` of its type that blocks";

/// What a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WaitFor {
    /// The lock of a state.
    Lock,
    /// The code of a controller.
    Code,
}

/// A wait that the timer thread has seen.
struct SeenWait {
    /// Its number, the mark of the controller, and its purpose.
    wait: (u64, usize, WaitFor),
    /// The time when it was first seen.
    at: Instant,
    /// The duration after which it is reported next.
    next_report: Duration,
    is_reported: bool,
}

impl Waiting {
    /// The time that a preflight, which has no session, waits for one controller.
    pub(super) const IN_PREFLIGHT: Duration = Duration::from_secs(30);

    pub(super) fn new(phase: Phase, patience: Patience) -> Arc<Self> {
        Arc::new(Self {
            phase,
            board: Arc::new(Board::new(patience)),
            seen: Mutex::default(),
            subscriber: dispatcher::get_default(Clone::clone),
        })
    }

    /// Creates the waits of a phase by the settings of a session.
    pub(super) fn of_session(phase: Phase, session: &Session) -> Arc<Self> {
        Self::new(phase, session.patience(phase))
    }

    pub(super) fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Sets the source of names for controllers, until another is added.
    pub(super) fn know(&self, names: Arc<dyn KnownNames>) {
        self.board.add_names(names);
    }

    /// Lets the timer thread look, while the result is held.
    ///
    /// # Errors
    ///
    /// If there is no timer.
    pub(super) fn watch(self: &Arc<Self>) -> Result<Option<Watch>, Error> {
        match self.next_look(Instant::now()) {
            Some(due) => Watch::from(due, Arc::clone(self) as _).map(Some),
            None => Ok(None),
        }
    }

    /// Runs code of this thread that locks controllers.
    pub(super) fn during<T>(&self, run: impl FnOnce() -> T) -> T {
        lock::watched(&self.board, run)
    }

    /// Runs code of controllers that this mark stands for: 0 until there is another.
    pub(super) fn on<T>(&self, mark: usize, run: impl FnOnce() -> T) -> T {
        /// Also after a panic.
        struct Ended<'b>(&'b Board);

        impl Drop for Ended<'_> {
            fn drop(&mut self) {
                self.0.work_on(0);
            }
        }

        let ended = Ended(&self.board);
        ended.0.work_on(mark);
        run()
    }

    /// Runs the code of controllers that reads a snapshot.
    pub(super) fn reading<T>(&self, read: impl FnOnce() -> T) -> T {
        self.on(READING, read)
    }

    fn next_look(&self, now: Instant) -> Option<Instant> {
        // A controller without any time must not keep the timer thread busy.
        const LEAST: Duration = Duration::from_millis(1);
        /// The interval of its looks when the time of the phase is up.
        const OVERDUE: Duration = Duration::from_millis(250);
        let Patience { per_controller, due, .. } = self.board.patience();
        let interval = (*per_controller / 8).max(LEAST);
        match due {
            Some((due, _)) if *due > now => {
                Some(now.checked_add(interval).map_or(*due, |next| next.min(*due)))
            }
            Some(_) => now.checked_add(interval.min(OVERDUE)),
            None => now.checked_add(interval),
        }
    }

    /// Reports a wait whose time is up.
    fn look_at(&self, now: Instant) -> Option<(usize, WaitFor, Duration)> {
        const SELDOM: Duration = Duration::from_secs(60);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = self.board.waits_for().map(|wait| (wait, WaitFor::Lock));
        let code = || self.board.works_on().map(|work| (work, WaitFor::Code));
        let Some(((number, mark), why)) = lock.or_else(code) else {
            *seen = None;
            return None;
        };
        let wait = (number, mark, why);
        let Patience { per_controller, due, .. } = self.board.patience();
        let seen = match &mut *seen {
            Some(seen) if seen.wait == wait => seen,
            seen => {
                let next_report = *per_controller;
                *seen = Some(SeenWait { wait, at: now, next_report, is_reported: false });
                return None;
            }
        };
        let waited = now.saturating_duration_since(seen.at);
        let is_due = due.as_ref().is_some_and(|(due, _)| now >= *due) && !seen.is_reported;
        if waited < seen.next_report && !is_due {
            return None;
        }
        seen.is_reported = true;
        // The interval doubles at first, and is a minute later.
        seen.next_report = waited + waited.clamp(Duration::from_secs(1), SELDOM);
        Some((mark, why, waited))
    }
}

impl Watched for Waiting {
    fn look(&self, now: Instant) -> Option<Instant> {
        if let Some((mark, why, took)) = self.look_at(now) {
            let (id, type_url) = match self.board.name(mark) {
                Some((id, type_url)) => (id.to_string(), type_url),
                None => ("(not in the tree)".to_owned(), ""),
            };
            let (phase, limit) = (self.phase.as_str(), self.board.patience().per_controller);
            with_default(&self.subscriber, || match why {
                WaitFor::Code if mark == READING => tracing::error!(
                    phase,
                    ?took,
                    ?limit,
                    "waits for the snapshot to be read: {WHICH_CODE}"
                ),
                WaitFor::Lock => tracing::error!(
                    controller = %id, type_url, phase, ?took, ?limit,
                    "waits for the lock of this controller's state: {WHO_HOLDS_IT}"
                ),
                WaitFor::Code => tracing::error!(
                    controller = %id, type_url, phase, ?took, ?limit,
                    "waits for the code of this controller: {WHICH_CODE}"
                ),
            });
        }
        self.next_look(now)
    }
}

impl Session {
    /// Returns the limits of a phase's waits for the states of controllers.
    fn patience(&self, phase: Phase) -> Patience {
        let limits = self.limits(phase);
        let now = Instant::now();
        let (whole, why) = match phase {
            Phase::Save => {
                let left = self.blackout_left().unwrap_or(Duration::MAX);
                (left, "the blackout budget is used up".to_owned())
            }
            _ => (limits.whole, format!("the {phase} phase did not end within {:?}", limits.whole)),
        };
        let can_stop = matches!(
            phase,
            Phase::Freeze
                | Phase::Save
                | Phase::Prepare
                | Phase::Refresh
                | Phase::Patch
                | Phase::Resume
        );
        let cancelled = can_stop.then(|| Arc::clone(self.cancel_signal()));
        Patience {
            per_controller: limits.per_hook,
            due: now.checked_add(whole).map(|due| (due, why)),
            is_cancelled: cancelled.map(|signal| Box::new(move || signal.is_raised()) as _),
            grace: limits.grace,
        }
    }
}

impl Tree {
    /// Returns the unit of the controller at this address.
    fn unit_at(&self, at: usize) -> Option<usize> {
        self.nodes().iter().position(|node| address(&**node) == at)
    }

    /// Returns the id of the controller at this address.
    pub(super) fn id_at(&self, at: usize) -> Option<ControllerId> {
        self.unit_at(at).map(|unit| self.id(unit).clone())
    }
}

impl KnownNames for Tree {
    fn name(&self, at: usize) -> Option<(ControllerId, &'static str)> {
        let unit = self.unit_at(at)?;
        Some((self.id(unit).clone(), self.plan.info(unit).type_url))
    }
}
