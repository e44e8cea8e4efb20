//! A field that is marked as the stage and is none.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, ignore(count, announced))]
struct Counter {
    #[snapshot(stage)]
    name: String,
}

fn main() {}
