//! Controllers: what owns a state, and the tree that they make.

mod address;
mod child;
mod context;
mod frozen;
mod gate;
mod left_out;
mod loaded;
pub(crate) mod lock;
mod node;
mod phase;
mod refresh;
mod registration;
mod set;
mod signal;
#[cfg(feature = "testing")]
mod written;

use std::future::Future;
use std::ops::DerefMut;

pub(crate) use address::{ByAddress, address};
pub use child::{Child, ChildTarget, IntoChild};
pub(crate) use child::{build_child, described, keep_child, live};
pub use context::{Context, Origin, Purpose};
pub(crate) use context::{Contexts, Migration, PhaseContext};
pub(crate) use frozen::{ChangedStage, FrozenTree, Stranger};
pub use gate::{Gate, Inside};
pub(crate) use loaded::{Described, Loaded, StateOf};
pub(crate) use node::{Account, HookFuture, Node};
pub(crate) use phase::Hook;
pub use phase::Phase;
pub use refresh::refresh;
pub(crate) use registration::linked;
pub use registration::{Owns, Registration, registration};
pub use set::ControllerSet;
pub(crate) use signal::{Raised, Signal};
#[cfg(feature = "testing")]
pub(crate) use written::WrittenHooks;

use crate::{Error, Payload};

