//! A union cannot be saved, whatever it says.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

#[derive(Snapshot)]
union Plain {
    slot: u32,
    partition: u64,
}

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
union WithAMessage {
    slot: u32,
    partition: u64,
}

fn main() {}
