//! A newtype around a type that does not fit the field, or that cannot be saved.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

#[derive(Snapshot)]
#[snapshot(transparent)]
struct Name(String);

struct Handle;

#[derive(Snapshot)]
#[snapshot(transparent)]
struct Wrapped(Handle);

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct Slot {
    slot: Name,
    partition: Wrapped,
}

fn main() {}
