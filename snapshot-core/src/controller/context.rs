//! The context of a hook.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::left_out::LeftOut;
use super::{Controller, Hook, Phase, Signal};
use crate::error::Error;
use crate::path::ControllerId;
use crate::payload::TypeInfo;
use crate::provenance::Provenance;
use crate::schema::short_type_name;

/// The context of a hook: the controller that it is called for, the controllers that this one comes
/// after, and the resources of the host.
///
/// A hook reaches only the controllers that its own controller comes after, because only these are
/// known to be in the right state. On the destination they are already patched (or resumed); on the
/// source they are not frozen yet. A controller comes after the types that its state names in
/// `after(...)`, after its ancestors, and after everything that these come after.
pub struct Context {
    phase: Arc<PhaseContext>,
    unit: usize,
}

/// The origin or the target of the tree whose hooks run, see [`Context::origin`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The program did not state it.
    #[default]
    Unknown,
    /// A hand-over between two processes. Each ledger accepts its session once, so the tree is
    /// moved and not copied.
    Handover {
        /// The id of the session.
        session: Arc<str>,
    },
    /// A snapshot that was stored with a [`Provenance`]. A file can be restored twice, so the tree may
    /// be a copy.
    Stored(Arc<Provenance>),
}

/// The purpose of a hook, see [`Context::purpose`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// A rehearsal: the source still runs, and owns the resources that the state describes. This is
    /// the purpose of `prepare`, and of the `abort` of a tree that was prepared and not patched.
    Rehearsal,
    /// The migration itself.
    Migration,
}

/// The questions of a context to the migration that runs the hook. Controllers are numbered; a
/// number stays with its controller during a phase.
pub(crate) trait Migration: Send + Sync {
    /// Returns the id of a controller.
    fn id(&self, unit: usize) -> &ControllerId;
    /// Returns the description of a controller's type.
    fn info(&self, unit: usize) -> &'static TypeInfo;
    /// Returns a controller, which is of that type.
    fn controller(&self, unit: usize) -> Arc<dyn Any + Send + Sync>;
    /// Returns the controllers of a type that are nearest to `unit` among those that it comes
    /// after.
    fn nearest(&self, unit: usize, controller: TypeId) -> Vec<usize>;
    /// Returns the controller with this id, and whether `unit` comes after it.
    fn find(&self, unit: usize, id: &ControllerId) -> Option<(usize, bool)>;
    /// Returns the host's resource of a type `T`, as an `Arc<T>`.
    fn resource(&self, of: TypeId) -> Option<&(dyn Any + Send + Sync)>;
    /// Returns the origin that the session states.
    fn origin(&self) -> &Origin;
    /// Returns the signal that a cancellation raises.
    fn cancel(&self) -> &Arc<Signal>;
}

/// The part of a context that all hooks of a phase share.
pub(crate) struct PhaseContext {
    phase: Phase,
    purpose: Purpose,
    migration: Arc<dyn Migration>,
    /// Raised when the phase must stop; `None` in phases that never stop early.
    stop: Option<Arc<Signal>>,
    /// See [`Contexts::is_left_out`].
    left_out: AtomicUsize,
}

impl PhaseContext {
    pub(crate) fn new(
        phase: Phase,
        purpose: Purpose,
        migration: Arc<dyn Migration>,
        stop: Option<Arc<Signal>>,
    ) -> Self {
        Self { phase, purpose, migration, stop, left_out: AtomicUsize::new(NOBODY) }
    }
}

/// The value for "no unit".
const NOBODY: usize = usize::MAX;

/// The contexts of the hooks of one phase. They are created on demand, because most hooks are left
/// out and need none.
pub(crate) struct Contexts {
    phase: Arc<PhaseContext>,
    controllers: usize,
    /// Chunks of [`Contexts::CHUNK`] units.
    chunks: Vec<OnceLock<Box<[Context]>>>,
}

impl Contexts {
    const CHUNK: usize = 64;

    /// Creates the contexts of this many controllers.
    pub(crate) fn new(phase: PhaseContext, controllers: usize) -> Self {
        let chunks = (0..controllers.div_ceil(Self::CHUNK)).map(|_| OnceLock::new()).collect();
        Self { phase: Arc::new(phase), controllers, chunks }
    }

    /// Returns the context of a unit.
    pub(crate) fn of(&self, unit: usize) -> &Context {
        let chunk = self.chunks[unit / Self::CHUNK].get_or_init(|| {
            let first = unit - unit % Self::CHUNK;
            let end = self.controllers.min(first + Self::CHUNK);
            (first..end).map(|unit| Context { phase: Arc::clone(&self.phase), unit }).collect()
        });
        &chunk[unit % Self::CHUNK]
    }

    /// Returns whether the controller of a unit leaves out the hook of this phase, as its last call
    /// reported. In that case, all controllers of its type leave it out.
    pub(crate) fn is_left_out(&self, unit: usize) -> bool {
        self.phase.left_out.load(Ordering::Relaxed) == unit
    }
}

fn name<T: ?Sized>() -> String {
    short_type_name(type_name::<T>())
}

impl Context {
    /// The hook of a controller `C` that leaves it out: it reports that. A controller may pass this
    /// context on to one of another type; the hook of that one reports nothing.
    pub(super) fn leave_out<C: Controller>(&self, hook: Hook) -> LeftOut {
        if self.phase() == hook.phase() && self.is_a::<C>(self.unit) {
            self.phase.left_out.store(self.unit, Ordering::Relaxed);
        }
        LeftOut
    }

