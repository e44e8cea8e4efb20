//! The same attribute twice, in one list or in two.

use std::collections::HashMap;

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{self as pb, disk_snapshot};

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1)]
#[snapshot(version = 2)]
struct Counter {
    name: String,
    #[snapshot(range = 0..=9, range = 0..=99)]
    count: u64,
    announced: HashMap<String, u64>,
    #[snapshot(skip)]
    #[snapshot(skip)]
    listeners: usize,
}

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage, stage = disk_snapshot::Stage)]
enum Stage {
    Reserved,
    Attached,
    Ejected,
}

fn main() {}
