//! Deadlines without a runtime: one thread that sleeps until the next one is due.
//!
//! The thread is started at the first use and lives as long as the process. It wakes the task that
//! waits. That task may be unable to run, because a hook blocks its thread, so the timer thread
//! also calls an alarm.
//!
//! A failed start is not remembered: the next use tries again. A process that was forked has no
//! timer thread of its own, and the queue that it has inherited may be locked by a thread that it
//! does not have. So a timer belongs to a process id: the child starts its own, and never locks its
//! parent's.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;
use crate::panics::quietly;

/// The function that the timer thread calls when a deadline passes.
pub(crate) type Alarm = Box<dyn FnOnce() + Send>;

/// Something that the timer thread looks at from time to time, without waking anybody.
pub(crate) trait Watched: Send + Sync {
    /// Looks, and returns the time of the next look; `None` if that is beyond the end of time.
    fn look(&self, now: Instant) -> Option<Instant>;
}

/// Due time, then a serial number: two deadlines may be due at the same instant.
type Key = (Instant, u64);

#[derive(Default)]
struct TimerEntry {
    waker: Option<Waker>,
    alarm: Option<Alarm>,
}

struct Watching {
    serial: u64,
    /// The time of the next look; `None` during a look, and if there is no other.
    due: Option<Instant>,
    watched: Arc<dyn Watched>,
}

struct Queue {
    next: u64,
    entries: BTreeMap<Key, TimerEntry>,
    /// One for each running phase, so they are few.
    watches: Vec<Watching>,
    /// The time at which the thread wakes; `None` if it does not. Most deadlines come after a time
    /// for which it sleeps already, even if that deadline was withdrawn, and need not wake it.
    sleeps_until: Option<Instant>,
}

/// The timer of one process.
struct Timer {
    /// The process to which it belongs; 0 while it is free.
    process: AtomicU32,
    /// Whether its thread runs.
    is_started: AtomicBool,
    /// Held while the thread is started.
    start: Mutex<()>,
    queue: Mutex<Queue>,
    /// Signals an entry that is due before the thread would wake.
    earlier: Condvar,
}

/// A process takes the first free timer. Those before it belong to the processes from which it was
/// forked, in order; siblings do not see each other's.
static TIMERS: [Timer; 32] = [const { Timer::new() }; 32];

impl Timer {
    const fn new() -> Self {
        Self {
            process: AtomicU32::new(0),
            is_started: AtomicBool::new(false),
            start: Mutex::new(()),
            queue: Mutex::new(Queue {
                next: 0,
                entries: BTreeMap::new(),
                watches: Vec::new(),
                sleeps_until: None,
            }),
            earlier: Condvar::new(),
        }
    }

