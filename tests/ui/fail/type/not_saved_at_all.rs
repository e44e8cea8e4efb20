//! Types that derive nothing: a struct, an enum, a lock, a handle.

use std::fs::File;
use std::sync::Mutex;

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{self as pb, DiskSnapshot};
use snapshot_proto::lcow::v1::scsi_snapshot::MountState;

struct Config {
    read_only: bool,
}

enum Stage {
    Reserved,
    Mounted,
}

#[derive(Snapshot)]
#[snapshot(message = MountState)]
struct Mount {
    config: Option<Config>,
    state: Stage,
    ref_count: Mutex<u32>,
    guest_path: File,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, ignore(image, size))]
struct Disk {
    // prost's enum, not one with the derive.
    stage: pb::disk_snapshot::Stage,
}

fn main() {
    let _ = DiskSnapshot::default();
}
