//! Finding the controllers inside a state.

use std::any::Any;
use std::sync::Arc;

use super::node::Node;
use crate::Error;
use crate::path::{ControllerId, Spot, put_number};
use crate::references::References;
use crate::registry::TypeInfo;

/// A walk over the fields of a state that stops at every child controller. The derive's code
/// leads it; the path grows by fields, keys and indices.
///
/// The path is a chain of steps on the stack, so that a walk over a field without controllers comes
/// to nothing when it is compiled.
pub struct Walk<'v> {
    way: Option<&'v Way<'v>>,
    visit: &'v mut Visit<'v>,
    /// Whether it ends at the first child, so that nobody asks where that is and which comes first.
    ends_at_first: bool,
}

/// What is called at every child.
pub(crate) type Visit<'v> = dyn FnMut(Found<'_>, &mut dyn ChildCell) -> Result<(), Error> + 'v;

/// A step into a state, with the steps before it.
#[derive(Debug)]
struct Way<'w> {
    step: Step<'w>,
    before: Option<&'w Way<'w>>,
}

#[derive(Debug)]
enum Step<'w> {
    Field(&'static str),
    Index(usize),
    Key(&'w str),
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
    Way(Option<&'a Way<'a>>),
    /// Where its parent says.
    Path(&'a str),
}

impl Found<'_> {
    /// Where it is. If that is more than a field or an element, its path relative to its parent is
    /// added to `text`.
    pub(crate) fn spot(&self, text: &mut String) -> Spot {
        let from = text.len();
        let name_at = match self.place {
            Place::Way(Some(Way { step: Step::Field(name), before: None })) => {
                return Spot::Field(name);
            }
            Place::Way(Some(Way {
                step: Step::Index(index),
                before: Some(Way { step: Step::Field(name), before: None }),
            })) if *index <= u32::MAX as usize => return Spot::Element(name, *index as u32),
            Place::Way(Some(way)) => way.put(text),
            Place::Way(None) => None,
            Place::Path(path) => {
                text.push_str(path);
                None
            }
        };
        Spot::text(from, text.len(), name_at)
    }
}

impl Way<'_> {
    /// Adds the path to a text; says where its last step begins, if a name may take its place.
    fn put(&self, text: &mut String) -> Option<usize> {
        if let Some(before) = self.before {
            before.put(text);
            text.push('/');
        }
        let at = text.len();
        match self.step {
            Step::Field(name) => {
                text.push_str(name);
                return None;
            }
            Step::Index(index) => put_number(index, text),
            Step::Key(key) => text.push_str(&ControllerId::escape(key)),
        }
        Some(at)
    }
}

impl<'v> Walk<'v> {
    pub(crate) fn new(visit: &'v mut Visit<'v>) -> Self {
        Self { way: None, visit, ends_at_first: false }
    }

    /// Whether a walk meets a child. To put the entries of a map in order and to make texts of their
    /// keys is worth it only then.
    pub(crate) fn meets_child(walk: impl FnOnce(&mut Walk<'_>) -> Result<(), Error>) -> bool {
        let mut visit = |_: Found<'_>, _: &mut dyn ChildCell| Err(Error::internal("a child"));
        walk(&mut Walk { way: None, visit: &mut visit, ends_at_first: true }).is_err()
    }

    /// Whether this is to tell whether there is a child, whatever their order.
    pub(crate) fn ends_at_first(&self) -> bool {
        self.ends_at_first
    }

    #[inline]
    fn within(
        &mut self,
        step: Step<'_>,
        walk: impl FnOnce(&mut Walk<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let way = Way { step, before: self.way };
        let Self { ends_at_first, .. } = *self;
        walk(&mut Walk { way: Some(&way), visit: &mut *self.visit, ends_at_first })
    }

    /// Goes into a field.
    #[inline]
    pub fn field(
        &mut self,
        name: &'static str,
        walk: impl FnOnce(&mut Walk<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.within(Step::Field(name), walk)
    }

    /// Goes into an element.
    #[inline]
    pub fn index(
        &mut self,
        index: usize,
        walk: impl FnOnce(&mut Walk<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.within(Step::Index(index), walk)
    }

    /// Goes into a map entry.
    #[inline]
    pub fn key(
        &mut self,
        key: impl Into<String>,
        walk: impl FnOnce(&mut Walk<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.within(Step::Key(&key.into()), walk)
    }

    /// Stops at a child.
    pub(crate) fn child(&mut self, child: &mut dyn ChildCell) -> Result<(), Error> {
        (self.visit)(Found { place: Place::Way(self.way), after: &[] }, child)
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
    /// Its [`address`](super::address), once it is built.
    fn address(&self) -> Option<usize>;
    /// The state, decoded but not yet imported.
    fn loaded(&mut self) -> Option<&mut dyn Loaded>;
    /// Builds the controller from the loaded state, in its import stage, and keeps it.
    fn import(&mut self) -> Result<Arc<dyn Node>, Error>;
    /// Takes the loaded state out and puts an existing controller of the same type in its place, to be
    /// [refreshed](Node::refresh) with the state.
    fn keep(&mut self, existing: &Arc<dyn Node>) -> Result<Box<dyn Loaded>, Error>;
}

/// A decoded payload whose controller is not built yet.
pub(crate) trait Loaded: Send {
    fn info(&self) -> &'static TypeInfo;
    /// The schema version that it was read in.
    fn version(&self) -> u32;
    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), Error>;
    fn refer_fields(&self, references: &mut References);
    fn stage_number(&self) -> Option<i32>;
    fn own_name(&self) -> Option<String>;
    fn put_any(&self, w: &mut crate::codec::Writer) -> Result<(), Error>;
    /// Builds the controller, in its import stage.
    fn import(self: Box<Self>) -> Result<Arc<dyn Node>, Error>;
    /// The state, in the stage that its controller has from its import on.
    fn into_state(self: Box<Self>) -> Result<Box<dyn Any>, Error>;
}
