//! Teaches: a program without one root struct. `ControllerSet` is the built-in root; the destination
//! finds the type of each controller by its type URL, in the registry.
//!
//! `cargo run --example controller_set`

use std::collections::BTreeMap;
use std::ops::DerefMut;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use snapshot_core::{
    Context, Controller, ControllerSet, Error, Incoming, Session, Snapshot, Source, registry,
};
use snapshot_proto::example::v1::{self as pb, disk_snapshot};

/// `controller = ...` registers the type, if the program links it.
#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, controller = Counter)]
struct CounterState {
    name: String,
    count: u64,
    announced: BTreeMap<String, u64>,
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

    async fn resume(&self, cx: &Context) -> Result<(), Error> {
        println!("  {} goes on at {}", cx.id(), self.state().count);
        Ok(())
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

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }

    async fn resume(&self, cx: &Context) -> Result<(), Error> {
        println!("  {} is back: {}", cx.id(), self.state().image.display());
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Names the types, so that no linker drops them, and checks that they are registered.
    registry::require![Counter, Disk]?;
    for registration in registry::registry()?.iter() {
        println!("registered: {}", registration.info().type_url);
    }

    let set = ControllerSet::new();
    let state =
        DiskState { image: "/images/root".into(), stage: DiskStage::Attached, size: 1 << 30 };
    set.insert("disk", Disk(Mutex::new(state)))?;
    let state = CounterState { name: "reads".into(), count: 42, announced: BTreeMap::new() };
    // The counter counts the work of the disk, so it is resumed after the disk and frozen before it.
    set.insert_after("reads", Counter(Mutex::new(state)), &["disk"])?;
    let set = Arc::new(set);

    let session = Session::new();
    let frozen = block_on(Source::new(&set).freeze(&session))?;
    let snapshot = frozen.save()?;

    println!("destination:");
    let imported = Incoming::open(snapshot)?.import::<ControllerSet>()?;
    let patched = block_on(imported.patch(&session))?;
    let arrived = block_on(patched.resume(&session))?;
    block_on(frozen.commit())?;

    let counter = arrived.get::<Counter>("reads").ok_or("the counter was lost")?;
    assert_eq!(counter.state().count, 42);
    Ok(())
}

#[cfg(test)]
mod tests {
    use snapshot_core::Phase;
    use snapshot_core::testing::{Contract, contract};

    use super::*;

    fn counter() -> CounterState {
        let announced = BTreeMap::from([("door".to_owned(), 40)]);
        CounterState { name: "reads".to_owned(), count: 42, announced }
    }

    fn disk() -> DiskState {
        DiskState { image: "/images/root".into(), stage: DiskStage::Attached, size: 1 << 30 }
    }

    #[test]
    fn the_members_keep_the_contract() {
        // The output of `resume` cannot be undone, and does not need to be.
        Contract::new().samples([counter()]).no_undo(Phase::Resume).run();
        Contract::new().samples([disk()]).no_undo(Phase::Resume).run();
    }

    #[test]
    fn a_set_keeps_the_contract_with_its_members() -> Result<(), Error> {
        let set = ControllerSet::new();
        set.insert("disk", Disk(Mutex::new(disk())))?;
        set.insert_after("reads", Counter(Mutex::new(counter())), &["disk"])?;
        let bytes = snapshot_core::codec::to_bytes(&*set.state())?;
        contract([snapshot_core::codec::from_bytes::<<ControllerSet as Controller>::State>(
            &bytes,
        )?]);
        Ok(())
    }
}
