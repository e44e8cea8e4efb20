//! A gate for operations, which a freeze closes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::error::Error;

/// Admits operations while a controller is live, and keeps them out while it migrates.
///
/// An operation that changes the controller [enters](Gate::enter) the gate and holds the [`Inside`]
/// until it has ended. `freeze` [closes](Gate::close) the gate, which waits for the operations
/// inside; `thaw` and `resume` [open](Gate::open) it. An imported controller starts with a
/// [closed](Gate::closed) gate.
///
/// ```
/// use std::ops::DerefMut;
/// use std::sync::{Mutex, PoisonError};
///
/// use snapshot_core::{Context, Controller, Error, Gate, Payload};
///
/// struct Disk<S> {
///     state: Mutex<S>,
///     gate: Gate,
/// }
///
/// impl<S: Payload> Disk<S> {
///     /// An operation of the program. It is refused while the disk is migrating.
///     async fn write(&self, write: impl FnOnce(&mut S)) -> Result<(), Error> {
///         let _inside = self.gate.enter()?;
///         // Whatever is awaited here has ended before the disk is frozen.
///         write(&mut self.state());
///         Ok(())
///     }
/// }
///
/// impl<S: Payload> Controller for Disk<S> {
///     type State = S;
///
///     fn state(&self) -> impl DerefMut<Target = S> + '_ {
///         self.state.lock().unwrap_or_else(PoisonError::into_inner)
///     }
///
///     fn import(state: S) -> Result<Self, Error> {
///         Ok(Disk { state: Mutex::new(state), gate: Gate::closed() })
///     }
///
///     async fn freeze(&self, _: &Context) -> Result<(), Error> {
///         self.gate.close().await;
///         Ok(())
///     }
///
///     async fn thaw(&self, _: &Context) -> Result<(), Error> {
///         self.gate.open();
///         Ok(())
///     }
///
///     async fn resume(&self, _: &Context) -> Result<(), Error> {
///         self.gate.open();
///         Ok(())
///     }
///
///     async fn abort(&self, _: &Context) -> Result<(), Error> {
///         self.gate.close().await;
///         Ok(())
///     }
/// }
/// ```
///
/// The deadline of the hook bounds the wait of `close`: an operation that does not end makes the
/// freeze fail, and `thaw` opens the gate again. An operation that is inside must not wait for the
/// migration.
///
/// Entering an open gate takes a few atomic instructions and no lock. All clones share one gate, so
/// each task can have a clone.
#[derive(Clone)]
pub struct Gate(Arc<GateState>);

struct GateState {
    /// The number of operations inside, times [`ONE`], plus [`CLOSED`] if the gate is closed.
    word: AtomicUsize,
    slow: Mutex<Slow>,
}

/// The bit of [`GateState::word`] that keeps operations out.
const CLOSED: usize = 1;
/// The amount that one operation inside adds to [`GateState::word`].
const ONE: usize = 2;

/// The rest, which only closing, opening and waiting need.
#[derive(Default)]
struct Slow {
    /// Whether the gate is closed, apart from pending closes.
    is_closed: bool,
    /// The number of closes that wait for the operations inside. They keep the gate closed.
    closing: usize,
    /// The wakers of those who wait, by the number of the wait.
    wakers: Vec<(u64, Waker)>,
    next: u64,
}

impl Slow {
    fn word(&self) -> usize {
        if self.is_closed || self.closing > 0 { CLOSED } else { 0 }
    }

    /// Stores the waker of a wait. The first call gives the wait a number.
    fn wait(&mut self, number: &mut Option<u64>, waker: &Waker) {
        let number = *number.get_or_insert_with(|| {
            self.next += 1;
            self.next
        });
        match self.wakers.iter_mut().find(|(of, _)| *of == number) {
            Some((_, known)) => known.clone_from(waker),
            None => self.wakers.push((number, waker.clone())),
        }
    }

    fn stop_waiting(&mut self, number: Option<u64>) -> Option<Waker> {
        let at = self.wakers.iter().position(|(of, _)| Some(*of) == number)?;
        Some(self.wakers.swap_remove(at).1)
    }
}

impl GateState {
    fn slow(&self) -> MutexGuard<'_, Slow> {
        // Only the clone of a waker can panic under this lock, and that leaves the data whole.
        self.slow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies the state of `slow` into the word.
    fn publish(&self, slow: &Slow) {
        match slow.word() {
            CLOSED => self.word.fetch_or(CLOSED, Ordering::SeqCst),
            _ => self.word.fetch_and(!CLOSED, Ordering::SeqCst),
        };
    }

    fn try_enter(&self) -> bool {
        let enter = |word| (word & CLOSED == 0).then_some(word + ONE);
        self.word.fetch_update(Ordering::SeqCst, Ordering::SeqCst, enter).is_ok()
    }

