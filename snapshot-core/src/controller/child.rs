//! A controller inside its parent's state.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::lock::with_state;
use super::node::{Node, address};
use super::walk::{ChildCell, Loaded};
use super::{Controller, Walk};
use crate::codec::{self, Reader, Single, Wire, Writer, controller_with};
use crate::error::Code;
use crate::references::References;
use crate::registry::TypeInfo;
use crate::schema::kind;
use crate::{Error, Payload, State};

/// A child controller as a field of its parent's state. On the wire it is a `google.protobuf.Any`:
/// the child owns its schema and its version.
///
/// `Child<Scsi>` holds a controller of one type. `Child<dyn Controller>` holds one of any
/// registered type and finds it again by its type URL.
///
/// A child holds its controller, [`Child::get`], except between decoding and import: inside
/// `validate` functions and in a state that was read by [`codec::from_bytes`] there is only its
/// state yet, [`Child::with_state`].
pub struct Child<C: ?Sized + ChildTarget>(Inner<C>);

enum Inner<C: ?Sized + ChildTarget> {
    Live(C::Handle),
    Loaded(C::Loaded),
    /// Only while the controller is being built and after that has failed, or because it was left
    /// out: see [`take_child`].
    Empty,
}

/// What a [`Child`] can be of: a [`Controller`] type, or `dyn Controller`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a controller, so it cannot be a `Child`",
    label = "needs `impl Controller for {Self}`",
    note = "`Child<...>` names the controller, not its state"
)]
pub trait ChildTarget: 'static {
    #[doc(hidden)]
    type Handle: Clone + Send + Sync;
    #[doc(hidden)]
    type Loaded: Send;
}

#[diagnostic::do_not_recommend]
impl<C: Controller> ChildTarget for C {
    type Handle = Arc<C>;
    type Loaded = Box<StateOf<C>>;
}

impl ChildTarget for dyn Controller {
    type Handle = AnyNode;
    type Loaded = AnyLoaded;
}

/// A controller of some registered type.
#[derive(Clone)]
#[doc(hidden)]
pub struct AnyNode(Arc<dyn Node>);

/// The decoded state of a controller that is not built yet.
#[doc(hidden)]
pub struct StateOf<C: Controller> {
    state: C::State,
    /// The schema version that it was read in.
    version: u32,
    /// Most controllers are a lock around their state, behind an `Arc`. With this a loaded state is as
    /// large as its controller, which the allocator then puts where the loaded state has been.
    _room: [usize; 2],
}

impl<C: Controller> StateOf<C> {
    pub(crate) fn new(state: C::State, version: u32) -> Self {
        Self { state, version, _room: [0; 2] }
    }

    /// Builds the controller, in the stage that it has from its import on.
    pub(crate) fn build(self) -> Result<Arc<C>, Error> {
        C::import(self.into_imported()?).map(Arc::new)
    }

    /// The state, in the stage that its controller has from its import on.
    fn into_imported(mut self) -> Result<C::State, Error> {
        if let Some(stage) = C::State::STAGE_RULES.and_then(|rules| rules.import_as) {
            self.state.set_stage_number(stage)?;
        }
        Ok(self.state)
    }

    /// The same of a state in a box, which is freed first.
    fn build_boxed(self: Box<Self>) -> Result<Arc<C>, Error> {
        let unboxed = |loaded: Box<Self>| *loaded;
        unboxed(self).build()
    }
}

impl<C: Controller> Loaded for StateOf<C> {
    fn info(&self) -> &'static TypeInfo {
        const { &TypeInfo::of::<C>() }
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), Error> {
        self.state.walk_fields(walk)
    }

    fn refer_fields(&self, references: &mut References) {
        self.state.refer_fields(references);
    }

    fn stage_number(&self) -> Option<i32> {
        self.state.stage_number()
    }

    fn own_name(&self) -> Option<String> {
        self.state.own_name()
    }

    fn put_any(&self, w: &mut Writer) -> Result<(), Error> {
        codec::put_any(&self.state, w)
    }

    fn import(self: Box<Self>) -> Result<Arc<dyn Node>, Error> {
        let controller = self.build_boxed()?;
        Ok(controller)
    }

    fn into_state(self: Box<Self>) -> Result<Box<dyn Any>, Error> {
        let state = self.into_imported()?;
        Ok(Box::new(state))
    }
}

/// A decoded payload of some registered type.
#[doc(hidden)]
pub struct AnyLoaded(Box<dyn Loaded>);

impl AnyLoaded {
    pub(crate) fn new(loaded: Box<dyn Loaded>) -> Self {
        Self(loaded)
    }

    pub(crate) fn as_loaded(&mut self) -> &mut dyn Loaded {
        self.0.as_mut()
    }
}

