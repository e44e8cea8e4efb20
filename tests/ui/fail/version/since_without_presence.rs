//! `since` makes an `Option` of a collection possible, and of nothing else.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 2, accept(version = 1))]
struct Volume {
    image: String,
    #[snapshot(since = 2)]
    size: Option<u64>,
    #[snapshot(since = 2)]
    operations_per_second: Option<Vec<u32>>,
}

fn main() {}
