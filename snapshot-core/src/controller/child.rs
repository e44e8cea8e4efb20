//! A controller inside its parent's state.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use self::sealed::SealedTarget;
use super::Controller;
use super::address::address;
use super::loaded::{AnyLoaded, Described, Loaded, StateOf};
use super::node::Node;
use super::registration::take_linked;
use super::wire_stages::{self, AsOnTheWire};
use crate::codec::{
    ReadScope, Reader, Sealed, Single, Wire, Writer, any_ahead, controller_with, take_any_with,
};
use crate::error::Error;
use crate::payload::{Payload, TypeInfo, take_versioned_any};
use crate::schema::{ValueForm, kind};
use crate::visit::{ChildCell, Visit};

/// A child controller as a field of its parent's state. On the wire it is a `google.protobuf.Any`:
/// the child has its own schema and its own version.
///
/// `Child<Scsi>` holds a controller of one type. `Child<dyn Controller>` holds one of any
/// registered type, and a restore finds that type by its type URL.
///
/// A child holds its controller ([`Child::get`]), except between decoding and import. Inside
/// `validate` functions, and in a state that [`codec::from_bytes`](crate::codec::from_bytes) has
/// read, it holds only the child's state ([`Child::with_state`]). When a prepared tree accepts a later
/// state, `validate` also sees children that exist already, because their states have not changed.
pub struct Child<C: ?Sized + ChildTarget> {
    /// The controller, once it is built.
    live: OnceLock<C::Handle>,
    /// The decoded state until then. Both fields are empty while the controller is built, after
    /// that has failed, and if the child was left out: see [`take_child`].
    loaded: Mutex<Option<C::Loaded>>,
}

/// The target of a [`Child`]: a [`Controller`] type, or `dyn Controller`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a controller, so it cannot be a `Child`",
    label = "needs `impl Controller for {Self}`",
    note = "`Child<...>` names the controller, not its state"
)]
pub trait ChildTarget: SealedTarget + 'static {
    #[doc(hidden)]
    type Handle: Clone + Send + Sync;
    #[doc(hidden)]
    type Loaded: Send;
}

mod sealed {
    /// Keeps the list of targets closed.
    pub trait SealedTarget {}
}

#[diagnostic::do_not_recommend]
impl<C: Controller> SealedTarget for C {}
impl SealedTarget for dyn Controller {}

#[diagnostic::do_not_recommend]
impl<C: Controller> ChildTarget for C {
    type Handle = Arc<C>;
    type Loaded = Box<StateOf<C>>;
}

impl ChildTarget for dyn Controller {
    type Handle = AnyNode;
    type Loaded = AnyLoaded;
}

/// A controller of any registered type.
#[derive(Clone)]
#[doc(hidden)]
pub struct AnyNode(Arc<dyn Node>);

impl<C: ?Sized + ChildTarget> Child<C> {
    fn of_live(controller: C::Handle) -> Self {
        Self { live: OnceLock::from(controller), loaded: Mutex::new(None) }
    }

    #[inline]
    fn of_loaded(loaded: Option<C::Loaded>) -> Self {
        Self { live: OnceLock::new(), loaded: Mutex::new(loaded) }
    }

    fn loaded(&self) -> MutexGuard<'_, Option<C::Loaded>> {
        // A panic behind the lock leaves the state as it was: nobody changes it there.
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Builds the controller from the loaded state and keeps it.
    fn build_by(
        &self,
        build: impl FnOnce(C::Loaded) -> Result<C::Handle, Error>,
    ) -> Result<C::Handle, Error> {
        if let Some(controller) = self.live.get() {
            return Ok(controller.clone());
        }
        // Releases the lock first, because the controller's own code builds it.
        let loaded = self.loaded().take();
        let controller = build(loaded.ok_or_else(empty)?)?;
        Ok(self.live.get_or_init(|| controller).clone())
    }

    /// Takes the loaded state out and stores an existing controller in its place.
    fn keep(&self, existing: C::Handle) -> Result<C::Loaded, Error> {
        let loaded = self.loaded().take().ok_or_else(empty)?;
        self.live.get_or_init(|| existing);
        Ok(loaded)
    }
}

