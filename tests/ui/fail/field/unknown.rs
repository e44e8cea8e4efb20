//! Struct fields for which there is no proto field, by their own name or another.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::{DiskConfig, Reservation};

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct Slot {
    slto: u32,
    partition: u64,
}

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct Renamed {
    slot: u32,
    #[snapshot(field = partitoin)]
    part: u64,
}

#[derive(Snapshot)]
#[snapshot(message = DiskConfig, ignore(kind, evd_type))]
struct Config {
    host_path: String,
    read_only: bool,
    r#type: String,
}

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct WithAHandle {
    slot: u32,
    partition: u64,
    handle: u64,
}

fn main() {}
