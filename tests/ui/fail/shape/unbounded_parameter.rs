//! A type parameter without any bound.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct Slot<T> {
    slot: T,
    partition: u64,
}

fn main() {}
