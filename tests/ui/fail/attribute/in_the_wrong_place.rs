//! An attribute of a struct on a field, of a field on a struct, of a variant on either.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{self as pb, disk_snapshot};

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, skip, transient, ignore(announced))]
struct Counter {
    #[snapshot(version = 1)]
    name: String,
    #[snapshot(transient)]
    count: u64,
}

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage {
    Reserved,
    #[snapshot(save_from)]
    Attached,
    #[snapshot(skip)]
    Ejected,
}

fn main() {}
