//! Controllers: the owners of states, and the tree that they form.

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
pub(crate) mod wire_stages;
#[cfg(feature = "testing")]
mod written;

use std::future::Future;
use std::ops::DerefMut;

pub(crate) use address::{ByAddress, address};
pub use child::{Child, ChildTarget, IntoChild};
pub(crate) use child::{build_child, described, hold_child, keep_child, live};
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
/// Two methods are required: [`state`](Controller::state) returns the state behind the controller's
/// own lock, and [`import`](Controller::import) builds an inert controller around a restored state.
/// The orchestrator calls the hooks. Leave out those in which a controller has nothing to do.
///
/// | side | hook | effect | order |
/// |---|---|---|---|
/// | source | `freeze` | stops mutation, drains work in flight | dependents first |
/// | source | `thaw` | undoes a freeze, also one that failed half-way | reverse |
/// | source | `commit` | releases the host's resources without changing them: the destination is live | dependents first |
/// | destination | `prepare` | gets this host ready while the source still runs; a migration may omit it | dependencies first |
/// | destination | `patch` | binds ids, paths and IO to this host | dependencies first |
/// | destination | `resume` | goes live | dependencies first |
/// | destination | `abort` | undoes `prepare`, `patch` and `resume` | reverse |
///
/// The orchestrator sets the state's stage, by the rules on the state struct: before `thaw` and
/// `resume`, so that these hooks find the controller in the stage to which it returns, and after
/// all other hooks. If `thaw` or `resume` fails, the controller keeps the stage that it had before.
///
/// The hooks of a phase run concurrently within one task, on any executor. A hook that blocks its
/// thread delays the others, and no deadline can cut it short. Hand blocking work to a thread.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a controller",
    label = "needs `impl Controller for {Self}`"
)]
pub trait Controller: Send + Sync + 'static {
    /// The state that is saved and restored.
    type State: Payload
    where
        Self: Sized;

    /// Returns the state behind the controller's own lock. While a parent is saved, its lock is
    /// held and the locks of its children are taken: lock parents before children everywhere.
    ///
    /// A guard lives to the end of its statement, and most locks cannot be taken twice by one
    /// thread: `(c.state().a, c.state().b)` deadlocks. Name the guard, and use it twice.
    ///
    /// It must return the state in every case, also after a panic, because the undo of a migration
    /// needs it. A [`Mutex`](std::sync::Mutex) that a panic has poisoned returns it by
    /// `lock().unwrap_or_else(PoisonError::into_inner)`. If the state's own code panics when the
    /// framework calls it, no lock is poisoned.
    ///
    /// The framework waits here for as long as somebody else holds the lock. A wait that exceeds
    /// the hook's deadline of the [`Session`](crate::Session) is reported as an error event with
    /// the controller's id, repeatedly while it lasts. With [`try_state`](Controller::try_state)
    /// the wait ends.
    fn state(&self) -> impl DerefMut<Target = Self::State> + '_
    where
        Self: Sized;

    /// Returns the state if its lock is free at this moment, and `None` if somebody else holds it.
    /// It is the state of [`state`](Controller::state), behind the same lock.
    ///
    /// With it, no wait of the framework exceeds the deadlines of the [`Session`](crate::Session):
    /// the framework tries again until the deadline, and then the phase fails with
    /// [`Code::DeadlineExceeded`](crate::Code::DeadlineExceeded), or with
    /// [`Code::Cancelled`](crate::Code::Cancelled), and the controller's id. The default means that
    /// there is no such function: the framework waits in `state`.
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

    /// Builds a controller around a restored state. It is inert: before
    /// [`patch`](Controller::patch) and [`resume`](Controller::resume) it has no effect on the host
    /// or the guest, and dropping it is enough to undo the import.
    ///
    /// # Errors
    ///
    /// Any reason why the state is unfit for this controller. The whole import is then refused.
    fn import(state: Self::State) -> Result<Self, Error>
    where
        Self: Sized;

    /// Stops mutation and drains work in flight, so that the state stands still.
    ///
    /// # Errors
    ///
    /// Any reason why it is impossible. Every controller frozen so far is thawed, including this
    /// one.
    fn freeze(&self, cx: &Context) -> impl Future<Output = Result<(), Error>> + Send
    where
        Self: Sized,
    {
        cx.leave_out::<Self>(Hook::Freeze)
    }

    /// Undoes a freeze. It is also called if the freeze of this controller failed, panicked or was
    /// cut short, so it must cope with a freeze that is half done.
    ///
    /// # Errors
    ///
    /// Reported; the undo of the other controllers continues.
    fn thaw(&self, cx: &Context) -> impl Future<Output = Result<(), Error>> + Send
    where
        Self: Sized,
    {
        cx.leave_out::<Self>(Hook::Thaw)
    }

    /// The destination is live: releases the host's resources without changing them.
    ///
    /// # Errors
    ///
    /// Reported; there is no way back, and the other controllers continue.
    fn commit(&self, cx: &Context) -> impl Future<Output = Result<(), Error>> + Send
    where
        Self: Sized,
    {
        cx.leave_out::<Self>(Hook::Commit)
    }

    /// Gets this host ready for the state as it is now, while the source still runs: creates the
    /// resources that take long, and starts nothing. [`abort`](Controller::abort) undoes it.
    ///
    /// A migration may omit it: then only [`patch`](Controller::patch) runs, which completes
    /// whatever is not prepared. It can also run several times, each time with a [later
    /// state](Controller::refresh), so it keeps the resources that exist already.
    ///
    /// Events that would change the state, such as the exit of an adopted process, must be held
    /// back until `resume`, because the state is still the source's.
    ///
    /// # Errors
    ///
    /// Any reason why it is impossible. Every controller prepared so far is aborted, including this
    /// one.
    fn prepare(&self, cx: &Context) -> impl Future<Output = Result<(), Error>> + Send
    where
        Self: Sized,
    {
        cx.leave_out::<Self>(Hook::Prepare)
    }

    /// Replaces the state of a prepared controller by a later one of the same controller. `state`
    /// is the state behind its lock. The default is [`refresh`]: the mapped fields are replaced,
    /// and the fields with `skip` stay.
    ///
    /// Implement this if the controller checks its state in [`import`](Controller::import), or
    /// keeps a part of it outside of the state. It is not called if the later state is the one that
    /// the controller has already, which the bytes of both show.
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
    /// Any reason why the later state is unfit for this controller. The whole tree is then aborted.
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
    /// Any reason why it is impossible. Every controller patched so far is aborted, including this
    /// one.
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
    /// Any reason why it is impossible. Every controller is aborted, including this one.
    fn resume(&self, cx: &Context) -> impl Future<Output = Result<(), Error>> + Send
    where
        Self: Sized,
    {
        cx.leave_out::<Self>(Hook::Resume)
    }

    /// Undoes `prepare`, `patch` and `resume`, as far as they were done or begun, so that the host
    /// is as it was.
    ///
    /// # Errors
    ///
    /// Reported; the undo of the other controllers continues.
    fn abort(&self, cx: &Context) -> impl Future<Output = Result<(), Error>> + Send
    where
        Self: Sized,
    {
        cx.leave_out::<Self>(Hook::Abort)
    }
}