impl<C: Controller> Child<C> {
    // Apart, and with the place of the answer, so that the question for the controller, which is
    // answered in a few steps, saves no registers for them.
    #[inline(never)]
    fn build_node(&self, built: &mut Option<Result<Arc<dyn Node>, Error>>) {
        *built = Some(self.build_by(StateOf::build_boxed).map(|controller| controller as _));
    }

    #[inline(never)]
    fn describe(&self, described: &mut Option<Described>) {
        *described = self.loaded().as_ref().map(|loaded| Described::of(&**loaded));
    }

    #[inline(never)]
    fn keep_node(
        &self,
        existing: &Arc<dyn Node>,
        kept: &mut Option<Result<Box<dyn Loaded>, Error>>,
    ) {
        let controller = Arc::clone(existing).into_any().downcast();
        let loaded = controller.map_err(|_| another()).and_then(|there| self.keep(there));
        *kept = Some(loaded.map(|loaded| loaded as _));
    }

    #[inline(never)]
    fn hold_node(&self, existing: &Arc<dyn Node>, held: &mut bool) {
        let controller = Arc::clone(existing).into_any().downcast();
        *held = controller.is_ok_and(|controller| self.live.set(controller).is_ok());
    }
}

impl<C: Controller> Child<C> {
    /// Creates a child that holds this controller.
    pub fn new(controller: impl Into<Arc<C>>) -> Self {
        Self::of_live(controller.into())
    }

    /// Returns the controller; `None` between decoding and import.
    pub fn get(&self) -> Option<&Arc<C>> {
        self.live.get()
    }

    /// Calls `look` with the child's state, whether or not its controller exists yet. If it exists,
    /// its lock is held during the call. Returns `None` after a failed import.
    pub fn with_state<R>(&self, look: impl FnOnce(&C::State) -> R) -> Option<R> {
        match self.live.get() {
            Some(controller) => {
                let mut state = controller.state();
                let stage = wire_stages::of(address(&**controller));
                Some(look(&*AsOnTheWire::new(&mut *state, stage)))
            }
            None => self.loaded().as_ref().map(|loaded| look(&loaded.state)),
        }
    }
}

impl Child<dyn Controller> {
    /// Creates a child that holds this controller, which is passed by value or in an `Arc`. A
    /// restore finds its type only if the type is registered.
    pub fn of(controller: impl IntoChild) -> Self {
        controller.into_child()
    }

    /// Returns the controller if it is a `C` and is built.
    pub fn downcast<C: Controller>(&self) -> Option<Arc<C>> {
        let AnyNode(node) = self.live.get()?;
        Arc::clone(node).into_any().downcast().ok()
    }

    /// Returns the type URL of the child's payload; `None` after a failed import.
    pub fn type_url(&self) -> Option<&'static str> {
        self.info().map(|info| info.type_url)
    }

    fn info(&self) -> Option<&'static TypeInfo> {
        match self.live.get() {
            Some(AnyNode(node)) => Some(node.info()),
            None => self.loaded().as_ref().map(|AnyLoaded(loaded)| loaded.info()),
        }
    }
}

/// A value that becomes a [`Child<dyn Controller>`](Child): a controller, or an `Arc` of one.
pub trait IntoChild {
    /// Converts the value.
    fn into_child(self) -> Child<dyn Controller>;
}

impl<C: Controller> IntoChild for C {
    fn into_child(self) -> Child<dyn Controller> {
        Arc::new(self).into_child()
    }
}

impl<C: Controller> IntoChild for Arc<C> {
    fn into_child(self) -> Child<dyn Controller> {
        Child::of_live(AnyNode(self))
    }
}

impl IntoChild for Child<dyn Controller> {
    fn into_child(self) -> Child<dyn Controller> {
        self
    }
}

impl<C: ?Sized + ChildTarget> fmt::Debug for Child<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.live.get(), self.loaded.try_lock()) {
            (Some(_), _) => "Child(live)",
            (None, Ok(loaded)) if loaded.is_none() => "Child(empty)",
            (None, _) => "Child(loaded)",
        })
    }
}

impl<C: ?Sized + ChildTarget> Sealed for Child<C> {}

impl<C: ?Sized + ChildTarget> Single for Child<C> {}

