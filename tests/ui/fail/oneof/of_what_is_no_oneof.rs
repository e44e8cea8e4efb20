//! A oneof of an enum, of a message.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{self as pb, disk_snapshot};

#[derive(Snapshot)]
#[snapshot(oneof = disk_snapshot::Stage)]
enum OfAnEnum {
    Reserved(u32),
}

#[derive(Snapshot)]
#[snapshot(oneof = pb::DiskSnapshot)]
enum OfAMessage {
    Image(String),
}

fn main() {}
