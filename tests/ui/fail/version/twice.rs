//! One version accepted twice, a part given twice.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 3, ignore(image, size, operations_per_second))]
#[snapshot(accept(version = 2), accept(version = 2))]
struct Version {}

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 3, ignore(image, size, operations_per_second))]
#[snapshot(accept(version = 2, version = 1))]
struct Part {}

fn main() {}