    /// Returns the timer of this process, and starts it if it does not run yet.
    fn get() -> Result<&'static Timer, Error> {
        #[cfg(test)]
        if IS_MISSING.get() {
            return Err(Error::internal("the test allows no timer"));
        }
        Self::of(&TIMERS, process::id())
    }

    /// Returns the timer of a process.
    fn of(timers: &'static [Timer], process: u32) -> Result<&'static Timer, Error> {
        // Without a lock: the thread that holds one may not exist in the child of a fork.
        let is_its = |timer: &&Timer| match timer.process.load(Ordering::Relaxed) {
            0 => {
                let taken = timer.process.compare_exchange(
                    0,
                    process,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                );
                // Another thread of this process may have been faster.
                taken.map_or_else(|owner| owner == process, |_| true)
            }
            owner => owner == process,
        };
        let timer = timers.iter().find(is_its).ok_or_else(|| {
            Error::internal(format!(
                "cannot start the timer thread: this process comes from {} nested forks of \
                 processes with a timer; start it with `exec`",
                timers.len()
            ))
        })?;
        match timer.is_started.load(Ordering::Acquire) {
            true => Ok(timer),
            false => timer.start().map(|()| timer),
        }
    }

    #[cold]
    fn start(&'static self) -> Result<(), Error> {
        self.start_with(|run| {
            let thread = thread::Builder::new().name("snapshot-timer".to_owned());
            thread.spawn(run).map(drop)
        })
    }

    /// Starts the thread by this function, if it does not run.
    fn start_with(
        &'static self,
        spawn: impl FnOnce(Box<dyn FnOnce() + Send>) -> std::io::Result<()>,
    ) -> Result<(), Error> {
        let _starting = self.start.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_started.load(Ordering::Acquire) {
            return Ok(());
        }
        spawn(Box::new(|| self.run())).map_err(|error| {
            Error::internal(format!(
                "cannot start the timer thread, so no deadline is enforced: {error}; try again \
                 when the process can start another thread"
            ))
            .with_source(error)
        })?;
        self.is_started.store(true, Ordering::Release);
        Ok(())
    }

    /// Returns whether it belongs to this process, and not to one from which this was forked.
    fn is_ours(&self) -> bool {
        self.process.load(Ordering::Relaxed) == process::id()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut queue = self.lock();
        loop {
            let now = Instant::now();
            let Some(due) = queue.next_due() else {
                queue.sleeps_until = None;
                queue = self.earlier.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            if due > now {
                queue.sleeps_until = Some(due);
                let (next, _) = self
                    .earlier
                    .wait_timeout(queue, due - now)
                    .unwrap_or_else(PoisonError::into_inner);
                queue = next;
                continue;
            }
            // Both without the lock, because they run foreign code.
            if let Some((serial, watched)) = queue.take_due(now) {
                drop(queue);
                // The thread must outlive a subscriber that panics.
                let next = quietly(|| watched.look(now)).flatten();
                quietly(|| drop(watched));
                queue = self.lock();
                if let Some(watching) = queue.watches.iter_mut().find(|w| w.serial == serial) {
                    watching.due = next;
                }
                continue;
            }
            let Some((_, entry)) = queue.entries.pop_first() else { continue };
            drop(queue);
            entry.fire();
            queue = self.lock();
        }
    }

    /// Adds an entry that is due at a time. Returns its serial number.
    fn add(&self, due: Instant, add: impl FnOnce(&mut Queue, u64)) -> u64 {
        let mut queue = self.lock();
        queue.next += 1;
        let serial = queue.next;
        add(&mut queue, serial);
        let is_earlier = queue.sleeps_until.is_none_or(|wakes| due < wakes);
        drop(queue);
        if is_earlier {
            self.earlier.notify_one();
        }
        serial
    }
}

impl Queue {
    /// Returns the time at which the first entry or watch is due.
    fn next_due(&self) -> Option<Instant> {
        let watches = self.watches.iter().filter_map(|watching| watching.due);
        watches.chain(self.entries.first_key_value().map(|(&(due, _), _)| due)).min()
    }

    /// Takes a watch that is due. It is not due again until the thread has looked.
    fn take_due(&mut self, now: Instant) -> Option<(u64, Arc<dyn Watched>)> {
        let watching =
            self.watches.iter_mut().find(|watching| watching.due.is_some_and(|due| due <= now))?;
        watching.due = None;
        Some((watching.serial, Arc::clone(&watching.watched)))
    }
}

impl TimerEntry {
    fn fire(self) {
        if let Some(alarm) = self.alarm {
            // The thread must outlive a subscriber that panics.
            quietly(alarm);
        }
        if let Some(waker) = self.waker {
            quietly(|| waker.wake());
        }
    }
}

/// Ends at its due time.
pub(crate) struct Sleep {
    timer: &'static Timer,
    due: Instant,
    key: Key,
}

impl Sleep {
    /// Returns its due time.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Creates a sleep until `due`. The alarm is called then, even if nobody polls the sleep. It is
    /// not called if the sleep is dropped before, nor in the child of a fork.
    pub(crate) fn until(due: Instant, alarm: Option<Alarm>) -> Result<Self, Error> {
        let timer = Timer::get()?;
        let entry = TimerEntry { waker: None, alarm };
        let serial = timer.add(due, |queue, serial| {
            queue.entries.insert((due, serial), entry);
        });
        Ok(Self { timer, due, key: (due, serial) })
    }

    /// Creates a sleep of this duration; `None` if that is beyond the end of time.
    pub(crate) fn after(duration: Duration, alarm: Option<Alarm>) -> Result<Option<Self>, Error> {
        match Instant::now().checked_add(duration) {
            Some(due) => Self::until(due, alarm).map(Some),
            None => Ok(None),
        }
    }
}

/// Lets the timer thread look at something until this is dropped.
pub(crate) struct Watch {
    timer: &'static Timer,
    serial: u64,
}

impl Watch {
    /// Watches from `due` on.
    pub(crate) fn from(due: Instant, watched: Arc<dyn Watched>) -> Result<Self, Error> {
        let timer = Timer::get()?;
        let serial = timer.add(due, |queue, serial| {
            queue.watches.push(Watching { serial, due: Some(due), watched });
        });
        Ok(Self { timer, serial })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.timer.is_ours() {
            return;
        }
        let mut queue = self.timer.lock();
        let at = queue.watches.iter().position(|watching| watching.serial == self.serial);
        let watching = at.map(|at| queue.watches.swap_remove(at));
        drop(queue);
        // Not under the lock, as for a sleep.
        drop(watching);
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.due {
            return Poll::Ready(());
        }
        if !self.timer.is_ours() {
            match Self::until(self.due, None) {
                Ok(ours) => *self = ours,
                // Better too early than never.
                Err(_) => return Poll::Ready(()),
            }
        }
        let mut queue = self.timer.lock();
        match queue.entries.get_mut(&self.key) {
            Some(entry) => {
                if entry.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
                    entry.waker = Some(cx.waker().clone());
                }
                Poll::Pending
            }
            // It was called since the look at the clock.
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if !self.timer.is_ours() {
            return;
        }
        let entry = self.timer.lock().entries.remove(&self.key);
        // Not under the lock: the destructors of the alarm and the waker may do anything.
        drop(entry);
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("due", &self.due).finish_non_exhaustive()
    }
}

#[cfg(test)]
thread_local! {
    /// Whether this thread of a test has no timer.
    pub(super) static IS_MISSING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn after(millis: u64, alarm: Option<Alarm>) -> Sleep {
        Sleep::after(Duration::from_millis(millis), alarm).unwrap().unwrap()
    }

    #[test]
    fn sleeps_end_in_the_order_in_which_they_are_due() {
        let (send, receive) = mpsc::channel();
        let alarm = |n: u32| -> Option<Alarm> {
            let send = send.clone();
            Some(Box::new(move || send.send(n).unwrap()))
        };
        let sleeps = [after(60, alarm(3)), after(20, alarm(1)), after(40, alarm(2))];
        for sleep in sleeps {
            futures_executor::block_on(sleep);
        }
        assert_eq!(receive.try_iter().collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn the_alarm_sounds_while_the_waiting_thread_is_blocked() {
        let (send, receive) = mpsc::channel();
        let _sleep = after(10, Some(Box::new(move || send.send(()).unwrap())));
        // Nobody polls.
        receive.recv_timeout(Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn a_dropped_sleep_sounds_no_alarm() {
        let (send, receive) = mpsc::channel::<()>();
        drop(after(10_000, Some(Box::new(move || send.send(()).unwrap()))));
        // The alarm is gone with its sender.
        assert_eq!(receive.recv(), Err(mpsc::RecvError));
    }

    /// Reports each look, and asks for the next one 10 ms later.
    struct Looked(mpsc::Sender<Instant>);

    impl Watched for Looked {
        fn look(&self, now: Instant) -> Option<Instant> {
            let _ = self.0.send(now);
            now.checked_add(Duration::from_millis(10))
        }
    }

    #[test]
    fn a_watch_is_looked_at_when_it_says_until_it_is_dropped() {
        let (send, receive) = mpsc::channel();
        let start = Instant::now();
        let watch = Watch::from(start + Duration::from_millis(10), Arc::new(Looked(send))).unwrap();
        for n in 1..=3 {
            let at = receive.recv_timeout(Duration::from_secs(10)).unwrap();
            assert!(at >= start + n * Duration::from_millis(10), "look {n} came early");
        }
        drop(watch);
        // The watched value is dropped with its sender, as soon as the thread releases it.
        while receive.recv_timeout(Duration::from_secs(10)).is_ok() {}
        assert_eq!(receive.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    }

    /// Timers of invented processes, so that no other test has them.
    fn timers() -> &'static [Timer] {
        Box::leak(Box::new([const { Timer::new() }; 3]))
    }

    #[test]
    fn a_start_that_failed_is_tried_again() {
        let timer = &timers()[0];
        let refused = timer.start_with(|_| Err(std::io::Error::other("no thread to be had")));
        let error = refused.unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot start the timer thread, so no deadline is enforced: no thread to be had; try \
             again when the process can start another thread"
        );
        let mut starts = 0;
        for _ in 0..2 {
            timer
                .start_with(|_| {
                    starts += 1;
                    Ok(())
                })
                .unwrap();
        }
        assert_eq!(starts, 1);
    }

    #[test]
    fn each_process_has_a_timer_of_its_own_and_a_child_never_its_parents() {
        let timers = timers();
        // Each was forked from the one before.
        for (at, process) in [1001, 1002, 1003].into_iter().enumerate() {
            for _ in 0..2 {
                let timer = Timer::of(timers, process).unwrap();
                assert!(std::ptr::eq(timer, &timers[at]));
                assert!(!timer.is_ours());
            }
        }
        let error = Timer::of(timers, 1004).err().unwrap().to_string();
        assert!(error.contains("comes from 3 nested forks"), "{error}");
        assert!(Timer::get().unwrap().is_ours());
    }

    #[test]
    fn a_panicking_alarm_does_not_end_the_timer() {
        futures_executor::block_on(after(1, Some(Box::new(|| panic!("in the alarm")))));
        futures_executor::block_on(after(1, None));
    }
}
