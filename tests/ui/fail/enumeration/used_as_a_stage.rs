//! An enum that is not a lifecycle stage has no stage rules and no transient variants.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{self as pb, disk_snapshot};

#[derive(Snapshot)]
#[snapshot(enumeration = disk_snapshot::Stage)]
enum Kind {
    Reserved,
    Attached,
    Ejected,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, freeze_to = Ejected)]
struct Disk {
    image: String,
    #[snapshot(stage)]
    stage: Kind,
    size: u64,
}

#[derive(Snapshot)]
#[snapshot(enumeration = disk_snapshot::Stage)]
enum Moving {
    Reserved,
    Attached,
    Ejected,
    #[snapshot(transient)]
    Between,
}

fn main() {}
