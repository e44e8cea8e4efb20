//! Teaches: a tree of controllers, moved as one transaction. Children are fields of their parent's
//! state; hooks bind them to the new host in dependency order; a failure leaves both sides as they
//! were.
//!
//! `cargo run --example controller_tree`

use std::collections::BTreeMap;
use std::ops::DerefMut;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use snapshot_core::{Child, Context, Controller, Error, Incoming, Session, Snapshot, Source};
use snapshot_proto::example::v1::{self as pb, disk_snapshot, machine_snapshot};

#[derive(Snapshot, Clone, Copy, Debug, Default, PartialEq)]
#[snapshot(stage = machine_snapshot::Stage)]
enum MachineStage {
    #[default]
    Created,
    Running,
    Stopped,
    #[snapshot(transient)]
    Migrating,
}

#[derive(Snapshot)]
#[snapshot(message = pb::MachineSnapshot, version = 1, controller = Machine)]
#[snapshot(save_from(Running), freeze_to = Migrating, import_as = Migrating, abort_to = Stopped)]
#[snapshot(ignore(nic))] // this machine has no network card
struct MachineState {
    name: String,
    #[snapshot(stage)]
    stage: MachineStage,
    /// Each is a `google.protobuf.Any` on the wire: a disk has its own schema and version.
    disks: BTreeMap<u32, Child<Disk>>,
}

struct Machine(Mutex<MachineState>);

impl Controller for Machine {
    type State = MachineState;

    fn state(&self) -> impl DerefMut<Target = MachineState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: MachineState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

#[derive(Snapshot, Clone, Copy, Debug, Default, PartialEq)]
#[snapshot(stage = disk_snapshot::Stage)]
enum DiskStage {
    #[default]
    Reserved,
    Attached,
    Ejected,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, controller = Disk)]
struct DiskState {
    image: PathBuf,
    stage: DiskStage,
    size: u64,
}

struct Disk(Mutex<DiskState>);

/// A resource of the destination's host: the folder of its images.
struct ImageFolder(PathBuf);

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }

    async fn freeze(&self, cx: &Context) -> Result<(), Error> {
        println!("  {}: writes are flushed and held back", cx.id());
        Ok(())
    }

    async fn thaw(&self, cx: &Context) -> Result<(), Error> {
        println!("  {}: writes go on", cx.id());
        Ok(())
    }

    async fn patch(&self, cx: &Context) -> Result<(), Error> {
        let folder = cx.resource::<ImageFolder>()?;
        let mut state = self.state();
        let Some(name) = state.image.file_name() else {
            return Err(Error::precondition(format!("{:?} is not an image file", state.image)));
        };
        state.image = folder.0.join(name);
        println!("  {}: is {} here", cx.id(), state.image.display());
        Ok(())
    }

    /// Takes `patch` back, also one that failed.
    async fn abort(&self, cx: &Context) -> Result<(), Error> {
        println!("  {}: is given up here", cx.id());
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let disk = |image: &str| {
        let image = PathBuf::from("/source").join(image);
        Disk(Mutex::new(DiskState { image, stage: DiskStage::Attached, size: 1 << 30 }))
    };
    let disks = BTreeMap::from([(0, Child::new(disk("root.vhdx"))), (7, Child::new(disk("data")))]);
    let state = MachineState { name: "m1".to_owned(), stage: MachineStage::Running, disks };
    let machine = Arc::new(Machine(Mutex::new(state)));

    println!("source:");
    let session = Session::new();
    let frozen = block_on(Source::new(&machine).freeze(&session))?;
    let snapshot = frozen.save()?;

    println!("a destination that does not know where its images are:");
    let imported = Incoming::open(snapshot)?.import::<Machine>()?;
    let Err(failure) = block_on(imported.patch(&Session::new())) else {
        unreachable!("a disk cannot be patched without its folder");
    };
    println!("{failure}");

    println!("the source runs on:");
    block_on(frozen.rollback())?;
    assert_eq!(machine.state().stage, MachineStage::Running);

    println!("a second try:");
    let frozen = block_on(Source::new(&machine).freeze(&session))?;
    let snapshot = frozen.save()?;
    let here = Session::new().resource(Arc::new(ImageFolder(PathBuf::from("/destination"))));
    let imported = Incoming::open(snapshot)?.import::<Machine>()?;
    let patched = block_on(imported.patch(&here))?;
    let arrived = block_on(patched.resume(&here))?;
    block_on(frozen.commit())?;
    let state = arrived.state();
    println!("{} is {:?} at the destination", state.name, state.stage);
    Ok(())
}

#[cfg(test)]
mod tests {
    use snapshot_core::testing::contract;

    use super::*;

    fn disk() -> DiskState {
        DiskState { image: "/images/root".into(), stage: DiskStage::Attached, size: 1 << 30 }
    }

    #[test]
    fn a_disk_keeps_the_contract() {
        contract([disk()]);
    }

    #[test]
    fn a_machine_keeps_the_contract_with_its_disks() {
        let disks = BTreeMap::from([(0, Child::new(Disk(Mutex::new(disk()))))]);
        contract([MachineState { name: "m1".to_owned(), stage: MachineStage::Running, disks }]);
    }
}
