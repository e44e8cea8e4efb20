//! `#[snapshot]` without its list.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, ignore(announced))]
struct Counter {
    #[snapshot]
    name: String,
    #[snapshot = "skip"]
    count: u64,
}

fn main() {}
