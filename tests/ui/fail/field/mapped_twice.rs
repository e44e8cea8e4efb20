//! One proto field for two struct fields.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct OneByItsName {
    slot: u32,
    #[snapshot(field = slot)]
    place: u32,
    partition: u64,
}

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct BothByAnother {
    #[snapshot(field = slot)]
    first: u32,
    #[snapshot(field = slot)]
    second: u32,
    partition: u64,
}

fn main() {}
