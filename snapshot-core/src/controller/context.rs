//! What a hook may reach.

use std::any::{TypeId, type_name};
use std::fmt;
use std::future::{Ready, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::{Controller, Hook};
use crate::Error;
use crate::orchestrator::{Phase, Session, Signal, Tree};
use crate::path::ControllerId;
use crate::registry::short_type_name;

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

/// What the contexts of all hooks of a phase share.
pub(crate) struct PhaseContext {
    pub(crate) phase: Phase,
    pub(crate) tree: Arc<Tree>,
    pub(crate) session: Arc<Session>,
    /// Raised when the phase does not go on; `None` in phases that always go on.
    pub(crate) stop: Option<Arc<Signal>>,
    /// See [`Contexts::is_left_out`].
    left_out: AtomicUsize,
}

impl PhaseContext {
    pub(crate) fn new(
        phase: Phase,
        tree: Arc<Tree>,
        session: Arc<Session>,
        stop: Option<Arc<Signal>>,
    ) -> Self {
        Self { phase, tree, session, stop, left_out: AtomicUsize::new(NOBODY) }
    }
}

/// No unit.
const NOBODY: usize = usize::MAX;

/// The contexts of the hooks of one phase, made when they are asked for: most hooks are left out and
/// need none.
pub(crate) struct Contexts {
    phase: Arc<PhaseContext>,
    /// [`Contexts::CHUNK`] units each.
    chunks: Vec<OnceLock<Box<[Context]>>>,
}

impl Contexts {
    const CHUNK: usize = 64;

    pub(crate) fn new(phase: PhaseContext) -> Self {
        let chunks = phase.tree.nodes().len().div_ceil(Self::CHUNK);
        Self { phase: Arc::new(phase), chunks: (0..chunks).map(|_| OnceLock::new()).collect() }
    }

    /// The context of a unit.
    pub(crate) fn of(&self, unit: usize) -> &Context {
        let chunk = self.chunks[unit / Self::CHUNK].get_or_init(|| {
            let first = unit - unit % Self::CHUNK;
            let end = self.phase.tree.nodes().len().min(first + Self::CHUNK);
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

fn name<C>() -> String {
    short_type_name(type_name::<C>())
}

impl Context {
    /// What a hook does that `C` leaves out: it says so. A controller may pass this context on to one
    /// of another type, whose hook says nothing of its own.
    pub(super) fn leave_out<C: Controller>(&self, hook: Hook) -> Ready<Result<(), Error>> {
        if self.phase() == hook.phase() && self.tree().is_a(self.unit, TypeId::of::<C>()) {
            self.phase.left_out.store(self.unit, Ordering::Relaxed);
        }
        ready(Ok(()))
    }

    /// The controller that the hook is called for.
    pub fn id(&self) -> &ControllerId {
        self.tree().id(self.unit)
    }

    /// The phase that the hook runs in.
    pub fn phase(&self) -> Phase {
        self.phase.phase
    }

    fn tree(&self) -> &Tree {
        &self.phase.tree
    }

    /// The nearest controller of a type among those that this one comes after.
    ///
    /// # Errors
    ///
    /// If there is none, or more than one equally near.
    pub fn controller<C: Controller>(&self) -> Result<Arc<C>, Error> {
        match *self.nearest::<C>() {
            [unit] => self.tree().downcast(unit),
            [] => Err(Error::precondition(format!(
                "comes after no {}: add it to `after(...)` of its state",
                name::<C>()
            ))),
            [first, second, ..] => Err(Error::precondition(format!(
                "comes after several {}, {} and {} among them: choose with \
                 `Context::controller_at` or take all with `Context::controllers`",
                name::<C>(),
                self.tree().id(first),
                self.tree().id(second)
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
        self.nearest::<C>().into_iter().map(|unit| self.tree().downcast(unit)).collect()
    }

    fn nearest<C: Controller>(&self) -> Vec<usize> {
        self.tree().plan.nearest(self.unit, TypeId::of::<C>())
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
        let Some(unit) = self.tree().plan.find(&id) else {
            return Err(Error::precondition(format!("there is no controller {id}")));
        };
        if !self.tree().plan.comes_after(self.unit, unit) {
            return Err(Error::precondition(format!(
                "does not come after {id}: add its type to `after(...)` of its state"
            )));
        }
        if !self.tree().is_a(unit, TypeId::of::<C>()) {
            let found = self.tree().plan.units()[unit].info.controller.short_name();
            let reason = format!("{id} is a {found}, not a {}", name::<C>());
            return Err(Error::precondition(reason));
        }
        self.tree().downcast(unit)
    }

    /// The host's resource of a type, as given to [`Session::resource`].
    ///
    /// # Errors
    ///
    /// If the session has none of the type.
    pub fn resource<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<T>, Error> {
        self.phase.session.find_resource()
    }

    /// Whether the phase does not go on: the operator has cancelled, another hook has failed, or
    /// the time is up. A long hook looks at it and returns early; what it has done is undone.
    /// Always `false` in `thaw`, `commit` and `abort`.
    pub fn is_cancelled(&self) -> bool {
        let PhaseContext { session, stop, .. } = &*self.phase;
        stop.as_ref().is_some_and(|stop| stop.is_raised() || session.cancel_signal().is_raised())
    }

    /// Waits until [`Context::is_cancelled`]; forever where that is never so.
    pub async fn cancelled(&self) {
        match &self.phase.stop {
            Some(stop) => {
                let session = self.phase.session.cancel_signal().raised();
                futures_util::future::select(stop.raised(), session).await;
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
