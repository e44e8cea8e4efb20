//! A type that is to be saved as two things.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{self as pb, disk_snapshot, nic_snapshot};

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, transparent)]
struct Disk {
    image: String,
}

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage, oneof = nic_snapshot::Link, message = pb::NicSnapshot)]
enum Link {
    Bridge(String),
}

fn main() {}
