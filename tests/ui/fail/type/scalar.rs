//! A scalar of another kind than the proto field's.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::{DiskConfig, Reservation};

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct Slot {
    slot: String,
    partition: f64,
}

#[derive(Snapshot)]
#[snapshot(message = DiskConfig)]
struct Config {
    host_path: Vec<u8>,
    read_only: u32,
    r#type: char,
    evd_type: u16,
}

fn main() {}
