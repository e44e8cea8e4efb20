//! Restoring a controller as the root of another type, or as a type that is not a controller.

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, PoisonError};

use snapshot_core::{Controller, Error, Incoming, Snapshot, Source};
use snapshot_proto::example::v1 as pb;

fn import_a_state(incoming: Incoming) {
    let _ = incoming.import::<CounterState>();
}

fn freeze_a_state(state: Arc<CounterState>) {
    let _ = Source::new(&state);
}

fn freeze_without_sharing(counter: Counter) {
    let _ = Source::new(&counter);
}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, controller = Counter)]
#[snapshot(ignore(count, announced))]
struct CounterState {
    name: String,
}

struct Counter(Mutex<CounterState>);

impl Controller for Counter {
    type State = CounterState;

    fn state(&self) -> impl DerefMut<Target = CounterState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: CounterState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

fn main() {}
