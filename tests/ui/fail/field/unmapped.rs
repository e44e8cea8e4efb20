//! A proto field that no struct field maps.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct Slot {
    slot: u32,
}

fn main() {}
