//! Locks the state of a controller. The waiting thread is known by name, a panic under the lock
//! poisons nothing, and a wait can be given up.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt;
use std::hint;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Controller, address};
use crate::error::{Code, Error};
use crate::panics::{caught, panicked};
use crate::path::ControllerId;

/// Runs `work` while the lock of a controller's state is held.
///
/// A panic in `work` is caught before the lock is released, so it poisons no lock.
///
/// # Errors
///
/// Those of `work`. Also if `state` panics, or if the wait was given up.
#[inline]
pub(crate) fn with_state<C: Controller, T>(
    controller: &C,
    work: impl FnOnce(&mut C::State) -> Result<T, Error>,
) -> Result<T, Error> {
    locked(controller, || with_board(|board| lock(controller, board)), work)
}

/// Does the same for a caller that has the board of this thread at hand. The lock of each controller
/// then takes half as long.
#[inline]
pub(crate) fn with_state_by<C: Controller, T>(
    controller: &C,
    board: Option<&Board>,
    work: impl FnOnce(&mut C::State) -> Result<T, Error>,
) -> Result<T, Error> {
    locked(controller, || lock(controller, board), work)
}

#[inline]
fn locked<C: Controller, G: DerefMut<Target = C::State>, T>(
    controller: &C,
    lock: impl FnOnce() -> Result<G, Error>,
    work: impl FnOnce(&mut C::State) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut is_locked = false;
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut state = lock()?;
        is_locked = true;
        caught(|| work(&mut *state))
    }));
    match result {
        Ok(result) => result,
        Err(panic) => Err(outside(panicked(panic), is_locked, address(controller))),
    }
}

/// Returns the error of a panic in `state`, or of one that occurred while the lock was released.
#[cold]
#[inline(never)]
fn outside(error: Error, was_locked: bool, address: usize) -> Error {
    with_board(|board| board.map(Board::end));
    let before = match was_locked {
        true => "while the lock of its state was released, ",
        false => {
            "its `state` function must return the state in every case, also when the lock is \
             poisoned (`lock().unwrap_or_else(PoisonError::into_inner)`), but it "
        }
    };
    error.explained(before).of_node(address)
}

/// A locked state, by the function that returned it.
enum Locked<T, S> {
    Tried(T),
    Waited(S),
}

impl<S, A: Deref<Target = S>, B: Deref<Target = S>> Deref for Locked<A, B> {
    type Target = S;

    #[inline]
    fn deref(&self) -> &S {
        match self {
            Self::Tried(state) => state,
            Self::Waited(state) => state,
        }
    }
}

impl<S, A: DerefMut<Target = S>, B: DerefMut<Target = S>> DerefMut for Locked<A, B> {
    #[inline]
    fn deref_mut(&mut self) -> &mut S {
        match self {
            Self::Tried(state) => state,
            Self::Waited(state) => state,
        }
    }
}

// In line, as the code around it is for each type of controller: a call costs as much as the lock.
#[cfg_attr(not(debug_assertions), inline(always))]
fn lock<'c, C: Controller>(
    controller: &'c C,
    board: Option<&Board>,
) -> Result<impl DerefMut<Target = C::State> + use<'c, C>, Error> {
    let Some(board) = board else { return Ok(Locked::Waited(controller.state())) };
    board.begin(address(controller));
    let tried = controller.try_state();
    let locked = match tried {
        Some(state) => Ok(Locked::Tried(state)),
        // The default of `try_state`. The compiler knows it by its type.
        ref none if size_of_val(none) == 0 => Ok(Locked::Waited(controller.state())),
        None => poll(|| controller.try_state(), board, address(controller)).map(Locked::Tried),
    };
    board.end();
    locked
}

