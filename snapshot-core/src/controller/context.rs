//! What a hook may reach.

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

/// What a hook is given: who it is called for, the controllers that this one comes after, and the
/// host's own resources.
///
/// A hook reaches only what it comes after, since nothing else is known to be in the right state:
/// on the destination everything it reaches is patched (or resumed) already, on the source it is
/// still to be frozen. What it comes after are the types that its state names in `after(...)`, its
/// ancestors, and what these come after.
pub struct Context {
    phase: Arc<PhaseContext>,
    unit: usize,
}

/// Where the tree comes from whose hooks run, or where it goes, see [`Context::origin`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The program did not say.
    #[default]
    Unknown,
    /// A hand-over between two processes. Each ledger accepts its session once, so the tree is moved and not
    /// copied.
    Handover {
        /// The id of the session.
        session: Arc<str>,
    },
    /// A snapshot that was stored with a [`Provenance`]. Nothing keeps a file from being restored twice, so
    /// the tree may be a copy.
    Stored(Arc<Provenance>),
}

/// What a hook is called for, see [`Context::purpose`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// A rehearsal: the source still runs, and owns what the state describes. In `prepare`, and in the
    /// `abort` of a tree that was prepared and not patched.
    Rehearsal,
    /// The migration itself.
    Migration,
}

/// What a context asks of the migration that runs the hook. Controllers are numbered; each number is
/// that of one controller as long as the phase lasts.
pub(crate) trait Migration: Send + Sync {
    /// The id of a controller.
    fn id(&self, unit: usize) -> &ControllerId;
    /// The description of a controller's type.
    fn info(&self, unit: usize) -> &'static TypeInfo;
    /// A controller, which is of that type.
    fn controller(&self, unit: usize) -> Arc<dyn Any + Send + Sync>;
    /// The controllers of a type that are nearest to `unit` among those that it comes after.
    fn nearest(&self, unit: usize, controller: TypeId) -> Vec<usize>;
    /// The controller with this id, and whether `unit` comes after it.
    fn find(&self, unit: usize, id: &ControllerId) -> Option<(usize, bool)>;
    /// The host's resource of a type `T`, as an `Arc<T>`.
    fn resource(&self, of: TypeId) -> Option<&(dyn Any + Send + Sync)>;
    /// What the session says about where the tree comes from, or goes to.
    fn origin(&self) -> &Origin;
    /// Raised when the operator cancels.
    fn cancel(&self) -> &Arc<Signal>;
}

/// What the contexts of all hooks of a phase share.
pub(crate) struct PhaseContext {
    phase: Phase,
    purpose: Purpose,
    migration: Arc<dyn Migration>,
    /// Raised when the phase does not go on; `None` in phases that always go on.
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

/// No unit.
const NOBODY: usize = usize::MAX;

/// The contexts of the hooks of one phase, made when they are asked for: most hooks are left out and
/// need none.
pub(crate) struct Contexts {
    phase: Arc<PhaseContext>,
    controllers: usize,
    /// [`Contexts::CHUNK`] units each.
    chunks: Vec<OnceLock<Box<[Context]>>>,
}

impl Contexts {
    const CHUNK: usize = 64;

    /// The contexts of this many controllers.
    pub(crate) fn new(phase: PhaseContext, controllers: usize) -> Self {
        let chunks = (0..controllers.div_ceil(Self::CHUNK)).map(|_| OnceLock::new()).collect();
        Self { phase: Arc::new(phase), controllers, chunks }
    }

    /// The context of a unit.
    pub(crate) fn of(&self, unit: usize) -> &Context {
        let chunk = self.chunks[unit / Self::CHUNK].get_or_init(|| {
            let first = unit - unit % Self::CHUNK;
            let end = self.controllers.min(first + Self::CHUNK);
            (first..end).map(|unit| Context { phase: Arc::clone(&self.phase), unit }).collect()
        });
        &chunk[unit % Self::CHUNK]
    }

    /// Whether the controller of a unit leaves out the hook of this phase, as far as was said when it
    /// was called last. Then so do all controllers of its type.
    pub(crate) fn is_left_out(&self, unit: usize) -> bool {
        self.phase.left_out.load(Ordering::Relaxed) == unit
    }
}

fn name<T: ?Sized>() -> String {
    short_type_name(type_name::<T>())
}

impl Context {
    /// What a hook does that `C` leaves out: it says so. A controller may pass this context on to one
    /// of another type, whose hook says nothing of its own.
    pub(super) fn leave_out<C: Controller>(&self, hook: Hook) -> LeftOut {
        if self.phase() == hook.phase() && self.is_a::<C>(self.unit) {
            self.phase.left_out.store(self.unit, Ordering::Relaxed);
        }
        LeftOut
    }

    /// The controller that the hook is called for.
    pub fn id(&self) -> &ControllerId {
        self.migration().id(self.unit)
    }

    /// The phase that the hook runs in.
    pub fn phase(&self) -> Phase {
        self.phase.phase
    }

    /// What the hook is called for.
    pub fn purpose(&self) -> Purpose {
        self.phase.purpose
    }

    /// Where the tree comes from, or where it goes: what the [`Session`](crate::Session::origin) says. If it
    /// says nothing, a tree that is restored comes from where its snapshot was
    /// [stored](crate::Snapshot::provenance).
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
    /// If there is none, or if several are equally near. Use [`Context::find`] where none is fine.
    pub fn controller<C: Controller>(&self) -> Result<Arc<C>, Error> {
        self.find()?.ok_or_else(|| {
            let name = name::<C>();
            Error::precondition(format!(
                "comes after no {name}: add it to `after(...)` of its state"
            ))
        })
    }

    /// Returns the nearest controller of a type among those that this one comes after, or `None` if
    /// there is none, as where a sandbox may go without one.
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
                "comes after several {}, {} and {} among them: choose with \
                 `Context::controller_at` or take all with `Context::controllers`",
                name::<C>(),
                self.migration().id(first),
                self.migration().id(second)
            ))),
        }
    }

    /// All controllers of a type that are equally near, in the order of the tree; none if this one
    /// comes after none.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`](crate::Code::Internal) if the plan and the tree are at odds.
    pub fn controllers<C: Controller>(&self) -> Result<Vec<Arc<C>>, Error> {
        self.nearest::<C>().into_iter().map(|unit| self.downcast(unit)).collect()
    }

    fn nearest<C: Controller>(&self) -> Vec<usize> {
        self.migration().nearest(self.unit, TypeId::of::<C>())
    }

    /// The controller with this id, if this one comes after it.
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

    /// The host's resource of a type, as given to
    /// [`Session::resource`](crate::Session::resource).
    ///
    /// # Errors
    ///
    /// If the session has none of the type.
    pub fn resource<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<T>, Error> {
        let resource = self.migration().resource(TypeId::of::<T>());
        resource.and_then(|resource| resource.downcast_ref::<Arc<T>>()).cloned().ok_or_else(|| {
            Error::precondition(format!(
                "the session has no resource {}: give it one with `Session::resource`",
                name::<T>()
            ))
        })
    }

    /// Whether the phase does not go on: the operator has cancelled, another hook has failed, or
    /// the time is up. A long hook looks at it and returns early; what it has done is undone.
    /// Always `false` in `thaw`, `commit` and `abort`.
    pub fn is_cancelled(&self) -> bool {
        let stop = self.phase.stop.as_ref();
        stop.is_some_and(|stop| stop.is_raised() || self.migration().cancel().is_raised())
    }

    /// Waits until [`Context::is_cancelled`]; forever where that is never so.
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
