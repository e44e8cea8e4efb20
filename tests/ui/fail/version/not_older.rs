//! The current version, a newer one and one that cannot be, as older ones.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 3, ignore(image, size, operations_per_second))]
#[snapshot(accept(version = 3), accept(version = 4), accept(version = 0), accept(version = "2"))]
struct Volume {}

fn main() {}
