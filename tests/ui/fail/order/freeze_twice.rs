//! A source freezes once: a frozen source cannot be frozen again.

use std::ops::DerefMut;
use std::sync::{Mutex, PoisonError};

use snapshot_core::{Controller, Error, Failure, Session, Snapshot, Source};
use snapshot_proto::example::v1 as pb;

async fn freeze(source: Source<Counter>, session: &Session) -> Result<(), Failure> {
    let first = source.freeze(session).await?;
    let second = source.freeze(session).await?;
    first.rollback().await?;
    second.rollback().await
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
