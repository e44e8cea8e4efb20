//! Taking the lock of a controller's state: who waits for it is known, a panic behind it leaves it
//! whole, and a wait that can be given up ends.

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
use crate::caught::{caught, panicked};
use crate::error::{Code, Error};
use crate::path::ControllerId;

/// Runs `work` behind the lock of a controller's state.
///
/// A panic in `work` is caught before the lock is given back, so that it poisons none.
///
/// # Errors
///
/// Those of `work`; that `state` panics; that the wait was given up.
#[inline]
pub(crate) fn with_state<C: Controller, T>(
    controller: &C,
    work: impl FnOnce(&mut C::State) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut is_locked = false;
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut state = lock(controller)?;
        is_locked = true;
        caught(|| work(&mut *state))
    }));
    match result {
        Ok(result) => result,
        Err(panic) => Err(outside(panicked(panic), is_locked, address(controller))),
    }
}

/// The error of a panic in `state`, or when the lock was given back.
#[cold]
#[inline(never)]
fn outside(error: Error, was_locked: bool, address: usize) -> Error {
    with_board(|board| board.map(Board::end));
    let before = match was_locked {
        true => "while the lock of its state was given back, ",
        false => {
            "its `state` function must give the state whatever has happened, also behind a poisoned \
             lock (`lock().unwrap_or_else(PoisonError::into_inner)`), but it "
        }
    };
    error.explained(before).of_node(address)
}

/// The state behind the lock, by whichever function gave it.
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
fn lock<C: Controller>(controller: &C) -> Result<impl DerefMut<Target = C::State> + '_, Error> {
    with_board(|board| {
        let Some(board) = board else { return Ok(Locked::Waited(controller.state())) };
        board.begin(address(controller));
        let tried = controller.try_state();
        let locked = match tried {
            Some(state) => Ok(Locked::Tried(state)),
            // The default, whose type says so when the program is compiled.
            ref none if size_of_val(none) == 0 => Ok(Locked::Waited(controller.state())),
            None => poll(|| controller.try_state(), board, address(controller)).map(Locked::Tried),
        };
        board.end();
        locked
    })
}

/// Tries again and again, until the state is there or the wait is given up.
#[cold]
#[inline(never)]
fn poll<S>(
    mut attempt: impl FnMut() -> Option<S>,
    board: &Board,
    address: usize,
) -> Result<S, Error> {
    /// So often in a row, for a lock that is held for a moment.
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
    /// When it was first seen that the operator has cancelled.
    cancelled: Option<Instant>,
}

/// Until when a controller's state is waited for.
pub(crate) struct Patience {
    /// How long one controller may take.
    pub(crate) per_controller: Duration,
    /// When the time of the whole phase is up, and how the error says so.
    pub(crate) due: Option<(Instant, String)>,
    /// Whether the operator has cancelled; `None` where that has no effect.
    pub(crate) is_cancelled: Option<Box<dyn Fn() -> bool + Send + Sync>>,
    /// How long to go on after that.
    pub(crate) grace: Duration,
}

/// Tells which controller an address is.
pub(crate) trait Names: Send + Sync {
    /// Its id and its type URL, if it is known here.
    fn name(&self, address: usize) -> Option<(ControllerId, &'static str)>;
}

/// On which a thread writes down whose state it waits for, for the timer thread to see.
pub(crate) struct Board {
    /// Counts the waits.
    serial: AtomicU64,
    /// The [`address`] of the controller whose state is waited for, 0 if none is.
    address: AtomicUsize,
    /// Whether a wait was given up. Then no other wait is begun: all of them would take as long.
    has_given_up: AtomicBool,
    patience: Patience,
    /// Who is asked for names, the last one first.
    names: Mutex<Vec<Arc<dyn Names>>>,
}

impl Board {
    pub(crate) fn new(patience: Patience) -> Self {
        Self {
            serial: AtomicU64::new(0),
            address: AtomicUsize::new(0),
            has_given_up: AtomicBool::new(false),
            patience,
            names: Mutex::default(),
        }
    }

