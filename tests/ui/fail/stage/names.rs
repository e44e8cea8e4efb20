//! Two variants for one value, a transient variant with a proto name, no variant that is saved.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::disk_snapshot;

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Shared {
    Reserved,
    Attached,
    #[snapshot(rename = Attached)]
    Plugged,
    Ejected,
}

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Transient {
    Reserved,
    Attached,
    Ejected,
    #[snapshot(transient, rename = Ejected)]
    Leaving,
}

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
enum AllTransient {
    #[snapshot(transient)]
    Leaving,
    #[snapshot(transient)]
    Arriving,
}

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Empty {}

fn main() {}
