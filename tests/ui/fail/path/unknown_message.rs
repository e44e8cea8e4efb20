//! Paths that lead nowhere.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshto, version = 1)]
struct Counter {
    name: String,
}

#[derive(Snapshot)]
#[snapshot(stage = pb::disk_snapshot::Stagee)]
enum Stage {
    Reserved,
}

#[derive(Snapshot)]
#[snapshot(oneof = pb::nic_snapshot::Lnik)]
enum Link {
    Bridge(String),
}

fn main() {}
