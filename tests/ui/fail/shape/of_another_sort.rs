//! An enum as a message or a newtype, a struct as a stage or a oneof.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{self as pb, disk_snapshot, nic_snapshot};

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot)]
enum Nic {
    Bridge(String),
}

#[derive(Snapshot)]
#[snapshot(transparent)]
enum Name {
    Text(String),
}

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
struct Disk {
    attached: bool,
}

#[derive(Snapshot)]
#[snapshot(oneof = nic_snapshot::Link)]
struct Link {
    bridge: String,
}

fn main() {}
