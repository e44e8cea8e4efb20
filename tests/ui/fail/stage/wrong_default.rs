//! A default that is not the proto enum's zero value, or that cannot be saved.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::disk_snapshot;

#[derive(Snapshot, Default)]
#[snapshot(stage = disk_snapshot::Stage)]
enum NotZero {
    Reserved,
    #[default]
    Attached,
    Ejected,
}

#[derive(Snapshot, Default)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Passing {
    Reserved,
    Attached,
    Ejected,
    #[default]
    #[snapshot(transient)]
    New,
}

fn main() {}
