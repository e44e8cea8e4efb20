//! `with` a module whose functions have another form.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct NoResult {
    slot: u32,
    #[snapshot(with = no_result)]
    partition: u64,
}

mod no_result {
    pub fn to_wire(value: &u64) -> u64 {
        *value
    }

    pub fn from_wire(value: u64) -> u64 {
        value
    }
}

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct NoDisplay {
    slot: u32,
    #[snapshot(with = no_display)]
    partition: u64,
}

mod no_display {
    pub struct Reason;

    pub fn to_wire(value: &u64) -> Result<u64, Reason> {
        Ok(*value)
    }

    pub fn from_wire(value: u64) -> Result<u64, Reason> {
        Ok(value)
    }
}

fn main() {}
