//! Stage rules on a struct that marks no field as its stage.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, ignore(count, announced))]
#[snapshot(save_from(A), freeze_to = B, import_as = C, live = D, abort_to = E)]
struct Counter {
    name: String,
}

#[derive(Snapshot)]
#[snapshot(message = Reservation, save_from(Reserved))]
struct Slot {
    slot: u32,
    partition: u64,
}

fn main() {}