    /// Returns the id of the controller that the hook is called for.
    pub fn id(&self) -> &ControllerId {
        self.migration().id(self.unit)
    }

    /// Returns the phase that the hook runs in.
    pub fn phase(&self) -> Phase {
        self.phase.phase
    }

    /// Returns the purpose of the hook.
    pub fn purpose(&self) -> Purpose {
        self.phase.purpose
    }

    /// Returns the origin or the target of the tree, as stated by
    /// [`Session::origin`](crate::Session::origin). If the session states none, the origin of a
    /// restored tree is the [provenance](crate::Snapshot::provenance) of its snapshot.
    pub fn origin(&self) -> &Origin {
        self.migration().origin()
    }

    fn migration(&self) -> &dyn Migration {
        &*self.phase.migration
    }

    fn is_a<C: Controller>(&self, unit: usize) -> bool {
        self.migration().info(unit).controller.id() == TypeId::of::<C>()
    }

    fn downcast<C: Controller>(&self, unit: usize) -> Result<Arc<C>, Error> {
        self.migration().controller(unit).downcast().map_err(|_| {
            Error::internal(format!("{} is not a {}", self.migration().id(unit), name::<C>()))
        })
    }

    /// Returns the nearest controller of a type among those that this one comes after.
    ///
    /// # Errors
    ///
    /// If there is none, or if several are equally near. If the controller may be absent, use
    /// [`Context::find`].
    pub fn controller<C: Controller>(&self) -> Result<Arc<C>, Error> {
        self.find()?.ok_or_else(|| {
            let name = name::<C>();
            Error::precondition(format!(
                "does not come after any {name}: add it to `after(...)` of its state"
            ))
        })
    }

    /// Returns the nearest controller of a type among those that this one comes after, or `None` if
    /// there is none. Use it for an optional controller.
    ///
    /// ```
    /// # use snapshot_core::{Context, Controller, Error};
    /// async fn patch<Vm: Controller>(cx: &Context) -> Result<(), Error> {
    ///     if let Some(vm) = cx.find::<Vm>()? {
    ///         // bind to the VM
    /// #       drop(vm);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// If several are equally near.
    pub fn find<C: Controller>(&self) -> Result<Option<Arc<C>>, Error> {
        match *self.nearest::<C>() {
            [] => Ok(None),
            [unit] => self.downcast(unit).map(Some),
            [first, second, ..] => Err(Error::precondition(format!(
                "comes after several {}, including {} and {}: choose with `Context::controller_at` \
                 or take all with `Context::controllers`",
                name::<C>(),
                self.migration().id(first),
                self.migration().id(second)
            ))),
        }
    }

    /// Returns all controllers of a type that are equally near, in the order of the tree. The list
    /// is empty if this controller does not come after any of the type.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`](crate::Code::Internal) if the plan and the tree disagree.
    pub fn controllers<C: Controller>(&self) -> Result<Vec<Arc<C>>, Error> {
        self.nearest::<C>().into_iter().map(|unit| self.downcast(unit)).collect()
    }

    fn nearest<C: Controller>(&self) -> Vec<usize> {
        self.migration().nearest(self.unit, TypeId::of::<C>())
    }

    /// Returns the controller with this id, if this one comes after it.
    ///
    /// # Errors
    ///
    /// If there is none, if it is of another type, or if this one does not come after it.
    pub fn controller_at<C: Controller>(
        &self,
        id: impl Into<ControllerId>,
    ) -> Result<Arc<C>, Error> {
        let id = id.into();
        let Some((unit, comes_after)) = self.migration().find(self.unit, &id) else {
            return Err(Error::precondition(format!("there is no controller {id}")));
        };
        if !comes_after {
            return Err(Error::precondition(format!(
                "does not come after {id}: add its type to `after(...)` of its state"
            )));
        }
        if !self.is_a::<C>(unit) {
            let found = self.migration().info(unit).controller.short_name();
            let reason = format!("{id} is a {found}, not a {}", name::<C>());
            return Err(Error::precondition(reason));
        }
        self.downcast(unit)
    }

    /// Returns the host's resource of a type, as passed to
    /// [`Session::resource`](crate::Session::resource).
    ///
    /// # Errors
    ///
    /// If the session has no resource of the type.
    pub fn resource<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<T>, Error> {
        let resource = self.migration().resource(TypeId::of::<T>());
        resource.and_then(|resource| resource.downcast_ref::<Arc<T>>()).cloned().ok_or_else(|| {
            Error::precondition(format!(
                "the session has no resource {}: give it one with `Session::resource`",
                name::<T>()
            ))
        })
    }

    /// Returns whether the phase must stop: the migration was cancelled, another hook has failed,
    /// or the time is up. A long hook checks this and returns early; its work is undone. Always
    /// `false` in `thaw`, `commit` and `abort`.
    pub fn is_cancelled(&self) -> bool {
        let stop = self.phase.stop.as_ref();
        stop.is_some_and(|stop| stop.is_raised() || self.migration().cancel().is_raised())
    }

    /// Waits until [`Context::is_cancelled`] is true. Waits forever in a phase where it never is.
    pub async fn cancelled(&self) {
        match &self.phase.stop {
            Some(stop) => {
                let cancel = self.migration().cancel().raised();
                futures_util::future::select(stop.raised(), cancel).await;
            }
            None => std::future::pending().await,
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("id", self.id())
            .field("phase", &self.phase())
            .finish_non_exhaustive()
    }
}
