//! Stage rules that name variants which the stage does not have.

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
#[snapshot(save_from(Reserved, Atached), freeze_to = Frozen, import_as = Imported)]
#[snapshot(abort_to = Gone)]
struct Disk {
    #[snapshot(stage)]
    stage: Stage,
}

fn main() {}
