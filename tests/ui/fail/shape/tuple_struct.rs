//! Structs without names for their fields, as messages.

use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1::Blank;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct Tuple(u32, u64);

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct Newtype(u32);

#[derive(Snapshot)]
#[snapshot(message = Blank)]
struct Unit;

fn main() {}
