//! Variants that the proto enum has no value for, under their own name or another.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::disk_snapshot;

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Frozen {
    Reserved,
    Attached,
    Ejected,
    Migrating,
}

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Misspelt {
    Reserved,
    Atached,
    Ejected,
}

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
enum AsInTheProtoFile {
    Reserved,
    #[snapshot(rename = STAGE_ATTACHED)]
    Plugged,
    Ejected,
}

fn main() {}
