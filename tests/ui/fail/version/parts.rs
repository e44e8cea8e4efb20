//! Parts of `accept` that need one another.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 3, ignore(image, size, operations_per_second))]
#[snapshot(accept(version = 1, message = pb::VolumeSnapshotV1))]
#[snapshot(accept(version = 2, upgrade = upgrade, downgrade = downgrade))]
struct Volume {}

/// Version 1 is made of version 2, which is not saved.
#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 3, ignore(image, size, operations_per_second))]
#[snapshot(accept(version = 1, message = pb::VolumeSnapshotV1, upgrade = up, downgrade = down))]
#[snapshot(accept(version = 2, message = pb::VolumeSnapshotV1, upgrade = up))]
struct Broken {}

fn main() {}
