//! A field that is not saved and has no value after a restore, or one of another type.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

struct Handle(u64);

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct Slot {
    slot: u32,
    partition: u64,
    #[snapshot(skip)]
    handle: Handle,
}

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct WithAValue {
    slot: u32,
    partition: u64,
    #[snapshot(skip = 7)]
    handle: Handle,
}

fn main() {}
