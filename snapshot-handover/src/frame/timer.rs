//! Deadlines without a runtime.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use snapshot_core::Error;

/// A future that ends after some time.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A source of deadlines. [`ThreadTimer`] needs no runtime. A program with a runtime can implement
/// its own:
///
/// ```
/// use std::time::Duration;
/// use snapshot_core::Error;
/// use snapshot_handover::frame::{Sleep, Timer};
///
/// struct Tokio;
///
/// impl Timer for Tokio {
///     fn sleep(&self, time: Duration) -> Result<Sleep, Error> {
///         Ok(Box::pin(tokio::time::sleep(time)))
///     }
/// }
/// ```
pub trait Timer: Send + Sync {
    /// Returns a future that ends after `time`.
    ///
    /// # Errors
    ///
    /// If the timer cannot run. The step that needs the deadline then fails, because nothing waits
    /// without a deadline.
    fn sleep(&self, time: Duration) -> Result<Sleep, Error>;
}

/// A timer with its own thread, which is started at the first use and lives as long as the program.
/// All timers of this type share it. If it cannot be started, the next use tries again.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadTimer;

// Both well-kept timers without a runtime, futures-timer and async-io, panic if their thread cannot
// be started. Here that is an error, and the next use tries again.

/// Due time, then a serial number: two sleeps may be due at the same instant.
type Key = (Instant, u64);

#[derive(Default)]
struct Queue {
    next: u64,
    wakers: BTreeMap<Key, Option<Waker>>,
    /// The process in which the thread runs. A child after a `fork` does not have the thread.
    runs_in: Option<u32>,
}

#[derive(Default)]
struct AlarmList {
    queue: Mutex<Queue>,
    earlier: Condvar,
}

static SHARED: AlarmList = AlarmList {
    queue: Mutex::new(Queue { next: 0, wakers: BTreeMap::new(), runs_in: None }),
    earlier: Condvar::new(),
};

impl AlarmList {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut queue = self.lock();
        loop {
            let Some((&(due, _), _)) = queue.wakers.first_key_value() else {
                queue = self.earlier.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = due.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                let waited = self.earlier.wait_timeout(queue, left);
                (queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            if let Some((_, Some(waker))) = queue.wakers.pop_first() {
                // Without the lock: it runs code of the executor.
                drop(queue);
                waker.wake();
                queue = self.lock();
            }
        }
    }
}

impl Timer for ThreadTimer {
    fn sleep(&self, time: Duration) -> Result<Sleep, Error> {
        let Some(due) = Instant::now().checked_add(time) else {
            return Ok(Box::pin(std::future::pending()));
        };
        let mut queue = SHARED.lock();
        let process = std::process::id();
        if queue.runs_in != Some(process) {
            thread::Builder::new()
                .name("handover-timer".to_owned())
                .spawn(|| SHARED.run())
                .map_err(|error| {
                    let reason = format!("cannot start the timer thread: {error}; try again");
                    Error::internal(reason).with_source(error)
                })?;
            queue.runs_in = Some(process);
        }
        queue.next += 1;
        let key = (due, queue.next);
        queue.wakers.insert(key, None);
        drop(queue);
        SHARED.earlier.notify_one();
        Ok(Box::pin(Pending { key }))
    }
}

struct Pending {
    key: Key,
}

impl Future for Pending {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match SHARED.lock().wakers.get_mut(&self.key) {
            Some(waker) if self.key.0 > Instant::now() => {
                *waker = Some(cx.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        SHARED.lock().wakers.remove(&self.key);
    }
}

/// Returns the timer for a program that sets none.
pub(crate) fn default_timer() -> Arc<dyn Timer> {
    Arc::new(ThreadTimer)
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;
    use futures_util::future::{Either, select};

    use super::*;

    #[test]
    fn the_earlier_of_two_sleeps_ends_first() {
        block_on(async {
            let long = ThreadTimer.sleep(Duration::from_secs(3600)).unwrap();
            let short = ThreadTimer.sleep(Duration::from_millis(5)).unwrap();
            assert!(matches!(select(long, short).await, Either::Right(_)));
        });
    }

    #[test]
    fn a_sleep_without_end_is_no_overflow() {
        block_on(async {
            let endless = ThreadTimer.sleep(Duration::MAX).unwrap();
            let short = ThreadTimer.sleep(Duration::ZERO).unwrap();
            assert!(matches!(select(endless, short).await, Either::Right(_)));
        });
    }
}
