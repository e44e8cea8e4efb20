//! A stage that is not on the wire, without a rule for the stage of a restored struct.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{self as pb, disk_snapshot};

#[derive(Snapshot, Clone, Copy, Default)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage {
    #[default]
    Reserved,
    Attached,
    Ejected,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, ignore(image, stage, size))]
struct SavedInAny {
    #[snapshot(stage, skip)]
    stage: Stage,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, ignore(image, stage, size))]
#[snapshot(save_from(Reserved, Attached))]
struct SavedInTwo {
    #[snapshot(stage, skip)]
    stage: Stage,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, ignore(image, stage, size))]
#[snapshot(save_from(Reserved), live = Attached)]
struct LiveInAnother {
    #[snapshot(stage, skip)]
    stage: Stage,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, ignore(image, size))]
#[snapshot(save_from(Attached), live = Attached)]
struct LiveThoughCarried {
    #[snapshot(stage)]
    stage: Stage,
}

fn main() {}
