//! Steps of the destination for the second time.

use std::ops::DerefMut;
use std::sync::{Mutex, PoisonError};

use snapshot_core::{Controller, Error, Failure, Imported, Incoming, Patched, Session, Snapshot};
use snapshot_proto::example::v1 as pb;

fn import(incoming: Incoming) -> Result<(), Error> {
    drop(incoming.import::<Counter>()?);
    drop(incoming.import::<Counter>()?);
    Ok(())
}

async fn patch(imported: Imported<Counter>, session: &Session) -> Result<(), Failure> {
    imported.patch(session).await?.abort().await?;
    imported.patch(session).await?.abort().await
}

async fn resume(patched: Patched<Counter>, session: &Session) -> Result<(), Failure> {
    patched.resume(session).await?;
    patched.resume(session).await?;
    Ok(())
}

async fn abort(patched: Patched<Counter>, session: &Session) -> Result<(), Failure> {
    patched.resume(session).await?;
    patched.abort().await
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
