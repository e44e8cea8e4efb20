//! A decoded payload whose controller is not built yet.

use std::any::Any;
use std::sync::Arc;

use super::node::Node;
use crate::codec::Writer;
use crate::error::Error;
use crate::registry::TypeInfo;
use crate::visit::Visit;

/// A decoded payload whose controller is not built yet, without its type.
pub(crate) trait Loaded: Send {
    fn info(&self) -> &'static TypeInfo;
    /// The schema version that it was read in.
    fn version(&self) -> u32;
    /// Shows the controllers and the names inside to `visit`.
    fn visit(&self, visit: &mut Visit<'_>) -> Result<(), Error>;
    fn stage_number(&self) -> Option<i32>;
    fn own_name(&self) -> Option<String>;
    fn put_any(&self, w: &mut Writer) -> Result<(), Error>;
    /// Builds the controller, in its import stage.
    fn import(self: Box<Self>) -> Result<Arc<dyn Node>, Error>;
    /// The state, in the stage that its controller has from its import on.
    fn into_state(self: Box<Self>) -> Result<Box<dyn Any>, Error>;
}
