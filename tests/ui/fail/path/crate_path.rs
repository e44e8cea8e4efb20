//! snapshot-core is not where `crate` says.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

#[derive(Snapshot)]
#[snapshot(message = Reservation, crate = elsewhere::snapshot)]
struct Slot {
    slot: u32,
    partition: u64,
}

fn main() {}
