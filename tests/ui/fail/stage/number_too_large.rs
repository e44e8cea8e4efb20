//! A transient variant whose number does not fit the 32 bits of the others.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::disk_snapshot;

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
#[repr(i64)]
enum Stage {
    Reserved,
    Attached,
    Ejected,
    #[snapshot(transient)]
    Leaving = 1 << 32,
}

fn main() {}
