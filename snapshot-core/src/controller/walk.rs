//! Finding the controllers inside a state.

use std::borrow::Cow;
use std::sync::Arc;

use super::ControllerId;
use super::node::Node;
use crate::Error;
use crate::registry::TypeInfo;

/// A walk over the fields of a state that stops at every child controller. The derive's code
/// leads it; the path grows by fields, keys and indices.
pub struct Walk<'v> {
    path: Vec<Cow<'static, str>>,
    /// Whether the last step is an index or a key, which a child's own name replaces.
    in_element: bool,
    visit: &'v mut Visit<'v>,
}

/// What is called at every child.
pub(crate) type Visit<'v> = dyn FnMut(Found<'_>, &mut dyn ChildCell) -> Result<(), Error> + 'v;

/// Where a child was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    /// Its path relative to the state's own controller.
    pub(crate) path: &'a str,
    /// The paths of its siblings that it comes after, as its parent says.
    pub(crate) after: &'a [String],
}

impl<'v> Walk<'v> {
    pub(crate) fn new(visit: &'v mut Visit<'v>) -> Self {
        Self { path: Vec::new(), in_element: false, visit }
    }

    fn within(
        &mut self,
        step: Cow<'static, str>,
        is_element: bool,
        walk: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.path.push(step);
        let outer = std::mem::replace(&mut self.in_element, is_element);
        let result = walk(self);
        self.in_element = outer;
        self.path.pop();
        result
    }

    /// Goes into a field.
    pub fn field(
        &mut self,
        name: &'static str,
        walk: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.within(Cow::Borrowed(name), false, walk)
    }

    /// Goes into an element.
    pub fn index(
        &mut self,
        index: usize,
        walk: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.within(Cow::Owned(index.to_string()), true, walk)
    }

    /// Goes into a map entry.
    pub fn key(
        &mut self,
        key: &str,
        walk: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.within(Cow::Owned(ControllerId::escape(key).into_owned()), true, walk)
    }

    /// Stops at a child. A name that it gives itself takes the place of its index or key.
    pub(crate) fn child(&mut self, child: &mut dyn ChildCell) -> Result<(), Error> {
        let path = match (child.own_name(), self.path.split_last()) {
            (Some(name), Some((_, parents))) if self.in_element => {
                format!("{}/{}", parents.join("/"), ControllerId::escape(&name))
            }
            _ => self.path.join("/"),
        };
        (self.visit)(Found { path: &path, after: &[] }, child)
    }

    /// Stops at a child whose path does not follow from its place in the state.
    pub(crate) fn member(
        &mut self,
        path: &str,
        after: &[String],
        child: &mut dyn ChildCell,
    ) -> Result<(), Error> {
        (self.visit)(Found { path, after }, child)
    }
}

/// The place of a child controller in its parent's state, whatever its type.
pub(crate) trait ChildCell {
    /// The controller, once it is built.
    fn live(&self) -> Option<Arc<dyn Node>>;
    /// The state, decoded but not yet imported.
    fn loaded(&mut self) -> Option<&mut dyn Loaded>;
    /// Builds the controller from the loaded state and keeps it.
    fn import(&mut self) -> Result<Arc<dyn Node>, Error>;
    /// The name that the child gives itself.
    fn own_name(&self) -> Option<String>;
}

/// A decoded payload whose controller is not built yet.
pub(crate) trait Loaded: Send {
    fn info(&self) -> TypeInfo;
    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), Error>;
    fn stage_number(&self) -> Option<i32>;
    fn set_stage_number(&mut self, number: i32) -> Result<(), Error>;
    fn own_name(&self) -> Option<String>;
    fn put_any(&self, w: &mut crate::codec::Writer) -> Result<(), Error>;
    fn import(self: Box<Self>) -> Result<Arc<dyn Node>, Error>;
}
