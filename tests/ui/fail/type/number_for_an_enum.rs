//! A bare number or text where the proto field is an enum, as prost's own struct has it.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, ignore(image, size))]
struct Number {
    stage: i32,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, ignore(image, size))]
struct Text {
    stage: String,
}

fn main() {}
