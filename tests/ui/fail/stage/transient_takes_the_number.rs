//! A transient variant in between moves the numbers of those after it.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::disk_snapshot;

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage {
    Reserved,
    #[snapshot(transient)]
    Reserving,
    Attached,
    Ejected,
}

fn main() {}
