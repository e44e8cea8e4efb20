//! A server that runs on tokio moves a disk with requests in flight.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use snapshot_core::{Code, Context, Controller, Error, Incoming, Phase, Session, Snapshot, Source};
use snapshot_proto::example::v1::{self as pb, disk_snapshot};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Snapshot, Clone, Copy, Debug, Default, PartialEq)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage {
    #[default]
    Reserved,
    Attached,
    Ejected,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, controller = Disk)]
struct DiskState {
    image: String,
    stage: Stage,
    size: u64,
}

/// The number of requests that a disk serves at once.
const REQUESTS: u32 = 8;

struct Disk {
    state: Mutex<DiskState>,
    /// Each request in flight holds one permit; a frozen disk holds all of them.
    requests: Arc<Semaphore>,
    frozen: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Disk {
    fn new(state: DiskState) -> Self {
        let requests = Arc::new(Semaphore::new(REQUESTS as usize));
        Self { state: Mutex::new(state), requests, frozen: Mutex::default() }
    }

    fn frozen(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.frozen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn grow(&self, by: u64) -> Result<(), Error> {
        let _permit = self.requests.acquire().await.map_err(|_| Error::internal("is closed"))?;
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.state().size += by;
        Ok(())
    }
}

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self::new(state))
    }

    /// Waits for the requests in flight and admits no new ones, unless the migration is cancelled.
    async fn freeze(&self, cx: &Context) -> Result<(), Error> {
        let all = Arc::clone(&self.requests).acquire_many_owned(REQUESTS);
        let all = tokio::select! {
            all = all => all.map_err(|_| Error::internal("is closed"))?,
            () = cx.cancelled() => return Err(Error::new(Code::Cancelled, "requests are in flight")),
        };
        *self.frozen() = Some(all);
        // A blocking call runs on another thread, so that the other controllers freeze meanwhile.
        let image = self.state().image.clone();
        let flushed = tokio::task::spawn_blocking(move || flush(&image)).await;
        flushed.map_err(|error| Error::internal("the flush has failed").with_source(error))?
    }

    /// Also undoes a freeze that was cut short at any point.
    async fn thaw(&self, _: &Context) -> Result<(), Error> {
        drop(self.frozen().take());
        Ok(())
    }
}

fn flush(image: &str) -> Result<(), Error> {
    std::thread::sleep(Duration::from_millis(1));
    assert!(!image.is_empty());
    Ok(())
}

/// Handles a request to migrate. If the client disconnects, the server may drop this future. The
/// migration runs in its own task, which still ends with a commit or a rollback.
async fn migrate(disk: Arc<Disk>, session: Session) -> Result<Arc<Disk>, Error> {
    let task = tokio::spawn(async move {
        let frozen = Source::new(&disk).freeze(&session).await?;
        let arrived = match frozen.save() {
            Ok(snapshot) => receive(snapshot.into_bytes().into(), &session).await,
            Err(error) => Err(error),
        };
        match &arrived {
            Ok(_) => frozen.commit().await?,
            Err(_) => frozen.rollback().await?,
        }
        arrived
    });
    task.await.map_err(|error| Error::internal("the migration panicked").with_source(error))?
}

async fn receive(bytes: Vec<u8>, session: &Session) -> Result<Arc<Disk>, Error> {
    // The verification keeps a processor busy, so a large snapshot gets its own thread.
    let imported = tokio::task::spawn_blocking(|| Incoming::open(bytes)?.import::<Disk>()).await;
    let imported =
        imported.map_err(|error| Error::internal("the import panicked").with_source(error))??;
    Ok(imported.patch(session).await?.resume(session).await?)
}

fn disk() -> Arc<Disk> {
    let state = DiskState { image: "/images/root".into(), stage: Stage::Attached, size: 0 };
    Arc::new(Disk::new(state))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_flight_is_served_before_the_freeze() {
    let disk = disk();
    let request = tokio::spawn({
        let disk = Arc::clone(&disk);
        async move { disk.grow(4096).await }
    });
    tokio::time::sleep(Duration::from_millis(2)).await;

    let session = Session::new().deadline(Phase::Freeze, Duration::from_secs(5));
    let moved = migrate(disk, session).await.unwrap();
    request.await.unwrap().unwrap();
    assert_eq!(moved.state().size, 4096);
    moved.grow(1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_migration_leaves_the_disk_usable() {
    let disk = disk();
    let stuck = disk.requests.acquire().await.unwrap(); // a request that does not end

    let session = Session::new();
    let cancel = session.cancel_handle(); // for example, for a Ctrl-C handler
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(10)).await;
        cancel.cancel();
    });
    let error = migrate(Arc::clone(&disk), session).await.map(drop).unwrap_err();
    assert_eq!(error.code(), Code::Cancelled);

    drop(stuck);
    disk.grow(1).await.unwrap();
}
