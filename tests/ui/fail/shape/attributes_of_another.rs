//! Attributes that have no meaning for the shape of the type.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{disk_snapshot, nic_snapshot};

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage, version = 1, save_from(Attached), ignore(Ejected))]
enum Stage {
    Reserved,
    Attached,
    Ejected,
}

#[derive(Snapshot)]
#[snapshot(oneof = nic_snapshot::Link, validate = check, controller = Nic, ignore(PassThrough))]
enum Link {
    Bridge(String),
}

#[derive(Snapshot)]
#[snapshot(transparent, type_url = "example.com/Name", abort_to = Terminated, ignore(name))]
struct Name(String);

fn main() {}