    /// Wakes everybody who waits. Not under the lock: a waker may run its task right here.
    fn wake_all(&self) {
        let wakers = std::mem::take(&mut self.slow().wakers);
        for (_, waker) in wakers {
            waker.wake();
        }
    }
}

impl Gate {
    /// Creates an open gate.
    pub fn new() -> Self {
        Self::with(Slow::default())
    }

    /// Creates a closed gate, which a controller needs from its import to its `resume`.
    pub fn closed() -> Self {
        Self::with(Slow { is_closed: true, ..Slow::default() })
    }

    fn with(slow: Slow) -> Self {
        Self(Arc::new(GateState { word: AtomicUsize::new(slow.word()), slow: Mutex::new(slow) }))
    }

    /// Admits an operation. It is inside until the [`Inside`] is dropped.
    ///
    /// # Errors
    ///
    /// [`Code::FailedPrecondition`](crate::Code::FailedPrecondition) while the gate is closed or being
    /// closed.
    pub fn enter(&self) -> Result<Inside, Error> {
        match self.0.try_enter() {
            true => Ok(Inside(Arc::clone(&self.0))),
            false => Err(migrating()),
        }
    }

    /// Admits an operation as soon as the gate is open: at once, or when the migration has ended
    /// here. After a commit that never happens. Dropping the future ends the wait.
    pub fn enter_when_open(&self) -> impl Future<Output = Inside> + Send + use<> {
        Entering { gate: Arc::clone(&self.0), number: None }
    }

    /// Keeps further operations out from the call on, and waits until those inside have left. It
    /// returns at once if nobody is inside.
    ///
    /// If the future is dropped before it is ready, the gate is as it was before the call. An
    /// [`open`](Gate::open) during the wait does not end it: when the wait ends, the gate is
    /// closed.
    pub fn close(&self) -> impl Future<Output = ()> + Send + use<> {
        let gate = Arc::clone(&self.0);
        let mut slow = gate.slow();
        slow.closing += 1;
        gate.publish(&slow);
        drop(slow);
        Closing { gate, number: None, is_done: false }
    }

    /// Opens the gate, and wakes those that [wait](Gate::enter_when_open).
    pub fn open(&self) {
        let mut slow = self.0.slow();
        slow.is_closed = false;
        self.0.publish(&slow);
        drop(slow);
        self.0.wake_all();
    }

    /// Returns whether operations are kept out.
    pub fn is_closed(&self) -> bool {
        self.0.word.load(Ordering::SeqCst) & CLOSED != 0
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.0.word.load(Ordering::SeqCst);
        f.debug_struct("Gate")
            .field("closed", &(word & CLOSED != 0))
            .field("inside", &(word / ONE))
            .finish()
    }
}

#[cold]
fn migrating() -> Error {
    Error::precondition("is migrating: wait until the migration has ended")
}

/// An operation inside a [`Gate`]. Dropping it leaves the gate, also when the operation panics.
#[must_use = "an operation is inside only until this is dropped"]
pub struct Inside(Arc<GateState>);

impl Drop for Inside {
    fn drop(&mut self) {
        let before = self.0.word.fetch_sub(ONE, Ordering::SeqCst);
        if before == ONE | CLOSED {
            self.0.wake_all();
        }
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inside")
    }
}

/// See [`Gate::enter_when_open`].
struct Entering {
    gate: Arc<GateState>,
    number: Option<u64>,
}

impl Future for Entering {
    type Output = Inside;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Inside> {
        let this = self.get_mut();
        if !this.gate.try_enter() {
            this.gate.slow().wait(&mut this.number, task.waker());
            // If the gate was opened between the attempt and the entry of the waker, nobody would
            // wake this wait.
            if !this.gate.try_enter() {
                return Poll::Pending;
            }
        }
        Poll::Ready(Inside(Arc::clone(&this.gate)))
    }
}

impl Drop for Entering {
    fn drop(&mut self) {
        let waker = self.gate.slow().stop_waiting(self.number);
        drop(waker);
    }
}

/// See [`Gate::close`].
struct Closing {
    gate: Arc<GateState>,
    number: Option<u64>,
    is_done: bool,
}

impl Closing {
    /// Nobody is inside any more. The gate stays closed without this wait.
    fn finish(&mut self) {
        let mut slow = self.gate.slow();
        slow.is_closed = true;
        slow.closing -= 1;
        let waker = slow.stop_waiting(self.number.take());
        drop(slow);
        drop(waker);
        self.is_done = true;
    }
}

