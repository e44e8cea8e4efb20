//! `accept` written in other ways than it is.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 3, ignore(size, operations_per_second))]
#[snapshot(accept = 2, accept(2), accept(), accept(version = 2 message = pb::VolumeSnapshotV1))]
#[snapshot(accept(message = pb::VolumeSnapshotV1), accept(version = 2, from = upgrade))]
struct Volume {
    #[snapshot(since, default)]
    image: String,
}

fn main() {}