impl<C: Controller> Child<C> {
    /// A child that is this controller.
    pub fn new(controller: impl Into<Arc<C>>) -> Self {
        Self(Inner::Live(controller.into()))
    }

    /// The controller; `None` between decoding and import.
    pub fn get(&self) -> Option<&Arc<C>> {
        match &self.0 {
            Inner::Live(controller) => Some(controller),
            Inner::Loaded(_) | Inner::Empty => None,
        }
    }

    /// Looks at the child's state, whether or not its controller is built yet. Takes the
    /// controller's lock if it is. `None` after a failed import.
    pub fn with_state<R>(&self, look: impl FnOnce(&C::State) -> R) -> Option<R> {
        match &self.0 {
            Inner::Live(controller) => Some(look(&controller.state())),
            Inner::Loaded(loaded) => Some(look(&loaded.state)),
            Inner::Empty => None,
        }
    }
}

impl Child<dyn Controller> {
    /// A child that is this controller, given as it is or in an `Arc`. Its type must be registered
    /// to be found again.
    pub fn of(controller: impl IntoChild) -> Self {
        controller.into_child()
    }

    /// The controller, if it is a `C` and built.
    pub fn downcast<C: Controller>(&self) -> Option<Arc<C>> {
        match &self.0 {
            Inner::Live(AnyNode(node)) => Arc::clone(node).into_any().downcast().ok(),
            Inner::Loaded(_) | Inner::Empty => None,
        }
    }

    /// The type URL of the child's payload; `None` after a failed import.
    pub fn type_url(&self) -> Option<&'static str> {
        match &self.0 {
            Inner::Live(AnyNode(node)) => Some(node.info().type_url),
            Inner::Loaded(AnyLoaded(loaded)) => Some(loaded.info().type_url),
            Inner::Empty => None,
        }
    }
}

/// What a [`Child<dyn Controller>`](Child) can be made of: a controller, or an `Arc` of one.
pub trait IntoChild {
    /// The child.
    fn into_child(self) -> Child<dyn Controller>;
}

impl<C: Controller> IntoChild for C {
    fn into_child(self) -> Child<dyn Controller> {
        Arc::new(self).into_child()
    }
}

impl<C: Controller> IntoChild for Arc<C> {
    fn into_child(self) -> Child<dyn Controller> {
        Child(Inner::Live(AnyNode(self)))
    }
}

impl IntoChild for Child<dyn Controller> {
    fn into_child(self) -> Child<dyn Controller> {
        self
    }
}

impl<C: ?Sized + ChildTarget> fmt::Debug for Child<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Inner::Live(_) => "Child(live)",
            Inner::Loaded(_) => "Child(loaded)",
            Inner::Empty => "Child(empty)",
        })
    }
}

impl<C: ?Sized + ChildTarget> Single for Child<C> {}

impl<C: Controller> Wire<kind::Any> for Child<C> {
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        w.before_child()?;
        match &self.0 {
            Inner::Live(controller) => controller.put_any(w),
            Inner::Loaded(state) => state.put_any(w),
            Inner::Empty => Err(empty()),
        }
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        take_child(r, |r| {
            r.charge(controller_with::<StateOf<C>>())?;
            let (state, version) = codec::take_versioned_any(r)?;
            Ok(Inner::Loaded(Box::new(StateOf::new(state, version))))
        })
        .map(Self)
    }

    fn is_default(&self) -> bool {
        false
    }

    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), Error> {
        walk.child(self)
    }

    fn refer(&self, references: &mut References) {
        let mut refer = |state: &C::State| {
            let own_name = || state.own_name();
            references.payload(own_name, C::State::MESSAGE_NAME, |references| {
                state.refer_fields(references);
            });
        };
        let referred = match &self.0 {
            Inner::Live(controller) => with_state(&**controller, |state| {
                refer(state);
                Ok(())
            }),
            Inner::Loaded(loaded) => {
                refer(&loaded.state);
                Ok(())
            }
            Inner::Empty => Err(empty()),
        };
        if let Err(error) = referred {
            references.lost(error);
        }
    }
}

