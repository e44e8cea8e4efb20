//! The one walk over a state: it shows the controllers inside, and the names that fields define and
//! refer to, to a [`Visitor`].
//!
//! Each type shows its content in one function: `visit` of `Wire`, `WireField`, `WireOneof` and `State`.
//! A type with `LEAF` has nothing inside, so the compiler leaves out the walk over it. The use
//! of a controller or a name is up to the visitor: rooms above implement [`Visitor`].

mod names;
mod step;

use std::any::Any;
use std::collections::BTreeSet;
use std::slice;

pub use self::names::Names;
pub(crate) use self::names::Role;
pub(crate) use self::step::{StatePlace, Step, Way};
use crate::error::Error;
use crate::panics::{caught, quietly};

/// How deep messages may be nested. Reading and saving have the same limit.
pub(crate) const DEPTH_LIMIT: u32 = 100;

/// Receives the controllers and names that a walk over a state finds.
pub(crate) trait Visitor {
    /// What the walk must find and know. It is asked once, when a walk begins.
    fn wants(&self) -> Wants;

    /// Receives a controller inside the state. The walk does not go into it.
    ///
    /// # Errors
    ///
    /// An error ends the walk, which returns it.
    fn child(&mut self, place: StatePlace<'_>, child: &dyn ChildCell) -> Result<(), Error>;

    /// Receives a name, if the visitor wants names.
    fn name(&mut self, place: StatePlace<'_>, name: Name<'_>) {
        let _ = (place, name);
    }

    /// Receives the place of a field whose adapter gives back another value, if the visitor asks for it.
    fn lossy(&mut self, place: StatePlace<'_>) {
        let _ = place;
    }

    /// Receives an error that hides a part of the state from a visitor that wants names.
    fn lost(&mut self, place: StatePlace<'_>, error: Error) {
        let _ = (place, error);
    }
}

/// What a visitor wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wants {
    /// Whether it needs the order of the wire. A map is sorted for this only.
    pub(crate) order: bool,
    /// Whether it needs places. A visitor that wants names has them for its errors in any case.
    pub(crate) places: bool,
    /// Whether it collects names.
    pub(crate) names: bool,
    /// Whether it asks if adapters give back what they were given.
    pub(crate) adapters: bool,
}

impl Wants {
    /// The controllers, in any order, wherever they are.
    pub(crate) const CHILDREN: Self =
        Self { order: false, places: false, names: false, adapters: false };
    /// The controllers and their places, in the order of the wire.
    pub(crate) const PLACES: Self = Self { order: true, places: true, ..Self::CHILDREN };
    /// The controllers in the order of the wire.
    pub(crate) const IN_ORDER: Self = Self { order: true, ..Self::CHILDREN };

    /// Returns whether the steps of a walk must be known.
    #[inline]
    fn has_steps(self) -> bool {
        self.places || self.names
    }
}

/// A name that a field defines or refers to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'n> {
    pub(crate) role: Role,
    pub(crate) namespace: &'static str,
    /// The text of the value on the wire.
    pub(crate) text: &'n str,
}

/// A controller inside a state, whatever its type, built or not.
pub(crate) trait ChildCell {
    /// The address of the controller, once it is built.
    fn address(&self) -> Option<usize>;
    /// The name that the controller gives itself among its siblings.
    fn own_name(&self) -> Option<String>;
    /// The full name of the message of its payload; `None` if there is neither a controller nor a state.
    fn message_name(&self) -> Option<&'static str>;
    /// Walks over its state.
    ///
    /// # Errors
    ///
    /// Those of the visitor, and if there is neither a controller nor a state.
    fn visit(&self, visit: &mut Visit<'_>) -> Result<(), Error>;
    /// Answers a question of the room of controllers. The question is a type of that room; a question of any
    /// other type gets no answer.
    fn answer(&self, question: &mut dyn Any);
}

/// A walk over a state. Its path is a chain of steps on the stack, so a walk over a field without
/// controllers and names compiles to nothing.
pub struct Visit<'v> {
    visitor: &'v mut dyn Visitor,
    wants: Wants,
    way: Option<&'v Way<'v>>,
    /// The nesting depth of the current message.
    depth: u32,
    /// In a walk that compares controllers and shows none, the addresses that are expected next.
    expected: Option<slice::Iter<'v, usize>>,
}