/// Something that runs, owns a state, and can be moved: a VM, a SCSI bus, a container.
///
/// Two methods are required: [`state`](Controller::state) gives the state behind the controller's
/// own lock, [`import`](Controller::import) builds an inert controller around a restored one. The
/// hooks are called by the orchestrator; those that a controller has nothing to do in are left out.
///
/// | side | hook | what it does | order |
/// |---|---|---|---|
/// | source | `freeze` | stops mutation, drains work in flight | dependents first |
/// | source | `thaw` | takes a freeze back, also one that failed half-way | reverse |
/// | source | `commit` | lets go of the host's resources without touching them: the destination is live | dependents first |
/// | destination | `prepare` | gets this host ready while the source still runs; can be left out of a migration | dependencies first |
/// | destination | `patch` | binds ids, paths and IO to this host | dependencies first |
/// | destination | `resume` | goes live | dependencies first |
/// | destination | `abort` | takes prepare, patch and resume back | reverse |
///
/// The state's stage is set by the orchestrator, by the rules on the state struct: before `thaw` and
/// `resume`, so that they find the controller in the stage that it returns to, and after the other hooks.
/// A `thaw` or `resume` that fails leaves the controller in the stage that it had before.
///
/// The hooks of a phase run concurrently within one task, whatever the executor: one that blocks its
/// thread holds up the others, and no deadline can cut it short. Hand blocking work to a thread.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a controller",
    label = "needs `impl Controller for {Self}`"
)]
pub trait Controller: Send + Sync + 'static {
    /// The state that is saved and restored.
    type State: Payload
    where
        Self: Sized;

    /// The state behind the controller's own lock. While a parent is saved its lock is held and
    /// its children's are taken: lock parents before children everywhere.
    ///
    /// A guard lives to the end of its statement, and most locks are not taken twice by one thread:
    /// `(c.state().a, c.state().b)` waits for itself for ever. Name the guard, and use it twice.
    ///
    /// It must give the state whatever has happened, also after a panic: the undo of a migration needs
    /// it. A [`Mutex`](std::sync::Mutex) that a panic has poisoned gives it by
    /// `lock().unwrap_or_else(PoisonError::into_inner)`. A panic in a state's own code that the framework
    /// calls poisons nothing.
    ///
    /// The framework waits here for as long as somebody else holds the lock. A wait that is longer than the
    /// hook's deadline of the [`Session`](crate::Session) is reported as an error event with the
    /// controller's id, again and again while it lasts; [`try_state`](Controller::try_state) ends it.
    fn state(&self) -> impl DerefMut<Target = Self::State> + '_
    where
        Self: Sized;

    /// The state, if its lock is free at this moment; `None` if somebody else holds it. The same state
    /// as that of [`state`](Controller::state), behind the same lock.
    ///
    /// With it no wait of the framework is longer than the deadlines of the
    /// [`Session`](crate::Session): it tries again until then, and then the phase fails with
    /// [`Code::DeadlineExceeded`](crate::Code::DeadlineExceeded), or
    /// [`Code::Cancelled`](crate::Code::Cancelled), and the controller's id. The default says that there is
    /// no such attempt: the framework waits in `state`.
    ///
    /// ```
    /// # use std::ops::DerefMut;
    /// # use std::sync::{Mutex, TryLockError};
    /// # struct State;
    /// # struct Disk(Mutex<State>);
    /// # impl Disk {
    /// fn try_state(&self) -> Option<impl DerefMut<Target = State> + '_> {
    ///     match self.0.try_lock() {
    ///         Ok(state) => Some(state),
    ///         Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
    ///         Err(TryLockError::WouldBlock) => None,
    ///     }
    /// }
    /// # }
    /// ```
    fn try_state(&self) -> Option<impl DerefMut<Target = Self::State> + '_>
    where
        Self: Sized,
    {
        None::<lock::Untold<Self::State>>
    }

    /// Builds a controller around a restored state. It is inert: it has no effect on the host or
    /// the guest before [`patch`](Controller::patch) and [`resume`](Controller::resume), and
    /// dropping it undoes it.
    ///
    /// # Errors
    ///
    /// What makes the state unfit for this controller; the import is refused as a whole.
    fn import(state: Self::State) -> Result<Self, Error>
    where
        Self: Sized;

    /// Stops mutation and drains work in flight, so that the state stands still.
    ///
    /// # Errors
    ///
    /// Whatever makes it impossible; every controller frozen so far is thawed, this one included.
    fn freeze(&self, cx: &Context) -> impl Future<Output = Result<(), Error>> + Send
    where
        Self: Sized,
    {
        cx.leave_out::<Self>(Hook::Freeze)
    }

    /// Takes a freeze back. Also called when the freeze of this controller failed, panicked or was
    /// cut short, so it must bear a freeze that is half done.
    ///
    /// # Errors
    ///
    /// Reported; the undo of the other controllers goes on.
    fn thaw(&self, cx: &Context) -> impl Future<Output = Result<(), Error>> + Send
    where
        Self: Sized,
    {
        cx.leave_out::<Self>(Hook::Thaw)
    }

    /// The destination is live: lets go of the host's resources without touching them.
    ///
    /// # Errors
    ///
    /// Reported; there is no way back any more, and the other controllers go on.
    fn commit(&self, cx: &Context) -> impl Future<Output = Result<(), Error>> + Send
    where
        Self: Sized,
    {
        cx.leave_out::<Self>(Hook::Commit)
    }

    /// Gets this host ready for the state as it is now, while the source still runs: creates what takes
    /// long, and starts nothing. [`abort`](Controller::abort) takes it back.
    ///
    /// A migration can do without it: then only [`patch`](Controller::patch) runs, which completes what is
    /// not prepared. It can also run several times, each time with a
    /// [later state](Controller::refresh), so it keeps what it has made already.
    ///
    /// Events that would change the state, as the exit of an adopted process, must be held back until
    /// `resume`: the state is still the source's.
    ///
    /// # Errors
    ///
    /// Whatever makes it impossible; every controller prepared so far is aborted, this one included.
    fn prepare(&self, cx: &Context) -> impl Future<Output = Result<(), Error>> + Send
    where
        Self: Sized,
    {
        cx.leave_out::<Self>(Hook::Prepare)
    }

    /// Replaces the state of a prepared controller by a later one of the same controller. `state` is
    /// what is behind its lock. The default is [`refresh`]: the mapped fields are replaced, and the
    /// fields with `skip` stay.
    ///
    /// A controller that checks its state in [`import`](Controller::import), or keeps something of it
    /// outside of the state, writes this function.
    ///
    /// ```
    /// # use snapshot_core::{Error, Payload, refresh};
    /// # struct Vm;
    /// # impl Vm {
    /// # fn check<S>(_: &S) -> Result<(), Error> { Ok(()) }
    /// fn refresh<S: Payload>(&self, state: &mut S, later: S) -> Result<(), Error> {
    ///     Self::check(&later)?;
    ///     refresh(state, later);
    ///     Ok(())
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What makes the later state unfit for this controller; the whole tree is aborted.
    fn refresh(&self, state: &mut Self::State, later: Self::State) -> Result<(), Error>
    where
        Self: Sized,
    {
        refresh(state, later);
        Ok(())
    }

    /// Binds the imported state to this host: ids, paths, IO.
    ///
    /// # Errors
    ///
    /// Whatever makes it impossible; every controller patched so far is aborted, this one included.
    fn patch(&self, cx: &Context) -> impl Future<Output = Result<(), Error>> + Send
    where
        Self: Sized,
    {
        cx.leave_out::<Self>(Hook::Patch)
    }

    /// Goes live.
    ///
    /// # Errors
    ///
    /// Whatever makes it impossible; every controller is aborted, this one included.
    fn resume(&self, cx: &Context) -> impl Future<Output = Result<(), Error>> + Send
    where
        Self: Sized,
    {
        cx.leave_out::<Self>(Hook::Resume)
    }

    /// Takes prepare, patch and resume back, whichever were done or begun, so that the host is as it was.
    ///
    /// # Errors
    ///
    /// Reported; the undo of the other controllers goes on.
    fn abort(&self, cx: &Context) -> impl Future<Output = Result<(), Error>> + Send
    where
        Self: Sized,
    {
        cx.leave_out::<Self>(Hook::Abort)
    }
}
