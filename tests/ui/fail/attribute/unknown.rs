//! A word that is near to none: all words that may stand there are named.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{self as pb, disk_snapshot};

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, encrypted, ignore(announced))]
struct Counter {
    name: String,
    #[snapshot(compressed)]
    count: u64,
}

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage {
    #[snapshot(first)]
    Reserved,
    Attached,
    Ejected,
}

fn main() {}
