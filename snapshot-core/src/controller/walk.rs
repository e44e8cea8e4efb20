//! Finding the controllers inside a state.

use std::fmt::Write;
use std::sync::Arc;

use super::ControllerId;
use super::node::Node;
use crate::Error;
use crate::references::References;
use crate::registry::TypeInfo;

/// A walk over the fields of a state that stops at every child controller. The derive's code
/// leads it; the path grows by fields, keys and indices.
pub struct Walk<'v> {
    steps: Vec<Step>,
    visit: &'v mut Visit<'v>,
}

/// What is called at every child.
pub(crate) type Visit<'v> = dyn FnMut(Found<'_>, &mut dyn ChildCell) -> Result<(), Error> + 'v;

#[derive(Debug)]
enum Step {
    Field(&'static str),
    Index(usize),
    Key(String),
}

/// Where a child was found. Its path is made on demand: most walks need none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    place: Place<'a>,
    /// The paths of its siblings that it comes after, as its parent says.
    pub(crate) after: &'a [String],
}

#[derive(Clone, Copy, Debug)]
enum Place<'a> {
    /// At the end of these steps into its parent's state.
    Steps(&'a [Step]),
    /// Where its parent says.
    Path(&'a str),
}

impl Found<'_> {
    /// Its path relative to its parent. The name that it gives itself, if it does, takes the place
    /// of its index or key.
    pub(crate) fn path(&self, own_name: Option<&str>) -> String {
        let (path, name_at) = self.parts();
        named(path, name_at, own_name)
    }

    /// The path without the child's own name, and what [`named`] needs to put it in.
    pub(crate) fn parts(&self) -> (String, Option<usize>) {
        let steps = match self.place {
            Place::Steps(steps) => steps,
            Place::Path(path) => return (path.to_owned(), None),
        };
        let mut path = String::with_capacity(32);
        let mut name_at = None;
        for step in steps {
            if !path.is_empty() {
                path.push('/');
            }
            name_at = (!matches!(step, Step::Field(_))).then_some(path.len());
            // Writing to a string does not fail.
            let _ = match step {
                Step::Field(name) => path.write_str(name),
                Step::Index(index) => write!(path, "{index}"),
                Step::Key(key) => path.write_str(&ControllerId::escape(key)),
            };
        }
        (path, name_at)
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
        Self { steps: Vec::new(), visit }
    }

    fn within(
        &mut self,
        step: Step,
        walk: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.steps.push(step);
        let result = walk(self);
        self.steps.pop();
        result
    }

    /// Goes into a field.
    pub fn field(
        &mut self,
        name: &'static str,
        walk: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.within(Step::Field(name), walk)
    }

    /// Goes into an element.
    pub fn index(
        &mut self,
        index: usize,
        walk: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.within(Step::Index(index), walk)
    }

    /// Goes into a map entry.
    pub fn key(
        &mut self,
        key: impl Into<String>,
        walk: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.within(Step::Key(key.into()), walk)
    }

    /// Stops at a child.
    pub(crate) fn child(&mut self, child: &mut dyn ChildCell) -> Result<(), Error> {
        (self.visit)(Found { place: Place::Steps(&self.steps), after: &[] }, child)
    }

    /// Stops at a child whose path does not follow from its place in the state.
    pub(crate) fn member(
        &mut self,
        path: &str,
        after: &[String],
        child: &mut dyn ChildCell,
    ) -> Result<(), Error> {
        (self.visit)(Found { place: Place::Path(path), after }, child)
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
    fn refer_fields(&self, references: &mut References);
    fn stage_number(&self) -> Option<i32>;
    fn set_stage_number(&mut self, number: i32) -> Result<(), Error>;
    fn own_name(&self) -> Option<String>;
    fn put_any(&self, w: &mut crate::codec::Writer) -> Result<(), Error>;
    fn import(self: Box<Self>) -> Result<Arc<dyn Node>, Error>;
}
