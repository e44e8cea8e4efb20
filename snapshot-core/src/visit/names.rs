//! Names: the texts of the values in fields with `defines` and `refers`.

use std::fmt;

use super::step::{StatePlace, Step, Way};
use super::{ChildCell, Name, Visitor, Wants};
use crate::error::Error;

/// Whether a field defines a name or refers to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Defines,
    Refers,
}

/// Collects the names in one field with `defines` or `refers`. See
/// [`Reference`](crate::codec::Reference).
pub struct Names<'r> {
    visitor: &'r mut dyn Visitor,
    wants_places: bool,
    place: StatePlace<'r>,
    role: Role,
    namespace: &'static str,
    /// Whether each name is also a key, and thus part of its own path.
    is_key: bool,
}

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("role", &self.role)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

impl<'r> Names<'r> {
    pub(super) fn new(
        visitor: &'r mut dyn Visitor,
        wants: Wants,
        place: StatePlace<'r>,
        role: Role,
        namespace: &'static str,
    ) -> Self {
        Self { visitor, wants_places: wants.places, place, role, namespace, is_key: false }
    }

    /// Adds a name: the text form of a value on the wire.
    pub fn add(&mut self, text: &str) {
        let name = Name { role: self.role, namespace: self.namespace, text };
        match self.is_key {
            false => self.visitor.name(self.place, name),
            true => {
                let way = Way::new(Step::Key(text), self.place.way);
                self.visitor.name(StatePlace { way: Some(&way), ..self.place }, name);
            }
        }
    }

    /// Returns whether the places of names and their order matter.
    pub(crate) fn wants_places(&self) -> bool {
        self.wants_places
    }

    /// Adds names inside of an element of a list.
    pub(crate) fn in_index(&mut self, index: usize, add: impl FnOnce(&mut Names<'_>)) {
        self.within(Step::Index(index), add);
    }

    /// Adds names inside of an entry of a map.
    pub(crate) fn in_key(&mut self, key: &str, add: impl FnOnce(&mut Names<'_>)) {
        self.within(Step::Key(key), add);
    }

    fn within(&mut self, step: Step<'_>, add: impl FnOnce(&mut Names<'_>)) {
        let way = Way::new(step, self.place.way);
        let place = StatePlace { way: Some(&way), ..self.place };
        add(&mut Names { visitor: &mut *self.visitor, place, ..*self });
    }

    /// Adds names that are keys. Each is also the last part of its path.
    pub(crate) fn as_keys(&mut self, add: impl FnOnce(&mut Names<'_>)) {
        add(&mut Names { visitor: &mut *self.visitor, is_key: true, ..*self });
    }

    /// Returns the texts of the names that `add` adds. The visitor does not see them.
    pub(crate) fn texts(&self, add: impl FnOnce(&mut Names<'_>)) -> Vec<String> {
        let mut texts = Texts(Vec::new());
        add(&mut Names { visitor: &mut texts, ..*self });
        texts.0
    }
}

/// Keeps the texts of names.
struct Texts(Vec<String>);

impl Visitor for Texts {
    fn wants(&self) -> Wants {
        Wants { names: true, ..Wants::CHILDREN }
    }

    fn child(&mut self, _: StatePlace<'_>, _: &dyn ChildCell) -> Result<(), Error> {
        Ok(())
    }

    fn name(&mut self, _: StatePlace<'_>, name: Name<'_>) {
        self.0.push(name.text.to_owned());
    }
}
