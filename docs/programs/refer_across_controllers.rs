//! A counter refers to a disk by name, and the name must resolve in the snapshot.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::ops::DerefMut;
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use snapshot_core::{Controller, ControllerSet, Error, Incoming, Session, Snapshot, Source};
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
#[snapshot(message = pb::DiskSnapshot, version = 1, controller = Disk)]
struct DiskState {
    #[snapshot(defines = "disk.image")]
    image: String,
    stage: Stage,
    size: u64,
}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, controller = Reads, after(Disk))]
struct ReadsState {
    name: String,
    count: u64,
    /// The number of reads by the image of the disk. In a map, the keys are the references.
    #[snapshot(refers = "disk.image")]
    announced: BTreeMap<String, u64>,
}

struct Disk(Mutex<DiskState>);
struct Reads(Mutex<ReadsState>);

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

impl Controller for Reads {
    type State = ReadsState;

    fn state(&self) -> impl DerefMut<Target = ReadsState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: ReadsState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

fn host(reads_of: &str) -> Arc<ControllerSet> {
    let set = ControllerSet::new();
    let disk = DiskState { image: "root".into(), stage: Stage::Attached, size: 4096 };
    set.insert("disk", Disk(Mutex::new(disk))).unwrap();
    let announced = BTreeMap::from([(reads_of.to_owned(), 42)]);
    let reads = ReadsState { name: "reads".into(), count: 42, announced };
    set.insert("reads", Reads(Mutex::new(reads))).unwrap();
    Arc::new(set)
}

#[test]
fn a_reference_that_resolves_is_saved_and_imported() {
    let session = Session::new();
    let frozen = block_on(Source::new(&host("root")).freeze(&session)).unwrap();
    let incoming = Incoming::open(frozen.save().unwrap()).unwrap();
    assert!(incoming.import::<ControllerSet>().is_ok());
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_reference_that_does_not_resolve_is_refused_at_the_source() {
    let frozen = block_on(Source::new(&host("rot")).freeze(&Session::new())).unwrap();
    let error = frozen.save().unwrap_err();
    assert_eq!(
        error.to_string(),
        "reads: example.v1.CounterSnapshot.announced[\"rot\"]: refers to disk.image \"rot\", which is \
         not in disk: example.v1.DiskSnapshot.image"
    );
    block_on(frozen.rollback()).unwrap();
}
