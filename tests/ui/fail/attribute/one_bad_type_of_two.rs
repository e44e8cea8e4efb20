//! A mistake in one type is not repeated by those that hold it.

use std::collections::BTreeMap;

use snapshot_core::{Snapshot, State, codec};
use snapshot_proto::lcow::v1::{self as pb, scsi_snapshot};

#[derive(Snapshot)]
#[snapshot(message = pb::ScsiSnapshot, version = 1)]
struct Scsi {
    num_controllers: u8,
    disks: BTreeMap<u32, Disk>,
    reservations: BTreeMap<String, Reservation>,
}

#[derive(Snapshot)]
#[snapshot(message = scsi_snapshot::DiskState, ignore(config, mounts))]
struct Disk {
    #[snapshot(stage, fallback)]
    state: DiskStage,
}

#[derive(Snapshot, Clone, Copy, Default)]
#[snapshot(stage = scsi_snapshot::DiskStage)]
enum DiskStage {
    #[default]
    #[snapshot(transient)]
    Reserved,
    Attached,
    Ejected,
    Detached,
}

#[derive(Snapshot)]
#[snapshot(message = scsi_snapshot::Reservation)]
struct Reservation {
    slot: Slot,
    #[snapshot(skipped)]
    partition: u64,
}

#[derive(Snapshot)]
#[snapshot(transparent, version = 1)]
struct Slot(u32);

fn main() {
    let state = Disk { state: DiskStage::default() };
    let message: scsi_snapshot::DiskState = (&state).into();
    let _ = Disk::try_from(message);
    let _ = state.to_message();
    let _ = codec::to_bytes(&state);
}
