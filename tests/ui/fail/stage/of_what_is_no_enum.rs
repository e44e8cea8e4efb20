//! A stage of a message, of a oneof, of an enum that is not prost's.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{self as pb, nic_snapshot};

#[derive(Snapshot)]
#[snapshot(stage = pb::DiskSnapshot)]
enum OfAMessage {
    Reserved,
}

#[derive(Snapshot)]
#[snapshot(stage = nic_snapshot::Link)]
enum OfAOneof {
    Bridge,
}

enum Own {
    Reserved,
}

#[derive(Snapshot)]
#[snapshot(stage = Own)]
enum OfARustEnum {
    Reserved,
}

fn main() {
    let _ = Own::Reserved;
}
