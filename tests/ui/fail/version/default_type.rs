//! Defaults of another type than the field, and none where the type has none.

use std::net::Ipv4Addr;

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 3, accept(version = 2))]
struct Volume {
    #[snapshot(since = 3)]
    image: Ipv4Addr,
    size: u64,
    #[snapshot(since = 3, default = "many")]
    operations_per_second: u32,
}

fn main() {}
