//! The steps of a migration in their order, on either end of it.

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use snapshot_core::{Controller, Error, Incoming, Session, Snapshot, Source};
use snapshot_proto::example::v1 as pb;

async fn migrate(source: &Arc<Counter>, session: &Session) -> Result<Arc<Counter>, Error> {
    let frozen = Source::new(source).freeze(session).await?;
    // As often as needed, until one arrives.
    frozen.save()?;
    let snapshot = frozen.save()?;
    let arrived = match Incoming::open(snapshot.into_bytes())?.import::<Counter>() {
        Ok(imported) => imported.patch(session).await?.resume(session).await?,
        Err(error) => {
            frozen.rollback().await?;
            return Err(error);
        }
    };
    frozen.commit().await?;
    Ok(arrived)
}

async fn give_up(source: &Arc<Counter>, session: &Session) -> Result<(), Error> {
    let frozen = Source::new(source).freeze(session).await?;
    let incoming = Incoming::from(frozen.save()?);
    incoming.clone().import::<Counter>()?.abort();
    incoming.import::<Counter>()?.patch(session).await?.abort().await?;
    frozen.rollback().await?;
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

fn main() -> Result<(), Error> {
    let counter = Arc::new(Counter(Mutex::new(CounterState { name: "visits".to_owned() })));
    block_on(give_up(&counter, &Session::new()))?;
    let arrived = block_on(migrate(&counter, &Session::new()))?;
    assert_eq!(arrived.state().name, "visits");
    Ok(())
}
