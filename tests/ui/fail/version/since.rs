//! `since` and `default` without an effect, or with an impossible value.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 3, accept(version = 2))]
struct Volume {
    #[snapshot(since = 1)]
    image: String,
    #[snapshot(since = 4)]
    size: u64,
    #[snapshot(default = 7)]
    operations_per_second: u32,
    #[snapshot(skip, since = 3)]
    handle: u32,
}

/// No older version is accepted.
#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 3)]
struct Alone {
    image: String,
    #[snapshot(since = 2)]
    size: u64,
    #[snapshot(since = 3, default = 7)]
    operations_per_second: u32,
}

/// Every accepted version has it.
#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 3, accept(version = 2))]
struct Late {
    image: String,
    #[snapshot(since = 2)]
    size: u64,
    #[snapshot(since = 3, default = 7)]
    operations_per_second: u32,
}

fn main() {}
