//! A struct of another message, a stage of another enum.

use std::collections::BTreeMap;

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::{DiskConfig, DiskState, MountStage, Reservation};

#[derive(Snapshot)]
#[snapshot(message = DiskState)]
struct Disk {
    config: Slot,
    state: Stage,
    mounts: BTreeMap<u64, Config>,
}

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct Slot {
    slot: u32,
    partition: u64,
}

#[derive(Snapshot)]
#[snapshot(message = DiskConfig, ignore(read_only, r#type, evd_type))]
struct Config {
    host_path: String,
}

#[derive(Snapshot, Default)]
#[snapshot(stage = MountStage)]
enum Stage {
    #[default]
    Reserved,
    Mounted,
    Unmounted,
}

fn main() {}
