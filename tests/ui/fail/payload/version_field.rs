//! Messages without a `schema_version`, and structs that map or ignore it themselves.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

#[derive(Snapshot)]
#[snapshot(message = Reservation, version = 1)]
struct NoSuchField {
    slot: u32,
    partition: u64,
}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, ignore(name, count, announced))]
struct Mapped {
    schema_version: u32,
}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1)]
#[snapshot(ignore(schema_version, name, count, announced))]
struct Ignored {}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, ignore(name, count, announced))]
struct Forgotten {}

fn main() {}
