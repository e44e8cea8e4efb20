//! Whether the adapters of a state give back the values that they were given. On the wire an adapter that rounds
//! looks like any other: it reads back what it has written.

use crate::State;
use crate::error::Error;
use crate::visit::{ChildCell, StatePlace, Visit, Visitor, Wants};

/// The fields whose adapters give back other values.
#[derive(Default)]
struct Lossy(Vec<&'static str>);

impl Visitor for Lossy {
    fn wants(&self) -> Wants {
        Wants { adapters: true, ..Wants::CHILDREN }
    }

    fn child(&mut self, _: StatePlace<'_>, child: &dyn ChildCell) -> Result<(), Error> {
        child.visit(&mut Visit::new(self))
    }

    fn lossy(&mut self, field: &'static str) {
        if !self.0.contains(&field) {
            self.0.push(field);
        }
    }
}

/// Returns the fields of a state, and of the states inside of it, whose adapters give back other values.
pub(super) fn lossy<S: State>(state: &S) -> Vec<&'static str> {
    let mut lossy = Lossy::default();
    // A child that is neither built nor loaded has no adapters to ask.
    let _ = state.visit_fields(&mut Visit::new(&mut lossy));
    lossy.0
}
