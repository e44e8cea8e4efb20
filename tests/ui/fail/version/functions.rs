//! Functions that take or make something else.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 2, ignore(image, size, operations_per_second))]
#[snapshot(accept(version = 1, message = pb::VolumeSnapshotV1, upgrade = takes, downgrade = gives))]
struct Argument {}

fn takes(_: pb::DiskSnapshot) -> Result<pb::VolumeSnapshot, String> {
    Ok(pb::VolumeSnapshot::default())
}

fn gives(_: pb::DiskSnapshot) -> Result<pb::VolumeSnapshotV1, String> {
    Ok(pb::VolumeSnapshotV1::default())
}

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 2, ignore(image, size, operations_per_second))]
#[snapshot(accept(version = 1, message = pb::VolumeSnapshotV1, upgrade = makes, downgrade = unmakes))]
struct Made {}

fn makes(_: pb::VolumeSnapshotV1) -> Result<pb::DiskSnapshot, String> {
    Ok(pb::DiskSnapshot::default())
}

fn unmakes(_: pb::VolumeSnapshot) -> Result<pb::DiskSnapshot, String> {
    Ok(pb::DiskSnapshot::default())
}

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 2, ignore(image, size, operations_per_second))]
#[snapshot(accept(version = 1, message = pb::VolumeSnapshotV1, upgrade = plain))]
struct NoResult {}

fn plain(_: pb::VolumeSnapshotV1) -> NoResult {
    NoResult {}
}

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 2, ignore(image, size, operations_per_second))]
#[snapshot(accept(version = 1, message = pb::VolumeSnapshotV0, upgrade = missing))]
struct Unresolved {}

fn main() {}
