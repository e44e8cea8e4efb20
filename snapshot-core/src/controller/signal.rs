//! A flag that is raised once and wakes everybody who waits for it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Raised once, never lowered.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    raised: AtomicBool,
    waiting: Mutex<Wakers>,
}

#[derive(Debug, Default)]
struct Wakers {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Signal {
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::SeqCst);
        let wakers = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut waiting.wakers)
        };
        // Not under the lock: a waker may run its task right here.
        for waker in wakers.into_values() {
            waker.wake();
        }
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }

    /// Waits until the signal is raised.
    pub(crate) fn raised(self: &Arc<Self>) -> Raised {
        Raised { signal: Arc::clone(self), key: None }
    }
}

/// See [`Signal::raised`].
#[derive(Debug)]
pub(crate) struct Raised {
    signal: Arc<Signal>,
    key: Option<u64>,
}

impl Future for Raised {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.signal.is_raised() {
            return Poll::Ready(());
        }
        let key = {
            let mut waiting = self.signal.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let key = self.key.unwrap_or_else(|| {
                waiting.next += 1;
                waiting.next
            });
            waiting.wakers.insert(key, cx.waker().clone());
            key
        };
        self.key = Some(key);
        // If the signal was raised between the look and the entry of the waker, nobody would wake
        // this wait.
        if self.signal.is_raised() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = {
                let mut waiting =
                    self.signal.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.wakers.remove(&key)
            };
            drop(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_who_waits_is_woken_once_and_leaves_no_trace() {
        let signal = Arc::new(Signal::default());
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let raised = signal.raised();
                std::thread::spawn(|| futures_executor::block_on(raised))
            })
            .collect();
        signal.raise();
        for thread in waiting {
            thread.join().unwrap();
        }
        assert!(signal.is_raised());
        assert!(signal.waiting.lock().unwrap().wakers.is_empty());
    }

    #[test]
    fn who_stops_waiting_is_forgotten() {
        let signal = Arc::new(Signal::default());
        let mut raised = signal.raised();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut raised).poll(&mut cx).is_pending());
        assert_eq!(signal.waiting.lock().unwrap().wakers.len(), 1);
        drop(raised);
        assert!(signal.waiting.lock().unwrap().wakers.is_empty());
    }
}
