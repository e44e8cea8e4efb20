//! Attributes that mean nothing on a field that is not saved.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

#[derive(Snapshot)]
#[snapshot(message = Reservation, ignore(slot, partition))]
struct Slot {
    #[snapshot(skip, field = slot)]
    place: u32,
    #[snapshot(skip, with = snapshot_core::codec::display)]
    address: String,
    #[snapshot(skip, max = 3)]
    handles: Vec<u32>,
    #[snapshot(skip = 4, range = 1..=8)]
    queue: u32,
    #[snapshot(skip, id)]
    name: String,
}

fn main() {}
