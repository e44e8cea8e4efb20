//! The state of both sides after a failed resume, a dropped future, and a retry.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ops::DerefMut;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use snapshot_core::{
    Abandoned, Context, Controller, Error, Failure, Fault, Incoming, Outcome, Phase, Session,
    Snapshot, Source, Undo,
};
use snapshot_proto::example::v1::{self as pb, disk_snapshot};

#[derive(Snapshot, Clone, Copy, Debug, Default, PartialEq)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage {
    #[default]
    Reserved,
    Attached,
    Ejected,
    #[snapshot(transient)]
    Moving,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, controller = Disk)]
#[snapshot(save_from(Attached), freeze_to = Moving, import_as = Moving, abort_to = Ejected)]
struct DiskState {
    image: PathBuf,
    #[snapshot(stage)]
    stage: Stage,
    size: u64,
}

struct Disk {
    state: Mutex<DiskState>,
    is_open: AtomicBool,
}

impl Disk {
    fn new(state: DiskState, is_open: bool) -> Self {
        Self { state: Mutex::new(state), is_open: AtomicBool::new(is_open) }
    }
}

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self::new(state, false))
    }

    async fn patch(&self, _: &Context) -> Result<(), Error> {
        self.is_open.store(true, Ordering::Release);
        Ok(())
    }

    /// Runs after a patch or a resume that failed, panicked or was cut short, so it looks at the
    /// actual state and not at the expected one.
    async fn abort(&self, _: &Context) -> Result<(), Error> {
        self.is_open.store(false, Ordering::Release);
        Ok(())
    }
}

fn running() -> Arc<Disk> {
    let state = DiskState { image: "/images/root".into(), stage: Stage::Attached, size: 4096 };
    Arc::new(Disk::new(state, true))
}

/// Runs the destination and returns its result.
async fn receive(snapshot: Snapshot, session: &Session) -> Result<Arc<Disk>, Failure> {
    let imported = match Incoming::open(snapshot).and_then(Incoming::import::<Disk>) {
        Ok(imported) => imported,
        // Nothing was changed, so there is nothing to undo.
        Err(error) => panic!("{error}"),
    };
    imported.patch(session).await?.resume(session).await
}

#[test]
fn a_failed_resume_is_undone_and_retried() {
    let disk = running();
    let session = Session::new();
    let frozen = block_on(Source::new(&disk).freeze(&session)).unwrap();
    let snapshot = frozen.save().unwrap();

    // A rehearsal: the hook of the root fails after it has done its work.
    let there = Session::new().fault_at(Phase::Resume, ".", Fault::Error);
    let failure = block_on(receive(snapshot, &there)).map(drop).unwrap_err();
    assert_eq!(failure.phase(), Phase::Resume);
    let report = &failure.controllers()[0];
    assert_eq!((report.outcome, report.undo), (Outcome::Failed, Undo::Done));
    assert!(failure.undo_error().is_none(), "this host is as it was");

    // The source receives the failure and continues.
    block_on(frozen.rollback()).unwrap();
    assert_eq!(disk.state().stage, Stage::Attached);

    // A second attempt with the same objects.
    let frozen = block_on(Source::new(&disk).freeze(&session)).unwrap();
    let arrived = block_on(receive(frozen.save().unwrap(), &Session::new())).unwrap();
    assert_eq!(arrived.state().stage, Stage::Attached);
    assert!(arrived.is_open.load(Ordering::Acquire));
    block_on(frozen.commit()).unwrap();
    assert_eq!(disk.state().stage, Stage::Ejected);
}

#[test]
fn a_source_that_was_dropped_is_recovered() {
    let disk = running();
    let frozen = block_on(Source::new(&disk).freeze(&Session::new())).unwrap();
    drop(frozen); // a task that was cancelled, an early return
    assert_eq!(disk.state().stage, Stage::Moving);

    block_on(Source::recover(&disk, &Session::new())).unwrap();
    assert_eq!(disk.state().stage, Stage::Attached);
}

#[test]
fn a_destination_that_was_dropped_is_aborted() {
    let disk = running();
    let frozen = block_on(Source::new(&disk).freeze(&Session::new())).unwrap();
    let imported = Incoming::open(frozen.save().unwrap()).unwrap().import::<Disk>().unwrap();
    let patched = block_on(imported.patch(&Session::new())).unwrap();
    let bound = Arc::clone(patched.root());
    drop(patched);
    assert!(bound.is_open.load(Ordering::Acquire));

    for abandoned in Abandoned::take_all() {
        block_on(abandoned.abort(&Session::new())).unwrap();
    }
    assert!(!bound.is_open.load(Ordering::Acquire));
    block_on(frozen.rollback()).unwrap();
}