impl Future for Closing {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let is_empty = |gate: &GateState| gate.word.load(Ordering::SeqCst) / ONE == 0;
        if this.is_done {
            return Poll::Ready(());
        }
        if !is_empty(&this.gate) {
            this.gate.slow().wait(&mut this.number, task.waker());
            // If the last operation left between the look and the entry of the waker, nobody would
            // wake this wait.
            if !is_empty(&this.gate) {
                return Poll::Pending;
            }
        }
        this.finish();
        Poll::Ready(())
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        let mut slow = self.gate.slow();
        slow.closing -= 1;
        self.gate.publish(&slow);
        let waker = slow.stop_waiting(self.number);
        let is_open = slow.word() == 0;
        drop(slow);
        drop(waker);
        if is_open {
            self.gate.wake_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicBool, AtomicU32};
    use std::thread;

    use futures_executor::block_on;

    use super::*;
    use crate::error::Code;

    fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn waiting(gate: &Gate) -> usize {
        gate.0.slow().wakers.len()
    }

    #[test]
    fn a_closed_gate_refuses_operations_and_an_open_one_lets_them_in() {
        let gate = Gate::new();
        drop(gate.enter().unwrap());
        block_on(gate.close());
        assert!(gate.is_closed());
        let error = gate.enter().unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert!(error.to_string().contains("is migrating: wait until"), "{error}");
        gate.open();
        drop(gate.enter().unwrap());
        assert!(Gate::closed().enter().is_err());
    }

    #[test]
    fn a_close_waits_for_everybody_inside_and_lets_nobody_in_meanwhile() {
        let gate = Gate::new();
        let (first, second) = (gate.enter().unwrap(), gate.enter().unwrap());
        let mut close = pin!(gate.close());
        assert!(poll_once(close.as_mut()).is_pending());
        assert!(gate.enter().is_err());
        drop(first);
        assert!(poll_once(close.as_mut()).is_pending());
        drop(second);
        assert!(poll_once(close.as_mut()).is_ready());
        assert_eq!(waiting(&gate), 0);
    }

    #[test]
    fn a_close_keeps_operations_out_before_its_first_poll() {
        let gate = Gate::new();
        let close = gate.close();
        assert!(gate.enter().is_err());
        drop(close);
        assert!(gate.enter().is_ok());
    }

    #[test]
    fn a_dropped_close_leaves_the_gate_as_it_was() {
        let gate = Gate::new();
        let inside = gate.enter().unwrap();
        {
            let mut close = pin!(gate.close());
            assert!(poll_once(close.as_mut()).is_pending());
        }
        assert_eq!(waiting(&gate), 0);
        drop(gate.enter().unwrap());
        drop(inside);
        block_on(gate.close());
        // A gate that was closed before stays closed.
        drop(gate.close());
        assert!(gate.is_closed());
    }

    #[test]
    fn a_dropped_close_does_not_open_the_gate_for_another_that_waits() {
        let gate = Gate::new();
        let inside = gate.enter().unwrap();
        let mut other = pin!(gate.close());
        assert!(poll_once(other.as_mut()).is_pending());
        drop(gate.close());
        assert!(gate.is_closed());
        gate.open();
        assert!(gate.is_closed(), "the other one still closes it");
        drop(inside);
        assert!(poll_once(other.as_mut()).is_ready());
        assert!(gate.is_closed());
    }

    #[test]
    fn an_operation_that_panics_inside_leaves_the_gate() {
        let gate = Gate::new();
        let inside = gate.clone();
        let panicked = thread::spawn(move || {
            let _inside = inside.enter().unwrap();
            panic!("on purpose");
        });
        assert!(panicked.join().is_err());
        block_on(gate.close());
    }

    #[test]
    fn who_waits_for_an_open_gate_enters_when_it_opens() {
        let gate = Gate::closed();
        {
            let mut given_up = pin!(gate.enter_when_open());
            assert!(poll_once(given_up.as_mut()).is_pending());
        }
        assert_eq!(waiting(&gate), 0);
        let waiting = gate.enter_when_open();
        let entered = thread::spawn(|| block_on(waiting));
        gate.open();
        let inside = entered.join().unwrap();
        let mut close = pin!(gate.close());
        assert!(poll_once(close.as_mut()).is_pending());
        drop(inside);
        assert!(poll_once(close.as_mut()).is_ready());
    }

    #[test]
    fn no_operation_of_any_thread_runs_while_the_gate_is_closed() {
        let gate = Gate::new();
        let (running, ended) = (AtomicU32::new(0), AtomicBool::new(false));
        thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    while !ended.load(Ordering::SeqCst) {
                        let _inside = block_on(gate.enter_when_open());
                        running.fetch_add(1, Ordering::SeqCst);
                        thread::yield_now();
                        running.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
            for _ in 0..200 {
                block_on(gate.close());
                assert_eq!(running.load(Ordering::SeqCst), 0);
                thread::yield_now();
                assert_eq!(running.load(Ordering::SeqCst), 0);
                gate.open();
            }
            ended.store(true, Ordering::SeqCst);
        });
        assert_eq!(waiting(&gate), 0);
    }
}