/// Tries repeatedly, until the state is locked or the wait is given up.
#[cold]
#[inline(never)]
fn poll<S>(
    mut attempt: impl FnMut() -> Option<S>,
    board: &Board,
    address: usize,
) -> Result<S, Error> {
    /// The number of tries in a row, for a lock that is held only briefly.
    const SPINS: u32 = 100;
    const LONGEST_PAUSE: Duration = Duration::from_millis(1);
    for _ in 0..SPINS {
        if let Some(state) = attempt() {
            return Ok(state);
        }
        hint::spin_loop();
    }
    let mut wait = Wait { began: Instant::now(), cancelled: None };
    let mut pause = Duration::from_micros(10);
    loop {
        if let Some(reason) = board.gives_up(&mut wait) {
            return Err(reason.of_node(address));
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
        if let Some(state) = attempt() {
            return Ok(state);
        }
    }
}

/// A wait that can be given up.
struct Wait {
    began: Instant,
    /// The time at which the cancellation was first noticed.
    cancelled: Option<Instant>,
}

/// The limits of the wait for a controller's state.
pub(crate) struct Patience {
    /// The time for one controller.
    pub(crate) per_controller: Duration,
    /// The time at which the whole phase is due, and its text in the error.
    pub(crate) due: Option<(Instant, String)>,
    /// Whether the migration was cancelled; `None` where that has no effect.
    pub(crate) is_cancelled: Option<Box<dyn Fn() -> bool + Send + Sync>>,
    /// The time that remains after the cancellation.
    pub(crate) grace: Duration,
}

/// Finds the controller at an address, or with another mark that the room has agreed on.
pub(crate) trait KnownNames: Send + Sync {
    /// Returns its id and its type URL, if it is known here.
    fn name(&self, address: usize) -> Option<(ControllerId, &'static str)>;
}

/// The mark of a snapshot that is being read: the ids of its controllers are not known yet.
pub(crate) const READING: usize = usize::MAX;

/// A board on which a thread notes whose state it waits for. The timer thread reads it.
pub(crate) struct Board {
    /// The number of waits so far.
    serial: AtomicU64,
    /// The [`address`] of the controller whose state is awaited; 0 if there is none.
    address: AtomicUsize,
    /// The mark of the controller whose code runs outside of a hook, such as an adapter; 0 if there
    /// is none.
    at_work: AtomicUsize,
    /// Whether a wait was given up. After that no other wait begins, because each would take as
    /// long.
    has_given_up: AtomicBool,
    patience: Patience,
    /// The sources of names. The last one is asked first.
    names: Mutex<Vec<Arc<dyn KnownNames>>>,
}

impl Board {
    pub(crate) fn new(patience: Patience) -> Self {
        Self {
            serial: AtomicU64::new(0),
            address: AtomicUsize::new(0),
            at_work: AtomicUsize::new(0),
            has_given_up: AtomicBool::new(false),
            patience,
            names: Mutex::default(),
        }
    }

    #[inline]
    fn begin(&self, address: usize) {
        // Only one thread writes.
        let serial = self.serial.load(Ordering::Relaxed);
        self.serial.store(serial.wrapping_add(1), Ordering::Relaxed);
        self.address.store(address, Ordering::Relaxed);
    }

    #[inline]
    fn end(&self) {
        self.address.store(0, Ordering::Relaxed);
    }

    /// Returns the current wait: its unique number, and the address of the controller.
    pub(crate) fn waits_for(&self) -> Option<(u64, usize)> {
        let address = self.address.load(Ordering::Relaxed);
        (address != 0).then(|| (self.serial.load(Ordering::Relaxed), address))
    }

    /// Notes that the code of the controller with this mark runs; 0 if it has ended. The mark is its
    /// address, unless the sources of names use another one. It must not be 0 then.
    #[inline]
    pub(crate) fn work_on(&self, mark: usize) {
        self.at_work.store(mark, Ordering::Relaxed);
    }

    /// Returns the current work outside of waits: the number of the last wait, and the mark of the
    /// controller.
    pub(crate) fn works_on(&self) -> Option<(u64, usize)> {
        let mark = self.at_work.load(Ordering::Relaxed);
        (mark != 0).then(|| (self.serial.load(Ordering::Relaxed), mark))
    }

    pub(crate) fn patience(&self) -> &Patience {
        &self.patience
    }

    /// Returns the id and the type URL of a controller, if it is known.
    pub(crate) fn name(&self, address: usize) -> Option<(ControllerId, &'static str)> {
        // Not under the lock, because the sources of names have locks of their own.
        let names = self.names().clone();
        names.iter().rev().find_map(|names| names.name(address))
    }

    fn names(&self) -> std::sync::MutexGuard<'_, Vec<Arc<dyn KnownNames>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a source of names, which is asked first.
    pub(crate) fn add_names(&self, names: Arc<dyn KnownNames>) {
        self.names().push(names);
    }

    /// Removes the source of names that was added last.
    pub(crate) fn remove_names(&self) {
        let last = self.names().pop();
        drop(last);
    }

    #[cold]
    fn gives_up(&self, wait: &mut Wait) -> Option<Error> {
        let Patience { per_controller, due, is_cancelled, grace } = &self.patience;
        let now = Instant::now();
        let waited = now.saturating_duration_since(wait.began);
        if is_cancelled.as_ref().is_some_and(|is_cancelled| is_cancelled()) {
            wait.cancelled.get_or_insert(now);
        }
        let is_over = self.has_given_up.load(Ordering::Relaxed);
        let (code, why) = match (due, wait.cancelled) {
            (Some((due, why)), _) if now >= *due => (Code::DeadlineExceeded, why.clone()),
            (_, Some(at)) if is_over || now.saturating_duration_since(at) >= *grace => {
                (Code::Cancelled, "the migration was cancelled".to_owned())
            }
            _ if is_over => {
                (Code::DeadlineExceeded, "the wait for another lock has already failed".to_owned())
            }
            _ if waited >= *per_controller => {
                (Code::DeadlineExceeded, format!("the wait took longer than {per_controller:?}"))
            }
            _ => return None,
        };
        self.has_given_up.store(true, Ordering::Relaxed);
        Some(Error::new(code, format!("its state cannot be locked, {why}: {WHO_HOLDS_IT}")))
    }
}

/// The advice for a lock that is not released.
pub(crate) const WHO_HOLDS_IT: &str = "look for a thread or task that keeps the guard of its state, \
     or holds it and waits for the state of a parent (lock parents before children)";

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").field("waits_for", &self.waits_for()).finish_non_exhaustive()
    }
}

