//! The next release of a shim takes over a disk from the running one, through a file.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ops::DerefMut;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use snapshot_core::{Context, Controller, Error, Incoming, ReadOptions, Session, Snapshot, Source};
use snapshot_proto::example::v1::{self as pb, disk_snapshot};

#[derive(Snapshot, Clone, Copy, Debug, Default, PartialEq)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage {
    #[default]
    Reserved,
    Attached,
    Ejected,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, controller = Disk, save_from(Attached))]
#[snapshot(abort_to = Ejected)]
struct DiskState {
    image: String,
    #[snapshot(stage)]
    stage: Stage,
    size: u64,
    #[snapshot(skip)]
    is_open: bool,
}

struct Disk(Mutex<DiskState>);

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }

    /// Finds the resources that already exist on this host.
    async fn patch(&self, _: &Context) -> Result<(), Error> {
        self.state().is_open = true;
        Ok(())
    }

    async fn abort(&self, _: &Context) -> Result<(), Error> {
        self.state().is_open = false;
        Ok(())
    }

    /// Releases the disk without closing it, because the new shim uses it.
    async fn commit(&self, _: &Context) -> Result<(), Error> {
        self.state().is_open = false;
        Ok(())
    }
}

/// Runs in the old release. `start` starts the new release and waits until it is live.
async fn hand_over(
    disk: &Arc<Disk>,
    file: &Path,
    start: impl AsyncFnOnce(&Path) -> Result<(), Error>,
) -> Result<(), Error> {
    let frozen = Source::new(disk).freeze(&Session::new()).await?;
    let handed = async {
        frozen.save()?.write_to_path(file)?;
        start(file).await
    };
    match handed.await {
        Ok(()) => Ok(frozen.commit().await?),
        Err(error) => {
            frozen.rollback().await?;
            Err(error)
        }
    }
}

/// Runs in the new release, when it starts.
async fn take_over(file: &Path) -> Result<Arc<Disk>, Error> {
    let session = Session::new();
    let snapshot = ReadOptions::new().limit(16 << 20).read_from_path(file)?;
    let imported = Incoming::from(snapshot).import::<Disk>()?;
    Ok(imported.patch(&session).await?.resume(&session).await?)
}

fn running() -> Arc<Disk> {
    let image = "/images/root".to_owned();
    let state = DiskState { image, stage: Stage::Attached, size: 4096, is_open: true };
    Arc::new(Disk(Mutex::new(state)))
}

#[test]
fn the_new_release_continues_with_the_state_of_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let disk = running();
    let mut new = None;
    let start = async |file: &Path| {
        new = Some(take_over(file).await?);
        Ok(())
    };
    block_on(hand_over(&disk, &folder.path().join("disk.snapshot"), start)).unwrap();
    let new = new.unwrap();
    let (old, new) = (disk.state(), new.state());
    assert_eq!((old.stage, old.is_open), (Stage::Ejected, false));
    assert_eq!((new.stage, new.is_open, new.size), (Stage::Attached, true, 4096));
}

#[test]
fn the_old_release_continues_if_the_new_one_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let disk = running();
    let start = async |_: &Path| Err(Error::precondition("the new release does not start"));
    block_on(hand_over(&disk, &folder.path().join("disk.snapshot"), start)).unwrap_err();
    let state = disk.state();
    assert_eq!((state.stage, state.is_open), (Stage::Attached, true));
}
