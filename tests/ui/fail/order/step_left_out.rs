//! Steps of the destination that leave out the one before.

use std::ops::DerefMut;
use std::sync::{Mutex, PoisonError};

use snapshot_core::{Controller, Error, Imported, Incoming, Session, Snapshot};
use snapshot_proto::example::v1 as pb;

async fn patch(incoming: Incoming, session: &Session) -> Result<(), Error> {
    incoming.patch(session).await?;
    Ok(())
}

async fn resume(imported: Imported<Counter>, session: &Session) -> Result<(), Error> {
    imported.resume(session).await?;
    Ok(())
}

fn import(bytes: Vec<u8>) -> Result<(), Error> {
    Imported::<Counter>::open(bytes)?;
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
