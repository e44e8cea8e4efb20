//! `Option` where the proto field cannot be absent.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::{DiskConfig, Reservation};

#[derive(Snapshot)]
#[snapshot(message = DiskConfig, ignore(r#type, evd_type))]
struct Config {
    host_path: Option<String>,
    read_only: Option<bool>,
}

#[derive(Snapshot)]
#[snapshot(message = Reservation, ignore(partition))]
struct Slot {
    slot: Option<u8>,
}

fn main() {}