impl<'v> Visit<'v> {
    /// Begins a walk.
    pub(crate) fn new(visitor: &'v mut dyn Visitor) -> Self {
        Self { wants: visitor.wants(), visitor, way: None, depth: 0, expected: None }
    }

    /// Continues a walk inside of a controller that was found at `place`.
    pub(crate) fn inside(
        visitor: &mut dyn Visitor,
        place: StatePlace<'_>,
        own_name: Option<&str>,
        message: &'static str,
        visit: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let wants = visitor.wants();
        let StatePlace { way, depth } = place;
        let mut outer = Visit { wants, visitor, way, depth, expected: None };
        outer.within(Step::Payload { own_name, message }, |inside| inside.message(visit))
    }

    /// Returns whether the visitor wants names.
    #[inline]
    pub(crate) fn wants_names(&self) -> bool {
        self.wants.names
    }

    /// Returns whether the visitor asks if adapters give back what they were given.
    #[inline]
    pub(crate) fn wants_adapters(&self) -> bool {
        self.wants.adapters
    }

    /// Shows a field whose adapter gives back another value to the visitor.
    pub(crate) fn lossy(&mut self, field: &'static str) {
        let way = Way::new(Step::Field(field), self.way);
        self.visitor.lossy(StatePlace { way: Some(&way), depth: self.depth });
    }

    #[inline]
    fn within(
        &mut self,
        step: Step<'_>,
        visit: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Self { wants, depth, .. } = *self;
        if !wants.has_steps() {
            return visit(self);
        }
        let way = Way::new(step, self.way);
        let visitor = &mut *self.visitor;
        visit(&mut Visit { visitor, wants, way: Some(&way), depth, expected: None })
    }

    /// Walks into a field.
    pub(crate) fn field(
        &mut self,
        name: &'static str,
        visit: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.within(Step::Field(name), visit)
    }

    /// Walks into an element of a list.
    pub(crate) fn index(
        &mut self,
        index: usize,
        visit: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.within(Step::Index(index), visit)
    }

    /// Walks into an entry of a map. The text of its key is written only if the visitor wants places.
    pub(crate) fn key(
        &mut self,
        key: impl FnOnce() -> String,
        visit: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match self.wants.has_steps() {
            true => self.within(Step::Key(&key()), visit),
            false => visit(self),
        }
    }

    /// Walks into a member of a set of controllers. Its id does not follow from its place.
    pub(crate) fn member(
        &mut self,
        id: &str,
        after: &BTreeSet<String>,
        visit: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.within(Step::Member { id, after }, visit)
    }

