//! Mistakes of several sorts in one type: all of them come at once, each on its own token.

use std::collections::HashMap;

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 0, freeze_to = Frozen, ingore(announced))]
struct Counter {
    #[snapshot(with = codec::display, skip)]
    name: String,
    #[snapshot(field = name)]
    count: u64,
    #[snapshot(field = name)]
    announced: HashMap<String, u64>,
}

fn main() {}
