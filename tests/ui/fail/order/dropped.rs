//! A frozen, imported or patched tree that is dropped on the floor.

#![deny(unused_must_use)]

use std::ops::DerefMut;
use std::sync::{Mutex, PoisonError};

use snapshot_core::{Controller, Error, Failure, Imported, Incoming, Session, Snapshot, Source};
use snapshot_proto::example::v1 as pb;

async fn freeze(source: Source<Counter>, session: &Session) -> Result<(), Failure> {
    source.freeze(session).await?;
    Ok(())
}

fn import(incoming: Incoming) -> Result<(), Error> {
    incoming.import::<Counter>()?;
    Ok(())
}

async fn patch(imported: Imported<Counter>, session: &Session) -> Result<(), Failure> {
    imported.patch(session).await?;
    Ok(())
}

async fn forgotten_await(source: Source<Counter>, session: &Session) -> Result<(), Failure> {
    let frozen = source.freeze(session).await?;
    frozen.commit();
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
