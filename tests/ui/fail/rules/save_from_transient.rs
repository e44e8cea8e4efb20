//! `save_from` names stages that are never on the wire; `import_as` and the others may.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{self as pb, disk_snapshot};

#[derive(Snapshot, Clone, Copy, Default)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage {
    #[default]
    Reserved,
    Attached,
    Ejected,
    #[snapshot(transient)]
    Leaving,
    #[snapshot(transient)]
    Arriving,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, ignore(image, size))]
#[snapshot(save_from(Attached, Leaving, Arriving), freeze_to = Leaving, import_as = Arriving)]
struct Disk {
    #[snapshot(stage)]
    stage: Stage,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, ignore(image, stage, size))]
#[snapshot(save_from(Leaving))]
struct NotCarried {
    #[snapshot(stage, skip)]
    stage: Stage,
}

fn main() {}
