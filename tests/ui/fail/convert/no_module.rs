//! `with` a module that does not exist, or that has no such functions.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct Slot {
    #[snapshot(with = slot_numebr)]
    slot: u32,
    #[snapshot(with = half)]
    partition: u64,
}

mod half {
    pub fn to_wire(value: &u64) -> Result<u64, String> {
        Ok(*value)
    }
}

fn main() {}
