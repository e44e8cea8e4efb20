//! A decoded payload whose controller is not built yet.

use std::any::Any;
use std::sync::Arc;

use super::Controller;
use super::node::Node;
use crate::codec::Writer;
use crate::error::Error;
use crate::panics::caught;
use crate::payload::{Payload, State, TypeInfo, put_any};
use crate::visit::Visit;

/// A decoded payload whose controller is not built yet, without its type.
pub(crate) trait Loaded: Send {
    fn info(&self) -> &'static TypeInfo;
    /// Returns the schema version in which it was read.
    fn version(&self) -> u32;
    /// Shows the controllers and the names inside to `visit`.
    fn visit(&self, visit: &mut Visit<'_>) -> Result<(), Error>;
    fn stage_number(&self) -> Option<i32>;
    fn own_name(&self) -> Option<String>;
    fn put_any(&self, w: &mut Writer) -> Result<(), Error>;
    /// Builds the controller in its import stage.
    fn import(self: Box<Self>) -> Result<Arc<dyn Node>, Error>;
    /// Returns the state, in the stage that its controller has after the import.
    fn into_state(self: Box<Self>) -> Result<Box<dyn Any>, Error>;
}

/// The decoded state of a controller that is not built yet.
#[doc(hidden)]
pub struct StateOf<C: Controller> {
    pub(super) state: C::State,
    /// The schema version in which it was read.
    version: u32,
    /// Most controllers are a lock around their state, behind an `Arc`. With this room, a loaded
    /// state is as large as its controller, so the allocator can put the controller where the
    /// loaded state was.
    _room: [usize; 2],
}

impl<C: Controller> StateOf<C> {
    pub(crate) fn new(state: C::State, version: u32) -> Self {
        Self { state, version, _room: [0; 2] }
    }

    /// Builds the controller, in the stage that it has after its import.
    pub(crate) fn build(self) -> Result<Arc<C>, Error> {
        C::import(self.into_imported()?).map(Arc::new)
    }

    /// Returns the state, in the stage that the controller has after its import.
    fn into_imported(mut self) -> Result<C::State, Error> {
        if let Some(stage) = C::State::STAGE_RULES.and_then(|rules| rules.import_as) {
            self.state.set_stage_number(stage)?;
        }
        Ok(self.state)
    }

    /// Does the same for a state in a box, which is freed first.
    pub(super) fn build_boxed(self: Box<Self>) -> Result<Arc<C>, Error> {
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

    fn visit(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
        self.state.visit_fields(visit)
    }

    fn stage_number(&self) -> Option<i32> {
        self.state.stage_number()
    }

    fn own_name(&self) -> Option<String> {
        self.state.own_name()
    }

    fn put_any(&self, w: &mut Writer) -> Result<(), Error> {
        put_any(&self.state, w)
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

/// A decoded payload of any registered type.
#[doc(hidden)]
pub struct AnyLoaded(pub(super) Box<dyn Loaded>);

impl AnyLoaded {
    pub(crate) fn new(loaded: Box<dyn Loaded>) -> Self {
        Self(loaded)
    }

    pub(crate) fn as_loaded(&self) -> &dyn Loaded {
        self.0.as_ref()
    }
}

/// The description of a decoded state.
pub(crate) struct Described {
    pub(crate) info: &'static TypeInfo,
    /// The schema version in which it was read.
    pub(crate) version: u32,
    pub(crate) stage: Option<i32>,
    /// The name that it gives itself, or the reason why that is unknown.
    pub(crate) own_name: Result<Option<String>, Error>,
}

impl Described {
    pub(crate) fn of<L: Loaded + ?Sized>(loaded: &L) -> Self {
        let info = loaded.info();
        let own_name = match info.id_field {
            // Code of the user gives it.
            Some(_) => caught(|| Ok(loaded.own_name())),
            None => Ok(None),
        };
        Self { info, version: loaded.version(), stage: loaded.stage_number(), own_name }
    }
}
