//! Versions in the middle that are not read.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 3, ignore(image, size, operations_per_second))]
#[snapshot(accept(version = 1, message = pb::VolumeSnapshotV1, upgrade = upgrade))]
struct One {}

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 9, ignore(image, size, operations_per_second))]
#[snapshot(accept(version = 6), accept(version = 3), accept(version = 2))]
struct Several {}

fn upgrade(_: pb::VolumeSnapshotV1) -> Result<One, String> {
    Ok(One {})
}

fn main() {}
