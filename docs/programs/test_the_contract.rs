//! The tests of a crate with controllers: each state, the schemas, and failures of every hook.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use snapshot_core::testing::{Contract, contract};
use snapshot_core::{Controller, Error, Fault, Incoming, Phase, Session, Snapshot, Source};
use snapshot_proto::example::v1::{self as pb, disk_snapshot};

#[derive(Snapshot, Clone, Copy, Debug, Default, PartialEq)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage {
    #[default]
    Reserved,
    Attached,
    Ejected,
}

#[derive(Snapshot, Clone, Debug, PartialEq)]
#[snapshot(message = pb::DiskSnapshot, version = 1, controller = Disk, save_from(Attached))]
struct DiskState {
    image: String,
    #[snapshot(stage)]
    stage: Stage,
    size: u64,
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
}

fn a_disk() -> DiskState {
    DiskState { image: "/images/root".into(), stage: Stage::Attached, size: 4096 }
}

#[test]
fn a_disk_keeps_the_contract() {
    contract([a_disk()]);
}

#[test]
fn a_disk_comes_back_equal() {
    Contract::new().samples([a_disk()]).compare(PartialEq::eq).run();
}

#[test]
fn no_schema_changes_unnoticed() {
    snapshot_core::evolution::assert_locked!("docs/programs/disk.lock");
}

#[test]
fn the_disk_works_after_every_fault() {
    let disk = Arc::new(Disk(Mutex::new(a_disk())));
    for fault in [Fault::Error, Fault::Panic] {
        for phase in [Phase::Freeze, Phase::Patch, Phase::Resume] {
            let session = Session::new().fault_at(phase, ".", fault);
            block_on(migrate(&disk, &session)).unwrap_err();
            assert_eq!(*disk.state(), a_disk(), "after {fault:?} in {phase}");
        }
    }
    block_on(migrate(&disk, &Session::new())).unwrap();
}

async fn migrate(disk: &Arc<Disk>, session: &Session) -> Result<(), Error> {
    let frozen = Source::new(disk).freeze(session).await?;
    let arrived = async {
        let imported = Incoming::open(frozen.save()?)?.import::<Disk>()?;
        imported.patch(session).await?.resume(session).await?;
        Ok(())
    };
    match arrived.await {
        Ok(()) => Ok(frozen.commit().await?),
        Err(error) => {
            frozen.rollback().await?;
            Err(error)
        }
    }
}
