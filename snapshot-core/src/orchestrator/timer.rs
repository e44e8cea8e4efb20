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

/// Due time, then a serial number: two deadlines may be due at the same instant.
type Key = (Instant, u64);

#[derive(Default)]
struct Entry {
    waker: Option<Waker>,
    alarm: Option<Alarm>,
}

#[derive(Default)]
struct Queue {
    next: u64,
    entries: BTreeMap<Key, Entry>,
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
            let Some((&(due, _), _)) = queue.entries.first_key_value() else {
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
            let Some((_, entry)) = queue.entries.pop_first() else { continue };
            drop(queue);
            entry.fire();
            queue = self.lock();
        }
    }

    fn insert(&self, due: Instant, entry: Entry) -> Key {
        let mut queue = self.lock();
        queue.next += 1;
        let key = (due, queue.next);
        queue.entries.insert(key, entry);
        let is_earlier = queue.sleeps_until.is_none_or(|wakes| due < wakes);
        drop(queue);
        if is_earlier {
            self.earlier.notify_one();
        }
        key
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
    /// A sleep until `due`. The alarm is called then even if nobody polls the sleep; it is not
    /// called if the sleep is dropped before.
    pub(crate) fn until(due: Instant, alarm: Option<Alarm>) -> Result<Self, Error> {
        let timer = Timer::get()?;
        let key = timer.insert(due, Entry { waker: None, alarm });
        Ok(Self { timer, due, key })
    }

    /// A sleep for so long; `None` if that is past the end of time.
    pub(crate) fn after(duration: Duration, alarm: Option<Alarm>) -> Result<Option<Self>, Error> {
        match Instant::now().checked_add(duration) {
            Some(due) => Self::until(due, alarm).map(Some),
            None => Ok(None),
        }
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

    #[test]
    fn a_panicking_alarm_does_not_end_the_timer() {
        futures_executor::block_on(after(1, Some(Box::new(|| panic!("in the alarm")))));
        futures_executor::block_on(after(1, None));
    }
}
