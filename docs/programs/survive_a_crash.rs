//! A disk whose image outlives the process that serves it: checkpoints, and taking it up again.

// Helpers of tests fail as tests do; clippy knows only the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::ops::DerefMut;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use snapshot_core::{
    Code, Context, Controller, Error, Failure, Incoming, Origin, Provenance, Session, Snapshot,
    Source,
};
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
    image: PathBuf,
    stage: Stage,
    size: u64,
}

struct Disk(Mutex<DiskState>);

impl Disk {
    /// Makes the disk larger, and keeps that.
    fn grow(self: &Arc<Self>, size: u64, checkpoint: &Path) -> Result<(), Error> {
        {
            let mut state = self.state();
            fs::File::options().write(true).open(&state.image)?.set_len(size)?;
            state.size = size;
        }
        let (program, build) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        let provenance = Provenance::new(format!("disk of {size}"), program, build)?;
        Source::new(self).provenance(provenance).checkpoint(checkpoint)
    }
}

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }

    /// The image may be newer than the checkpoint: the old process died between the two.
    async fn patch(&self, cx: &Context) -> Result<(), Error> {
        let checkpoint = match cx.origin() {
            Origin::Stored(provenance) => provenance.id(),
            _ => "without a name",
        };
        let state = self.state();
        let found = fs::metadata(&state.image)?.len();
        match found == state.size {
            true => Ok(()),
            false => Err(Error::precondition(format!(
                "the image has {found} bytes and the checkpoint \"{checkpoint}\" says {}: the image \
                 is newer",
                state.size
            ))
            .in_field("size")),
        }
    }

    /// Nothing to take back: the image is not changed.
    async fn abort(&self, _: &Context) -> Result<(), Error> {
        Ok(())
    }
}

/// The disk of an earlier process, if there was one.
fn take_up(checkpoint: &Path) -> Result<Option<Arc<Disk>>, Error> {
    let Some(incoming) = Incoming::from_checkpoint(checkpoint)? else { return Ok(None) };
    let session = Session::new();
    let patched = block_on(incoming.import::<Disk>()?.patch(&session));
    let resumed = block_on(patched.map_err(Failure::into_error)?.resume(&session));
    resumed.map(Some).map_err(Failure::into_error)
}

fn new_disk(folder: &Path) -> Arc<Disk> {
    let image = folder.join("image");
    fs::write(&image, [0; 512]).unwrap();
    Arc::new(Disk(Mutex::new(DiskState { image, stage: Stage::Attached, size: 512 })))
}

#[test]
fn a_new_process_takes_the_disk_up_as_it_was_after_the_last_change() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint");
    assert!(take_up(&checkpoint).unwrap().is_none(), "a first start");
    let disk = new_disk(folder.path());
    disk.grow(1024, &checkpoint).unwrap();
    disk.grow(4096, &checkpoint).unwrap();
    drop(disk); // The process is killed.
    let again = take_up(&checkpoint).unwrap().unwrap();
    assert_eq!(again.state().size, 4096);
    again.grow(8192, &checkpoint).unwrap();
}

#[test]
fn a_checkpoint_that_is_older_than_the_work_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint");
    let disk = new_disk(folder.path());
    disk.grow(1024, &checkpoint).unwrap();
    // Killed after the change, before its checkpoint.
    fs::File::options().write(true).open(&disk.state().image).unwrap().set_len(2048).unwrap();
    let stale = take_up(&checkpoint).err().unwrap();
    assert_eq!(stale.code(), Code::FailedPrecondition);
    let text = "the image has 2048 bytes and the checkpoint \"disk of 1024\" says 1024: the image is newer";
    assert!(stale.to_string().contains(text), "{stale}");
    // Nothing was changed: the operator decides, and the disk can still be taken up.
    fs::File::options().write(true).open(&disk.state().image).unwrap().set_len(1024).unwrap();
    assert!(take_up(&checkpoint).unwrap().is_some());
}
