//! A stage twice in `save_from`.

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
#[snapshot(message = pb::DiskSnapshot, version = 1, ignore(image, size))]
#[snapshot(save_from(Attached, Reserved, Attached))]
struct Disk {
    #[snapshot(stage)]
    stage: Stage,
}

fn main() {}
