//! A stage that holds data.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::disk_snapshot;

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage {
    Reserved,
    Attached(u32),
    Ejected { at: u64 },
}

fn main() {}