thread_local! {
    /// The board on which this thread notes whose state it waits for.
    static BOARD: RefCell<Option<Arc<Board>>> = const { RefCell::new(None) };
}

/// Runs code with the board of this thread, if it has one.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn with_board<T>(run: impl FnOnce(Option<&Board>) -> T) -> T {
    let mut run = Some(run);
    let ran = BOARD.try_with(|board| {
        let board = board.try_borrow().ok()?;
        run.take().map(|run| run(board.as_deref()))
    });
    match (ran, run) {
        (Ok(Some(result)), _) => result,
        // The thread is about to end.
        (_, Some(run)) => run(None),
        // If `run` was taken, it has returned a value.
        (_, None) => unreachable!(),
    }
}

/// Runs code of this thread with a board.
pub(crate) fn watched<T>(board: &Arc<Board>, run: impl FnOnce() -> T) -> T {
    /// Puts the previous board back, also after a panic.
    struct Restored(Option<Option<Arc<Board>>>);

    impl Drop for Restored {
        fn drop(&mut self) {
            if let Some(outer) = self.0.take() {
                let _ = replace(outer);
            }
        }
    }

    fn replace(board: Option<Arc<Board>>) -> Option<Option<Arc<Board>>> {
        // Inside of a `state` function, only the wait for its result is watched.
        BOARD
            .try_with(|held| {
                held.try_borrow_mut().ok().map(|mut h| std::mem::replace(&mut *h, board))
            })
            .ok()
            .flatten()
    }

    let _restored = Restored(replace(Some(Arc::clone(board))));
    run()
}

/// Returns the board of this thread.
pub(crate) fn present() -> Option<Arc<Board>> {
    BOARD.try_with(|board| board.try_borrow().ok().and_then(|board| board.clone())).ok().flatten()
}

/// The type that the default of [`Controller::try_state`] would return, and never does. An `Option`
/// of it is the only one that takes no memory, so the compiler recognises the default.
pub(super) struct Untold<S> {
    never: Infallible,
    state: PhantomData<S>,
}

impl<S> Deref for Untold<S> {
    type Target = S;

    fn deref(&self) -> &S {
        match self.never {}
    }
}

impl<S> DerefMut for Untold<S> {
    fn deref_mut(&mut self) -> &mut S {
        match self.never {}
    }
}
