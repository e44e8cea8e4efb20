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
#[derive(Debug)]
pub(crate) struct Found<'a> {
    /// Its path relative to its parent.
    path: String,
    /// Where in the path its index or key is, which a name that it gives itself replaces.
    name_at: Option<usize>,
    /// The paths of its siblings that it comes after, as its parent says.
    pub(crate) after: &'a [String],
}

impl Found<'_> {
    /// The path, if the child gives itself this name.
    pub(crate) fn path(self, own_name: Option<&str>) -> String {
        named(self.path, self.name_at, own_name)
    }

    /// The path, and what [`named`] needs to put the child's own name into it.
    pub(crate) fn into_parts(self) -> (String, Option<usize>) {
        (self.path, self.name_at)
    }
}

/// A path in which the name that a child gives itself takes the place of its index or key.
pub(crate) fn named(mut path: String, name_at: Option<usize>, own_name: Option<&str>) -> String {
    if let (Some(at), Some(name)) = (name_at, own_name) {
        path.truncate(at);
        path.push_str(&ControllerId::escape(name));
    }
    path
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

    /// Stops at a child.
    pub(crate) fn child(&mut self, child: &mut dyn ChildCell) -> Result<(), Error> {
        let path = self.path.join("/");
        let last = self.path.last().filter(|_| self.in_element);
        let name_at = last.map(|step| path.len() - step.len());
        (self.visit)(Found { path, name_at, after: &[] }, child)
    }

    /// Stops at a child whose path does not follow from its place in the state.
    pub(crate) fn member(
        &mut self,
        path: String,
        after: &[String],
        child: &mut dyn ChildCell,
    ) -> Result<(), Error> {
        (self.visit)(Found { path, name_at: None, after }, child)
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
