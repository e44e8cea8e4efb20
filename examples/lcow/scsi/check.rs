//! What must hold in a SCSI state for it to move, besides the references: checked before the freeze
//! and on import.

use std::collections::HashMap;

use snapshot_core::Error;

use super::{Disk, DiskKind, DiskStage, LUNS, MountStage, ScsiState, Slot};

/// Checks that the state can be saved or taken over, and reports everything that is wrong.
pub(super) fn check(state: &ScsiState) -> Result<(), Error> {
    let mut errors = Vec::new();
    for (&slot, disk) in &state.disks {
        let before = errors.len();
        check_disk(state.num_controllers, slot, disk, &mut errors);
        for error in errors.split_off(before) {
            errors.push(error.in_key(slot.to_string()).in_field("disks"));
        }
    }
    check_reservations(state, &mut errors);
    Error::collect(errors)
}

fn check_disk(controllers: u8, slot: Slot, disk: &Disk, errors: &mut Vec<Error>) {
    if slot.controller() >= controllers {
        errors.push(Error::invalid(format!(
            "is past the last slot: {controllers} controllers have {}",
            u16::from(controllers) * u16::from(LUNS)
        )));
    }
    if !matches!(disk.stage, DiskStage::Reserved | DiskStage::Attached) {
        errors.push(Error::precondition(format!(
            "is {:?}: only a Reserved or Attached disk can move",
            disk.stage
        )));
    }
    if disk.config.kind == DiskKind::Unspecified {
        errors.push(Error::invalid("is missing").in_field("type").in_field("config"));
    }
    for (partition, mount) in &disk.mounts {
        if !matches!(mount.stage, MountStage::Reserved | MountStage::Mounted) {
            let error = Error::precondition(format!(
                "is {:?}: only a Reserved or Mounted mount can move",
                mount.stage
            ));
            errors.push(error.in_key(partition.to_string()).in_field("mounts"));
        }
    }
}

/// Every reservation must name a mount, and every mount be held as often as it says.
fn check_reservations(state: &ScsiState, errors: &mut Vec<Error>) {
    let mut held: HashMap<(Slot, u64), u32> = HashMap::new();
    for (id, reservation) in &state.reservations {
        let named = (reservation.slot, reservation.partition);
        match state.disks.get(&named.0).map(|disk| disk.mounts.contains_key(&named.1)) {
            Some(true) => *held.entry(named).or_default() += 1,
            Some(false) => {
                let error = Error::invalid(format!(
                    "disk {} has no mount of partition {}",
                    named.0, named.1
                ));
                errors.push(error.in_key(id.to_string()).in_field("reservations"));
            }
            // A reference to nothing, which is refused as such.
            None => {}
        }
    }
    for (&slot, disk) in &state.disks {
        for (&partition, mount) in &disk.mounts {
            let held = held.get(&(slot, partition)).copied().unwrap_or(0);
            if mount.ref_count != held {
                let error = Error::invalid(format!(
                    "is {}, but {held} reservations hold the mount",
                    mount.ref_count
                ));
                errors.push(
                    error
                        .in_field("ref_count")
                        .in_key(partition.to_string())
                        .in_field("mounts")
                        .in_key(slot.to_string())
                        .in_field("disks"),
                );
            }
        }
    }
}
