//! Deadlines without a runtime: one thread that sleeps until the next one is due.
//!
//! The thread is started at the first use and lives as long as the program. It wakes the task that
//! waits; and because that task may be unable to run, since a hook blocks its thread, it also calls
//! an alarm on its own.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;

/// What the timer thread calls when a deadline passes.
pub(crate) type Alarm = Box<dyn FnOnce() + Send>;

/// Something that the timer thread looks at from time to time, without waking anybody.
pub(crate) trait Watched: Send + Sync {
    /// Looks; says when to look again, never if that is past the end of time.
    fn look(&self, now: Instant) -> Option<Instant>;
}

/// Due time, then a serial number: two deadlines may be due at the same instant.
type Key = (Instant, u64);

#[derive(Default)]
struct Entry {
    waker: Option<Waker>,
    alarm: Option<Alarm>,
}

struct Watching {
    serial: u64,
    /// When to look; `None` while the thread looks, and if it never does again.
    due: Option<Instant>,
    watched: Arc<dyn Watched>,
}

#[derive(Default)]
struct Queue {
    next: u64,
    entries: BTreeMap<Key, Entry>,
    /// Few: one for each phase that runs.
    watches: Vec<Watching>,
    /// When the thread wakes by itself; `None` if it does not. Most deadlines come after one that it
    /// sleeps for already, even if that was taken back, and need not wake it.
    sleeps_until: Option<Instant>,
}

#[derive(Default)]
struct Timer {
    queue: Mutex<Queue>,
    /// An entry is due before the thread would wake.
    earlier: Condvar,
}

impl Timer {
    /// The timer of this program; started at the first call.
    fn get() -> Result<&'static Timer, Error> {
        static TIMER: OnceLock<Result<Arc<Timer>, String>> = OnceLock::new();
        let started = TIMER.get_or_init(|| {
            let timer = Arc::new(Timer::default());
            let running = Arc::clone(&timer);
            thread::Builder::new()
                .name("snapshot-timer".to_owned())
                .spawn(move || running.run())
                .map(|_| timer)
                .map_err(|error| error.to_string())
        });
        match started {
            Ok(timer) => Ok(timer),
            Err(error) => Err(Error::internal(format!("cannot start the timer thread: {error}"))),
        }
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
            // Both without the lock: they run code that is not ours.
            if let Some((serial, watched)) = queue.take_due(now) {
                drop(queue);
                // The thread must outlive a subscriber that panics.
                let next = catch_unwind(AssertUnwindSafe(|| watched.look(now))).unwrap_or_default();
                drop(watched);
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

    /// Adds something that is due at a time; gives its serial number.
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
    /// When the first entry or watch is due.
    fn next_due(&self) -> Option<Instant> {
        let watches = self.watches.iter().filter_map(|watching| watching.due);
        watches.chain(self.entries.first_key_value().map(|(&(due, _), _)| due)).min()
    }

    /// A watch that is due. It is not due again until the thread has looked.
    fn take_due(&mut self, now: Instant) -> Option<(u64, Arc<dyn Watched>)> {
        let watching =
            self.watches.iter_mut().find(|watching| watching.due.is_some_and(|due| due <= now))?;
        watching.due = None;
        Some((watching.serial, Arc::clone(&watching.watched)))
    }
}

impl Entry {
    fn fire(self) {
        if let Some(alarm) = self.alarm {
            // The thread must outlive a subscriber that panics.
            let _ = catch_unwind(AssertUnwindSafe(alarm));
        }
        if let Some(waker) = self.waker {
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }
}

/// Ends when its time has come.
pub(crate) struct Sleep {
    timer: &'static Timer,
    due: Instant,
    key: Key,
}

impl Sleep {
    /// When it ends.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// A sleep until `due`. The alarm is called then even if nobody polls the sleep; it is not
    /// called if the sleep is dropped before.
    pub(crate) fn until(due: Instant, alarm: Option<Alarm>) -> Result<Self, Error> {
        let timer = Timer::get()?;
        let entry = Entry { waker: None, alarm };
        let serial = timer.add(due, |queue, serial| {
            queue.entries.insert((due, serial), entry);
        });
        Ok(Self { timer, due, key: (due, serial) })
    }

    /// A sleep for so long; `None` if that is past the end of time.
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
    /// Watches, from `due` on.
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
        let mut queue = self.timer.lock();
        let at = queue.watches.iter().position(|watching| watching.serial == self.serial);
        let watching = at.map(|at| queue.watches.swap_remove(at));
        drop(queue);
        // Outside the lock, as for a sleep.
        drop(watching);
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.due {
            return Poll::Ready(());
        }
        let mut queue = self.timer.lock();
        match queue.entries.get_mut(&self.key) {
            Some(entry) => {
                if entry.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
                    entry.waker = Some(cx.waker().clone());
                }
                Poll::Pending
            }
            // Fired since the look at the clock.
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let entry = self.timer.lock().entries.remove(&self.key);
        // Outside the lock: what the alarm and the waker hold may do anything when dropped.
        drop(entry);
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("due", &self.due).finish_non_exhaustive()
    }
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

    /// Says every time when it is looked at, and asks to be again 10 ms later.
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
        // What was watched is gone with its sender, as soon as the thread lets go of it.
        while receive.recv_timeout(Duration::from_secs(10)).is_ok() {}
        assert_eq!(receive.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    }

    #[test]
    fn a_panicking_alarm_does_not_end_the_timer() {
        futures_executor::block_on(after(1, Some(Box::new(|| panic!("in the alarm")))));
        futures_executor::block_on(after(1, None));
    }
}
