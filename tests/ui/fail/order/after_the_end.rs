//! After the commit there is no way back, after a rollback nothing to commit.

use std::ops::DerefMut;
use std::sync::{Mutex, PoisonError};

use snapshot_core::{Controller, Error, Failure, Frozen, Snapshot};
use snapshot_proto::example::v1 as pb;

async fn back(frozen: Frozen<Counter>) -> Result<(), Failure> {
    frozen.commit().await?;
    frozen.rollback().await
}

async fn forth(frozen: Frozen<Counter>) -> Result<(), Failure> {
    frozen.rollback().await?;
    frozen.commit().await
}

async fn save(frozen: Frozen<Counter>) -> Result<(), Error> {
    frozen.rollback().await?;
    frozen.save()?;
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
