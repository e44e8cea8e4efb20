//! Teaches: a lifecycle stage, mapped to a proto enum and moved by the stage rules of a struct.
//!
//! `cargo run --example stage_mapping`

use std::ops::DerefMut;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use snapshot_core::{Controller, Error, Incoming, Session, Snapshot, Source};
use snapshot_proto::example::v1::{self as pb, disk_snapshot};

/// The variants are matched with the values of the proto enum by name. A variant that is missing on
/// either side, or has another number, is a compile error.
#[derive(Snapshot, Clone, Copy, Debug, Default, PartialEq)]
#[snapshot(stage = disk_snapshot::Stage)]
enum DiskStage {
    #[default]
    Reserved,
    Attached,
    Ejected,
    /// Frozen at the source. This stage exists only in the running program: saving it is an error.
    #[snapshot(transient)]
    Leaving,
    /// Imported at the destination, but not resumed yet.
    #[snapshot(transient)]
    Arriving,
}

/// The rules list the stages that may be saved, and the stage that each phase sets. The payload has the
/// stage from before the freeze, and the disk is restored in it.
#[derive(Snapshot, Debug)]
#[snapshot(message = pb::DiskSnapshot, version = 1, controller = Disk)]
#[snapshot(save_from(Reserved, Attached), freeze_to = Leaving, import_as = Arriving)]
#[snapshot(abort_to = Ejected)]
struct DiskState {
    image: PathBuf,
    #[snapshot(stage)]
    stage: DiskStage,
    size: u64,
}

struct Disk(Mutex<DiskState>);

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        println!("destination: imported as {:?}", state.stage);
        Ok(Self(Mutex::new(state)))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let image = PathBuf::from("/images/root.vhdx");
    let state = DiskState { image, stage: DiskStage::Attached, size: 64 << 30 };
    let disk = Arc::new(Disk(Mutex::new(state)));
    let session = Session::new();

    let frozen = block_on(Source::new(&disk).freeze(&session))?;
    println!("source: frozen, {:?}", disk.state().stage);
    let snapshot = frozen.save()?;

    let imported = Incoming::open(snapshot)?.import::<Disk>()?;
    let patched = block_on(imported.patch(&session))?;
    let arrived = block_on(patched.resume(&session))?;
    println!("destination: resumed, {:?}", arrived.state().stage);
    assert_eq!(arrived.state().stage, DiskStage::Attached);

    block_on(frozen.commit())?;
    println!("source: committed, {:?}", disk.state().stage);

    // An ejected disk cannot be saved. The freeze is refused, and nothing has changed.
    disk.state().stage = DiskStage::Ejected;
    let Err(failure) = block_on(Source::new(&disk).freeze(&session)) else {
        unreachable!("an ejected disk must not be saved");
    };
    println!("refused: {failure}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_keeps_the_contract() {
        let state = DiskState { image: "/a".into(), stage: DiskStage::Attached, size: 1 };
        snapshot_core::testing::contract::<DiskState>([state]);
    }
}
