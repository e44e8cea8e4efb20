//! The words of other derives: the word that is used here is named.

use std::collections::HashMap;

use snapshot_core::Snapshot;

#[derive(Snapshot)]
#[snapshot(proto = pb::CounterSnapshot, schema_version = 1)]
struct Counter {
    #[snapshot(rename = name)]
    label: String,
    #[snapshot(serialize_with = to_text)]
    count: u64,
    #[snapshot(max_len = 16)]
    announced: HashMap<String, u64>,
}

fn main() {}
