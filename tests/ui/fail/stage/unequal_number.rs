//! Variants whose numbers differ from those of their proto values.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::disk_snapshot;
use snapshot_proto::fixture::v1::Signed;

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage {
    Reserved,
    Ejected,
    Attached,
}

#[derive(Snapshot)]
#[snapshot(stage = Signed)]
#[repr(i32)]
enum Negative {
    Zero,
    MinusOne = -2,
    PlusOne = 1,
    Min = i32::MIN,
}

fn main() {}
