//! Commas that are missing or too many, a literal for a word.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::{DiskConfig, Reservation};

#[derive(Snapshot)]
#[snapshot(message = Reservation validate = check)]
struct NoComma {
    slot: u32,
    partition: u64,
}

#[derive(Snapshot)]
#[snapshot(message = Reservation,, validate = check)]
struct TwoCommas {
    slot: u32,
    #[snapshot("partition")]
    partition: u64,
}

#[derive(Snapshot)]
#[snapshot(message = DiskConfig, ignore(read_only r#type))]
struct NoCommaInAList {
    host_path: String,
    evd_type: String,
}

fn main() {}