impl Wire<kind::Any> for Child<dyn Controller> {
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        w.before_child()?;
        match &self.0 {
            Inner::Live(AnyNode(node)) => node.put_any(w),
            Inner::Loaded(AnyLoaded(loaded)) => loaded.put_any(w),
            Inner::Empty => Err(empty()),
        }
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        let registry = crate::registry::registry()?;
        take_child(r, |r| {
            let loaded = codec::take_any_with(r, |type_url, r| match registry.get(type_url) {
                Some(registration) => registration.take(r),
                None => Err(Error::new(
                    Code::Unimplemented,
                    format!("no controller is registered for type URL {}", codec::Quoted(type_url)),
                )),
            })?;
            Ok(Inner::Loaded(loaded))
        })
        .map(Self)
    }

    fn is_default(&self) -> bool {
        false
    }

    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), Error> {
        walk.child(self)
    }

    fn refer(&self, references: &mut References) {
        match &self.0 {
            Inner::Live(AnyNode(node)) => {
                let (own_name, message) = (|| node.own_name(), node.info().message_name);
                references.payload(own_name, message, |inside| node.refer_fields(inside));
            }
            Inner::Loaded(AnyLoaded(loaded)) => {
                let (own_name, message) = (|| loaded.own_name(), loaded.info().message_name);
                references.payload(own_name, message, |inside| loaded.refer_fields(inside));
            }
            Inner::Empty => references.lost(empty()),
        }
    }
}

/// Takes a child; or leaves it out, if the reader does.
#[inline]
fn take_child<C: ?Sized + ChildTarget>(
    r: &mut Reader<'_>,
    take: impl FnOnce(&mut Reader<'_>) -> Result<Inner<C>, Error>,
) -> Result<Inner<C>, Error> {
    if !r.leaves_out() {
        return take(r);
    }
    match r.sharing(r.fork(), take) {
        Ok(child) => r.skip(kind::WireType::Len).map(|()| child),
        Err(_) => r.skip(kind::WireType::Len).map(|()| Inner::Empty),
    }
}

fn empty() -> Error {
    Error::internal("the child's import has failed, there is nothing to save")
}

#[cold]
fn another() -> Error {
    Error::internal("a controller of another type was to take the place of this child")
}

impl<C: Controller> ChildCell for Child<C> {
    fn live(&self) -> Option<Arc<dyn Node>> {
        self.get().map(|controller| Arc::clone(controller) as _)
    }

    fn address(&self) -> Option<usize> {
        self.get().map(|controller| address(&**controller))
    }

    fn loaded(&mut self) -> Option<&mut dyn Loaded> {
        match &mut self.0 {
            Inner::Loaded(state) => Some(state.as_mut()),
            Inner::Live(_) | Inner::Empty => None,
        }
    }

    fn import(&mut self) -> Result<Arc<dyn Node>, Error> {
        match std::mem::replace(&mut self.0, Inner::Empty) {
            Inner::Loaded(state) => {
                let controller = state.build_boxed()?;
                self.0 = Inner::Live(Arc::clone(&controller));
                Ok(controller)
            }
            other => {
                self.0 = other;
                self.live().ok_or_else(empty)
            }
        }
    }

    fn keep(&mut self, existing: &Arc<dyn Node>) -> Result<Box<dyn Loaded>, Error> {
        let controller = Arc::clone(existing).into_any().downcast().map_err(|_| another())?;
        match std::mem::replace(&mut self.0, Inner::Live(controller)) {
            Inner::Loaded(state) => Ok(state),
            Inner::Live(_) | Inner::Empty => Err(empty()),
        }
    }
}

impl ChildCell for Child<dyn Controller> {
    fn live(&self) -> Option<Arc<dyn Node>> {
        match &self.0 {
            Inner::Live(AnyNode(node)) => Some(Arc::clone(node)),
            Inner::Loaded(_) | Inner::Empty => None,
        }
    }

    fn address(&self) -> Option<usize> {
        match &self.0 {
            Inner::Live(AnyNode(node)) => Some(address(&**node)),
            Inner::Loaded(_) | Inner::Empty => None,
        }
    }

    fn loaded(&mut self) -> Option<&mut dyn Loaded> {
        match &mut self.0 {
            Inner::Loaded(AnyLoaded(loaded)) => Some(loaded.as_mut()),
            Inner::Live(_) | Inner::Empty => None,
        }
    }

    fn import(&mut self) -> Result<Arc<dyn Node>, Error> {
        match std::mem::replace(&mut self.0, Inner::Empty) {
            Inner::Loaded(AnyLoaded(loaded)) => {
                let node = loaded.import()?;
                self.0 = Inner::Live(AnyNode(Arc::clone(&node)));
                Ok(node)
            }
            other => {
                self.0 = other;
                self.live().ok_or_else(empty)
            }
        }
    }

    fn keep(&mut self, existing: &Arc<dyn Node>) -> Result<Box<dyn Loaded>, Error> {
        match std::mem::replace(&mut self.0, Inner::Live(AnyNode(Arc::clone(existing)))) {
            Inner::Loaded(AnyLoaded(loaded)) => Ok(loaded),
            Inner::Live(_) | Inner::Empty => Err(empty()),
        }
    }
}
