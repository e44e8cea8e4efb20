//! Checks that the adapters of a state return the values that they were given. On the wire an adapter that rounds
//! looks like any other: it reads back the number that it has written.

use crate::State;
use crate::error::Error;
use crate::visit::{ChildCell, StatePlace, Step, Visit, Visitor, Wants};

/// A step to a field, as far as the schema has a place for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FieldStep {
    Field(&'static str),
    /// The value of a map's entry.
    Entry,
    /// A member of a set of controllers.
    Member,
    /// A payload with this message.
    Payload(&'static str),
}

/// The fields whose adapters give back other values, each with the steps to it.
#[derive(Default)]
struct Lossy(Vec<Vec<FieldStep>>);

impl Visitor for Lossy {
    fn wants(&self) -> Wants {
        Wants { places: true, adapters: true, ..Wants::CHILDREN }
    }

    fn child(&mut self, place: StatePlace<'_>, child: &dyn ChildCell) -> Result<(), Error> {
        let message = child.message_name().unwrap_or_default();
        Visit::inside(self, place, None, message, |inside| child.visit(inside))
    }

    fn lossy(&mut self, place: StatePlace<'_>) {
        let mut steps = Vec::new();
        let mut way = place.way;
        while let Some(here) = way {
            steps.extend(match here.step {
                Step::Field(name) => Some(FieldStep::Field(name)),
                Step::Index(_) => None,
                Step::Key(_) => Some(FieldStep::Entry),
                Step::Member { .. } => Some(FieldStep::Member),
                Step::Payload { message, .. } => Some(FieldStep::Payload(message)),
            });
            way = here.before;
        }
        steps.reverse();
        if !self.0.contains(&steps) {
            self.0.push(steps);
        }
    }
}

/// Returns the fields of a state, and of the states inside of it, whose adapters give back other values.
pub(super) fn lossy<S: State>(state: &S) -> Vec<Vec<FieldStep>> {
    let mut lossy = Lossy::default();
    // A child that is neither built nor loaded has no adapters to ask.
    let _ = state.visit_fields(&mut Visit::new(&mut lossy));
    lossy.0
}

/// The name of the field that the steps lead to.
pub(super) fn last_field(steps: &[FieldStep]) -> &'static str {
    match steps.last() {
        Some(FieldStep::Field(name)) => name,
        _ => "",
    }
}
