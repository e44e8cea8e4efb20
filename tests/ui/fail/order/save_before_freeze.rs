//! Saving a controller that is not frozen: a running one would be saved half-way.

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, PoisonError};

use snapshot_core::{Controller, Error, Session, Snapshot, Source};
use snapshot_proto::example::v1 as pb;

fn save(counter: &Arc<Counter>) -> Result<(), Error> {
    let source = Source::new(counter);
    let snapshot = source.save()?;
    drop(snapshot);
    Ok(())
}

async fn save_at_once(counter: &Arc<Counter>, session: &Session) -> Result<(), Error> {
    let snapshot = Source::new(counter).freeze(session).save()?;
    drop(snapshot);
    Ok(())
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
