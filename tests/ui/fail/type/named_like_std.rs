//! A type of the user's that the derive would take for one of the standard library, with nothing
//! inside to be walked to.

use std::collections::BTreeMap;

use snapshot_proto::lcow::v1::ScsiSnapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::DiskState;

#[derive(snapshot_core::Snapshot)]
#[snapshot(message = DiskState, ignore(config, state, mounts))]
struct String {}

#[derive(snapshot_core::Snapshot)]
#[snapshot(message = ScsiSnapshot, ignore(schema_version, num_controllers, reservations))]
struct Taken {
    disks: BTreeMap<u32, String>,
}

#[derive(snapshot_core::Snapshot)]
#[snapshot(message = ScsiSnapshot, ignore(schema_version, num_controllers, reservations))]
struct Named {
    disks: BTreeMap<u32, self::String>,
}

fn main() {}