    #[inline]
    fn begin(&self, address: usize) {
        // One thread writes.
        let serial = self.serial.load(Ordering::Relaxed);
        self.serial.store(serial.wrapping_add(1), Ordering::Relaxed);
        self.address.store(address, Ordering::Relaxed);
    }

    #[inline]
    fn end(&self) {
        self.address.store(0, Ordering::Relaxed);
    }

    /// The wait that goes on, by a number that no other has, and whose state it is for.
    pub(crate) fn waits_for(&self) -> Option<(u64, usize)> {
        let address = self.address.load(Ordering::Relaxed);
        (address != 0).then(|| (self.serial.load(Ordering::Relaxed), address))
    }

    pub(crate) fn patience(&self) -> &Patience {
        &self.patience
    }

    /// The id and the type URL of a controller, if it is known.
    pub(crate) fn name(&self, address: usize) -> Option<(ControllerId, &'static str)> {
        // Not under the lock: who knows the names has locks of his own.
        let names = self.names().clone();
        names.iter().rev().find_map(|names| names.name(address))
    }

    fn names(&self) -> std::sync::MutexGuard<'_, Vec<Arc<dyn Names>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks these for names first from now on.
    pub(crate) fn add_names(&self, names: Arc<dyn Names>) {
        self.names().push(names);
    }

    /// Asks those no more that were added last.
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
                (Code::Cancelled, "the operator has cancelled".to_owned())
            }
            _ if is_over => (Code::DeadlineExceeded, "others were waited for in vain".to_owned()),
            _ if waited >= *per_controller => {
                (Code::DeadlineExceeded, format!("it was waited for {per_controller:?}"))
            }
            _ => return None,
        };
        self.has_given_up.store(true, Ordering::Relaxed);
        Some(Error::new(code, format!("its state cannot be locked, {why}: {WHO_HOLDS_IT}")))
    }
}

/// Whom to look for when a lock does not come back.
pub(crate) const WHO_HOLDS_IT: &str = "look for a thread or task that keeps the guard of its state, \
     or holds it and waits for the state of a parent (lock parents before children)";

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").field("waits_for", &self.waits_for()).finish_non_exhaustive()
    }
}

thread_local! {
    /// Where this thread writes down whose state it waits for.
    static BOARD: RefCell<Option<Arc<Board>>> = const { RefCell::new(None) };
}

/// Runs code with the board of this thread, if it has one.
#[cfg_attr(not(debug_assertions), inline(always))]
fn with_board<T>(run: impl FnOnce(Option<&Board>) -> T) -> T {
    let mut run = Some(run);
    let ran = BOARD.try_with(|board| {
        let board = board.try_borrow().ok()?;
        run.take().map(|run| run(board.as_deref()))
    });
    match (ran, run) {
        (Ok(Some(result)), _) => result,
        // The thread is about to end.
        (_, Some(run)) => run(None),
        // Whoever has run has returned something.
        (_, None) => unreachable!(),
    }
}

/// Runs code of this thread with a board.
pub(crate) fn watched<T>(board: &Arc<Board>, run: impl FnOnce() -> T) -> T {
    /// Puts the board before it back, also after a panic.
    struct Restored(Option<Option<Arc<Board>>>);

    impl Drop for Restored {
        fn drop(&mut self) {
            if let Some(outer) = self.0.take() {
                let _ = replace(outer);
            }
        }
    }

    fn replace(board: Option<Arc<Board>>) -> Option<Option<Arc<Board>>> {
        // Within a `state` function nothing is watched but the wait for what it returns.
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

/// The board of this thread.
pub(crate) fn present() -> Option<Arc<Board>> {
    BOARD.try_with(|board| board.try_borrow().ok().and_then(|board| board.clone())).ok().flatten()
}

/// What the default of [`Controller::try_state`] would give, and never does. An `Option` of it takes no
/// memory, which no other has: so the default is known when the program is compiled.
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