impl<C: Controller> Wire<kind::Any> for Child<C> {
    const FORM: ValueForm = ValueForm::named(C::State::TYPE_URL);

    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        w.before_child()?;
        match self.live.get() {
            Some(controller) => controller.put_any(w),
            None => self.loaded().as_ref().ok_or_else(empty)?.put_any(w),
        }
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        take_child(r, |r| {
            r.charge(controller_with::<StateOf<C>>())?;
            let (state, version) = take_versioned_any(r)?;
            Ok(Box::new(StateOf::new(state, version)))
        })
    }

    fn is_default(&self) -> bool {
        false
    }

    fn visit(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        visit.child(self)
    }
}

impl Wire<kind::Any> for Child<dyn Controller> {
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        w.before_child()?;
        match self.live.get() {
            Some(AnyNode(node)) => node.put_any(w),
            None => self.loaded().as_ref().ok_or_else(empty)?.0.put_any(w),
        }
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        take_child(r, |r| take_any_with(r, take_linked))
    }

    fn is_default(&self) -> bool {
        false
    }

    fn visit(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        visit.child(self)
    }
}

/// Reads a child as the scope of the read demands.
#[inline]
fn take_child<C: ?Sized + ChildTarget>(
    r: &mut Reader<'_>,
    take: impl FnOnce(&mut Reader<'_>) -> Result<C::Loaded, Error>,
) -> Result<Child<C>, Error>
where
    Child<C>: ChildCell,
{
    match r.scope() {
        None => take(r).map(|loaded| Child::of_loaded(Some(loaded))),
        Some(scope) => take_in_scope(r, scope, take),
    }
}

/// Reads a child, unless the scope leaves it out or has its controller already.
#[cold]
#[inline(never)]
fn take_in_scope<C: ?Sized + ChildTarget>(
    r: &mut Reader<'_>,
    scope: &dyn ReadScope,
    take: impl FnOnce(&mut Reader<'_>) -> Result<C::Loaded, Error>,
) -> Result<Child<C>, Error>
where
    Child<C>: ChildCell,
{
    if scope.leaves_out() {
        let loaded = r.sharing(r.fork(), take).ok();
        r.skip(kind::WireType::Len)?;
        return Ok(Child::of_loaded(loaded));
    }
    if let Some((type_url, payload)) = any_ahead(r) {
        let child = Child::of_loaded(None);
        if scope.has_already(type_url, payload, &child)? {
            r.skip(kind::WireType::Len)?;
            return Ok(child);
        }
    }
    take(r).map(|loaded| Child::of_loaded(Some(loaded)))
}

#[cold]
fn empty() -> Error {
    Error::internal("the child's import has failed, there is nothing to save")
}

/// A question of the orchestrator to a child of any type: see [`ChildCell::answer`].
enum Question {
    /// The controller, once it is built.
    Live(Option<Arc<dyn Node>>),
    /// The description of the decoded state.
    Described(Option<Described>),
    /// The controller, which the question builds.
    Build(Option<Result<Arc<dyn Node>, Error>>),
    /// The decoded state, in exchange for an existing controller.
    Keep(Arc<dyn Node>, Option<Result<Box<dyn Loaded>, Error>>),
    /// Whether an existing controller fits into the empty place, where it is put then.
    Hold(Arc<dyn Node>, bool),
}

/// Returns the controller of a child, once it is built.
pub(crate) fn live(child: &dyn ChildCell) -> Option<Arc<dyn Node>> {
    let mut question = Question::Live(None);
    child.answer(&mut question);
    match question {
        Question::Live(node) => node,
        _ => None,
    }
}

/// Returns the description of a child's decoded state; `None` if it has none.
pub(crate) fn described(child: &dyn ChildCell) -> Option<Described> {
    let mut question = Question::Described(None);
    child.answer(&mut question);
    match question {
        Question::Described(described) => described,
        _ => None,
    }
}

/// Builds the controller of a child from its decoded state, in its import stage, and keeps it.
///
/// # Errors
///
/// Those of the controller's `import`. Also if there is neither a controller nor a state.
pub(crate) fn build_child(child: &dyn ChildCell) -> Result<Arc<dyn Node>, Error> {
    let mut question = Question::Build(None);
    child.answer(&mut question);
    match question {
        Question::Build(Some(built)) => built,
        _ => Err(empty()),
    }
}

/// Puts an existing controller of the same type into the place of a child's decoded state. Returns
/// the state, with which the controller is to be [refreshed](Node::refresh).
///
/// # Errors
///
/// If the controller is of another type, or if there is no state.
pub(crate) fn keep_child(
    child: &dyn ChildCell,
    existing: &Arc<dyn Node>,
) -> Result<Box<dyn Loaded>, Error> {
    let mut question = Question::Keep(Arc::clone(existing), None);
    child.answer(&mut question);
    match question {
        Question::Keep(_, Some(loaded)) => loaded,
        _ => Err(empty()),
    }
}

/// Puts an existing controller into an empty place. Returns whether it is of the right type.
pub(crate) fn hold_child(child: &dyn ChildCell, existing: &Arc<dyn Node>) -> bool {
    let mut question = Question::Hold(Arc::clone(existing), false);
    child.answer(&mut question);
    matches!(question, Question::Hold(_, true))
}

#[cold]
fn another() -> Error {
    Error::internal("a controller of another type was to take the place of this child")
}

impl<C: Controller> ChildCell for Child<C> {
    fn address(&self) -> Option<usize> {
        self.live.get().map(|controller| address(&**controller))
    }

    fn own_name(&self) -> Option<String> {
        match self.live.get() {
            Some(controller) => Node::own_name(&**controller),
            None => self.loaded().as_ref()?.own_name(),
        }
    }

    fn message_name(&self) -> Option<&'static str> {
        let is_there = self.live.get().is_some() || self.loaded().is_some();
        is_there.then_some(C::State::MESSAGE_NAME)
    }

    fn visit(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        match self.live.get() {
            Some(controller) => Node::visit(&**controller, visit),
            None => self.loaded().as_ref().ok_or_else(empty)?.visit(visit),
        }
    }

    fn answer(&self, question: &mut dyn Any) {
        match question.downcast_mut() {
            Some(Question::Live(node)) => {
                *node = self.live.get().map(|controller| Arc::clone(controller) as _);
            }
            Some(Question::Described(described)) => self.describe(described),
            Some(Question::Build(built)) => self.build_node(built),
            Some(Question::Keep(existing, kept)) => self.keep_node(existing, kept),
            Some(Question::Hold(existing, held)) => self.hold_node(existing, held),
            None => {}
        }
    }
}

impl ChildCell for Child<dyn Controller> {
    fn address(&self) -> Option<usize> {
        self.live.get().map(|AnyNode(node)| address(&**node))
    }

    fn own_name(&self) -> Option<String> {
        match self.live.get() {
            Some(AnyNode(node)) => node.own_name(),
            None => self.loaded().as_ref()?.0.own_name(),
        }
    }

    fn message_name(&self) -> Option<&'static str> {
        self.info().map(|info| info.message_name)
    }

    fn visit(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        match self.live.get() {
            Some(AnyNode(node)) => node.visit(visit),
            None => self.loaded().as_ref().ok_or_else(empty)?.0.visit(visit),
        }
    }

    fn answer(&self, question: &mut dyn Any) {
        match question.downcast_mut() {
            Some(Question::Live(found)) => {
                *found = self.live.get().map(|AnyNode(node)| Arc::clone(node));
            }
            Some(Question::Described(described)) => {
                *described = self.loaded().as_ref().map(|loaded| Described::of(&*loaded.0));
            }
            Some(Question::Build(built)) => {
                let build = |AnyLoaded(loaded): AnyLoaded| loaded.import().map(AnyNode);
                *built = Some(self.build_by(build).map(|AnyNode(node)| node));
            }
            Some(Question::Keep(existing, loaded)) => {
                let kept = self.keep(AnyNode(Arc::clone(existing)));
                *loaded = Some(kept.map(|AnyLoaded(loaded)| loaded));
            }
            Some(Question::Hold(existing, held)) => {
                *held = self.live.set(AnyNode(Arc::clone(existing))).is_ok();
            }
            None => {}
        }
    }
}