    /// Walks over the values of a map: by `values` alone, or by `entries`, in the order of the wire and
    /// with their keys, if the visitor needs that. `is_sorted` says that the order of `values` is that
    /// of the wire.
    pub(crate) fn values(
        &mut self,
        is_sorted: bool,
        values: impl Fn(&mut Visit<'_>) -> Result<(), Error>,
        entries: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !self.wants.order || (is_sorted && !self.wants.has_steps()) {
            return values(self);
        }
        // To sort the keys and to write them is worth the work only if there is something to find.
        if !self.wants.names && !holds_child(values) {
            return Ok(());
        }
        entries(self)
    }

    /// Walks into a nested message. What is nested deeper than can be saved is not visited: its save
    /// fails and says why.
    #[inline]
    pub(crate) fn message(
        &mut self,
        visit: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !self.enter_message() {
            return Ok(());
        }
        let visited = visit(self);
        self.leave_message();
        visited
    }

    /// Enters a nested message, unless it is nested deeper than can be saved.
    // Apart from `message`, and not generic, because each state struct calls it.
    #[inline]
    pub(crate) fn enter_message(&mut self) -> bool {
        if self.depth == DEPTH_LIMIT {
            self.lost_in_depth();
            return false;
        }
        self.depth += 1;
        true
    }

    /// Leaves a message that was entered.
    #[inline]
    pub(crate) fn leave_message(&mut self) {
        self.depth -= 1;
    }

    #[cold]
    fn lost_in_depth(&mut self) {
        let reason = format!("messages are nested more than {DEPTH_LIMIT} deep");
        self.lost(Error::invalid(reason));
    }

    /// Walks into a payload that is part of the state, without a controller.
    pub(crate) fn payload(
        &mut self,
        own_name: impl FnOnce() -> Option<String>,
        message: &'static str,
        visit: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !self.wants.names {
            return self.message(visit);
        }
        let own_name = match self.wants.places {
            // A name that panics was reported when the tree was looked at.
            true => quietly(own_name).flatten(),
            false => None,
        };
        let step = Step::Payload { own_name: own_name.as_deref(), message };
        self.within(step, |inside| {
            // Code of the user gives the names.
            let visited = caught(|| inside.message(visit));
            if let Err(error) = visited {
                inside.lost(error);
            }
            Ok(())
        })
    }

    /// Reports an error that hides a part of the state from a visitor that wants names.
    #[cold]
    pub(crate) fn lost(&mut self, error: Error) {
        let place = StatePlace { way: self.way, depth: self.depth };
        self.visitor.lost(place, error);
    }

    /// Shows a controller to the visitor, or compares it with the expected one.
    // In line, so that its address is at hand.
    #[inline]
    pub(crate) fn child<C: ChildCell>(&mut self, child: &C) -> Result<(), Error> {
        if let Some(expected) = &mut self.expected {
            let found = child.address();
            return match found.is_some() && found.as_ref() == expected.next() {
                true => Ok(()),
                false => Err(unexpected()),
            };
        }
        let place = StatePlace { way: self.way, depth: self.depth };
        self.visitor.child(place, child)
    }

    /// Shows the names in a field to the visitor, if it wants names.
    pub(crate) fn names(
        &mut self,
        field: &'static str,
        role: Role,
        namespace: &'static str,
        add: impl FnOnce(&mut Names<'_>),
    ) {
        if self.wants.names {
            let way = Way::new(Step::Field(field), self.way);
            let place = StatePlace { way: Some(&way), depth: self.depth };
            add(&mut Names::new(&mut *self.visitor, self.wants, place, role, namespace));
        }
    }
}

/// Returns whether a walk finds a controller.
pub(crate) fn holds_child(visit: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>) -> bool {
    struct FirstChild(bool);

    impl Visitor for FirstChild {
        fn wants(&self) -> Wants {
            Wants::CHILDREN
        }

        fn child(&mut self, _: StatePlace<'_>, _: &dyn ChildCell) -> Result<(), Error> {
            self.0 = true;
            // It only ends the walk: nobody reads it.
            Err(Error::internal("a controller was found"))
        }
    }

    let mut first = FirstChild(false);
    // The visitor knows more than the result says.
    let _ = visit(&mut Visit::new(&mut first));
    first.0
}

/// The visitor that calls a function for each controller.
pub(crate) struct Children<F>(F);

/// Makes a visitor of controllers that calls `found` for each, with its place.
pub(crate) fn children<F>(found: F) -> Children<F>
where
    F: FnMut(StatePlace<'_>, &dyn ChildCell) -> Result<(), Error>,
{
    Children(found)
}

impl<F> Visitor for Children<F>
where
    F: FnMut(StatePlace<'_>, &dyn ChildCell) -> Result<(), Error>,
{
    fn wants(&self) -> Wants {
        Wants::PLACES
    }

    fn child(&mut self, place: StatePlace<'_>, child: &dyn ChildCell) -> Result<(), Error> {
        (self.0)(place, child)
    }
}

/// Returns whether a walk finds exactly the controllers with these addresses, in the order of the wire.
/// A tree is compared so before each of its phases, so the walk compares the addresses itself.
pub(crate) fn finds_exactly(
    addresses: &[usize],
    visit: impl FnOnce(&mut Visit<'_>) -> Result<(), Error>,
) -> bool {
    /// Receives nothing.
    struct Nobody;

    impl Visitor for Nobody {
        fn wants(&self) -> Wants {
            Wants::IN_ORDER
        }

        fn child(&mut self, _: StatePlace<'_>, _: &dyn ChildCell) -> Result<(), Error> {
            Ok(())
        }
    }

    let mut nobody = Nobody;
    let mut walk = Visit { expected: Some(addresses.iter()), ..Visit::new(&mut nobody) };
    visit(&mut walk).is_ok() && walk.expected.is_none_or(|rest| rest.as_slice().is_empty())
}

/// It only ends a walk: nobody reads it.
#[cold]
fn unexpected() -> Error {
    Error::internal("another controller than the expected one")
}
