//! The place that a walk over a state is at: a chain of steps from its root.

use std::cell::Cell;
use std::collections::BTreeSet;

use crate::path::{ControllerId, Spot, put_number};

/// A step into a state, with the steps before it.
#[derive(Debug)]
pub(crate) struct Way<'w> {
    pub(crate) step: Step<'w>,
    pub(crate) before: Option<&'w Way<'w>>,
    /// The number that the visitor has given the step, if any. It starts at 1.
    pub(crate) number: Cell<usize>,
}

impl<'w> Way<'w> {
    #[inline]
    pub(super) fn new(step: Step<'w>, before: Option<&'w Way<'w>>) -> Self {
        Self { step, before, number: Cell::new(0) }
    }

    /// Adds the path to a text. Returns where its last step begins if a name may take its place.
    fn put(&self, text: &mut String) -> Option<usize> {
        match self.step {
            // The path goes through it.
            Step::Payload { .. } => return self.before.and_then(|before| before.put(text)),
            // Its id is its whole path.
            Step::Member { id, .. } => {
                text.push_str(&ControllerId::escape(id));
                return None;
            }
            Step::Field(_) | Step::Index(_) | Step::Key(_) => {}
        }
        if let Some(before) = self.before {
            before.put(text);
            text.push('/');
        }
        let at = text.len();
        match self.step {
            Step::Index(index) => put_number(index, text),
            Step::Key(key) => text.push_str(&ControllerId::escape(key)),
            Step::Field(name) => {
                text.push_str(name);
                return None;
            }
            Step::Payload { .. } | Step::Member { .. } => return None,
        }
        Some(at)
    }
}

/// One step into a state.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'s> {
    Field(&'static str),
    Index(usize),
    Key(&'s str),
    /// A member of a set of controllers, with the ids of those that it comes after.
    Member {
        id: &'s str,
        after: &'s BTreeSet<String>,
    },
    /// A payload, with the name that it gives itself.
    Payload {
        own_name: Option<&'s str>,
        message: &'static str,
    },
}

/// Where a walk has found something. Its path is written on demand: most visitors need none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatePlace<'p> {
    pub(crate) way: Option<&'p Way<'p>>,
    /// How many messages are around it.
    pub(super) depth: u32,
}

impl StatePlace<'_> {
    /// Returns where a child is in its parent's state. If that is more than a field or an element, its
    /// path is added to `text`.
    pub(crate) fn spot(&self, text: &mut String) -> Spot {
        match self.way {
            Some(Way { step: Step::Field(name), before: None, .. }) => return Spot::Field(name),
            Some(Way {
                step: Step::Index(index),
                before: Some(Way { step: Step::Field(name), before: None, .. }),
                ..
            }) if *index <= u32::MAX as usize => return Spot::Element(name, *index as u32),
            _ => {}
        }
        let from = text.len();
        let name_at = self.way.and_then(|way| way.put(text));
        Spot::text(from, text.len(), name_at)
    }

    /// Returns the paths of the siblings that a child comes after, as its parent says.
    pub(crate) fn after(&self) -> Vec<String> {
        let ids = self.follows().into_iter().flatten();
        ids.map(|id| ControllerId::escape(id).into_owned()).collect()
    }

    /// Returns the ids of the siblings that a child comes after; `None` if its parent has no say in it.
    pub(crate) fn follows(&self) -> Option<&BTreeSet<String>> {
        match self.way {
            Some(Way { step: Step::Member { after, .. }, .. }) => Some(*after),
            _ => None,
        }
    }
}
