//! Checks the conditions for a migration of a SCSI state that are not references, before the freeze
//! and on import.

use snapshot_core::Error;

use super::{Disk, DiskKind, DiskStage, LUNS, MountStage, Reservation, ScsiState, Slot};

/// Checks that the state can be saved or taken over, and reports every error.
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

/// Checks the consistency of the state beyond its references, whatever the stages of its disks and
/// mounts: every disk is in an existing slot, every reservation names a mount, and every mount is
/// held as often as its count says.
pub(super) fn consistency(state: &ScsiState) -> Result<(), Error> {
    let past = state.disks.keys().filter_map(|slot| {
        let error = check_slot(state.num_controllers, *slot)?;
        Some(error.in_key(slot.to_string()).in_field("disks"))
    });
    let mut errors: Vec<_> = past.collect();
    check_reservations(state, &mut errors);
    Error::collect(errors)
}

fn check_slot(controllers: u8, slot: Slot) -> Option<Error> {
    (slot.controller() >= controllers).then(|| {
        Error::invalid(format!(
            "is beyond the last slot: num_controllers is {controllers}, so there are {} slots",
            u16::from(controllers) * u16::from(LUNS)
        ))
    })
}

fn check_disk(controllers: u8, slot: Slot, disk: &Disk, errors: &mut Vec<Error>) {
    errors.extend(check_slot(controllers, slot));
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

/// Checks that every reservation names a mount, and that every mount is held as often as its count
/// says.
fn check_reservations(state: &ScsiState, errors: &mut Vec<Error>) {
    let named = |reservation: &Reservation| (reservation.slot, reservation.partition);
    let mut sorted: Vec<_> =
        state.reservations.iter().map(|(id, reservation)| (named(reservation), id)).collect();
    sorted.sort_unstable_by_key(|&(named, _)| named);
    // In the order of the mounts, so that one walk over both finds the reservations of each.
    let mut sorted = sorted.into_iter().peekable();
    let mut without_mount = Vec::new();
    let mut wrong_counts = Vec::new();
    for (&slot, disk) in &state.disks {
        for (&partition, mount) in &disk.mounts {
            let place = (slot, partition);
            without_mount
                .extend(std::iter::from_fn(|| sorted.next_if(|&(named, _)| named < place)));
            let mut held = 0;
            while sorted.next_if(|&(named, _)| named == place).is_some() {
                held += 1;
            }
            if mount.ref_count != held {
                let error = Error::invalid(format!(
                    "is {}, but {held} reservations hold the mount",
                    mount.ref_count
                ));
                wrong_counts.push(
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
    without_mount.extend(sorted);
    for ((slot, partition), id) in without_mount {
        // Without its disk, it is a dangling reference, which is refused elsewhere.
        if state.disks.contains_key(&slot) {
            let error =
                Error::invalid(format!("disk {slot} has no mount of partition {partition}"));
            errors.push(error.in_key(id.to_string()).in_field("reservations"));
        }
    }
    errors.append(&mut wrong_counts);
}
