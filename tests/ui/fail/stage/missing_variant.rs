//! Proto values that the Rust enum has no variant for: one, and several.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{disk_snapshot, machine_snapshot};

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
enum DiskStage {
    Reserved,
    Attached,
}

#[derive(Snapshot)]
#[snapshot(stage = machine_snapshot::Stage)]
enum MachineStage {
    Created,
}

fn main() {}
