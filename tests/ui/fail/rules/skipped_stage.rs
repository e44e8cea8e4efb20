//! A stage among the fields that are not saved, without a mark: it would come back as its default.

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
struct Disk {
    #[snapshot(skip)]
    stage: Stage,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, ignore(image, stage, size))]
struct WithAValue {
    #[snapshot(skip = Stage::Attached)]
    stage: Stage,
}

fn main() {}
