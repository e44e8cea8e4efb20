//! `may_stay_behind` where nothing ever stays behind, and with functions that are no rules.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

fn is_small(size: &u64) -> bool {
    *size < 100
}

fn is_short(text: &str) -> bool {
    text.len() < 100
}

fn count(operations: &u32) -> u32 {
    *operations
}

/// Every version has the field, and a number holds no controller.
#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 2, accept(version = 1))]
struct Volume {
    image: String,
    #[snapshot(may_stay_behind = is_small)]
    size: u64,
    operations_per_second: u32,
}

/// The rules are about other types.
#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 2, accept(version = 1))]
struct Other {
    image: String,
    #[snapshot(since = 2, may_stay_behind = is_short)]
    size: u64,
    #[snapshot(since = 2, may_stay_behind = count)]
    operations_per_second: u32,
}

/// Without a rule, and on a field that is never saved.
#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 2, accept(version = 1))]
struct Without {
    image: String,
    #[snapshot(since = 2, may_stay_behind)]
    size: u64,
    operations_per_second: u32,
    #[snapshot(skip, may_stay_behind = is_small)]
    handle: u64,
}

fn main() {}
