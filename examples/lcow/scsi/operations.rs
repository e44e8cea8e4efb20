//! The operations of a shim on the bus outside of a migration.

use snapshot_core::Error;
use uuid::Uuid;

use super::{
    Disk, DiskConfig, DiskStage, Mount, MountConfig, MountStage, Reservation, Scsi, ScsiState, Slot,
};
use crate::lcow::host::{Binding, Host};
use crate::lcow::ids::VmId;
use crate::lcow::migration::enter;

impl Scsi {
    /// Reserves a slot for the VM's boot disk. The VM is created with that disk.
    ///
    /// # Errors
    ///
    /// The controller is migrating, the VM exists already, or no slot is free.
    pub fn reserve_for_rootfs(&self, config: DiskConfig) -> Result<Slot, Error> {
        let mut state = self.lock();
        let _inside = enter(&state.gate, || "the SCSI controller".to_owned())?;
        if state.binding.is_some() {
            return Err(Error::precondition("the VM already exists: reserve its root disk first"));
        }
        let slot = state.free_slot()?;
        let stage = DiskStage::Reserved;
        state.disks.insert(slot, Disk { config, stage, mounts: Default::default() });
        Ok(slot)
    }

    /// Reserves a slot for a disk, and a mount of one of its partitions (0 is the whole disk). An
    /// existing disk is shared, and so is its mount.
    ///
    /// # Errors
    ///
    /// The controller is migrating, no slot is free, or the disk is there with other settings.
    pub fn reserve(
        &self,
        disk: DiskConfig,
        partition: u64,
        mount: MountConfig,
    ) -> Result<Uuid, Error> {
        let mut state = self.lock();
        let _inside = enter(&state.gate, || "the SCSI controller".to_owned())?;
        let there = state.disks.iter().find(|(_, there)| there.config.host_path == disk.host_path);
        let slot = match there {
            Some((&slot, there)) => {
                there.may_share(slot, &disk, partition, &mount)?;
                slot
            }
            None => state.free_slot()?,
        };
        let disk = state.disks.entry(slot).or_insert_with(|| Disk {
            config: disk,
            stage: DiskStage::Reserved,
            mounts: Default::default(),
        });
        let mount = disk.mounts.entry(partition).or_insert_with(|| Mount {
            config: mount,
            stage: MountStage::Reserved,
            ref_count: 0,
            guest_path: String::new(),
        });
        // `may_share` has checked that one more fits.
        mount.ref_count += 1;
        let id = Uuid::new_v4();
        state.reservations.insert(id, Reservation { slot, partition });
        Ok(id)
    }

    /// Attaches and mounts the disk of a reservation, if that is not done yet. Returns its path in
    /// the guest.
    ///
    /// # Errors
    ///
    /// The controller is migrating, there is no such reservation, or the host or guest refuses; a
    /// disk that was attached for it is detached again.
    pub fn map_to_guest(&self, reservation: Uuid) -> Result<String, Error> {
        let mut state = self.lock();
        let _inside = enter(&state.gate, || "the SCSI controller".to_owned())?;
        let (Binding { host, vm }, slot, partition, disk) = state.held(reservation)?;
        let attach = disk.stage == DiskStage::Reserved;
        if attach {
            disk.attach(&host, &vm, slot)?;
        }
        let mount = mount_of(disk, slot, partition)?;
        if mount.stage == MountStage::Reserved {
            let guest_path = slot.guest_path(partition);
            match host.mount_disk(&vm, slot, partition, &mount.config, &guest_path) {
                Ok(()) => {
                    mount.stage = MountStage::Mounted;
                    mount.guest_path = guest_path;
                }
                Err(error) if attach => return Err(disk.detach(&host, &vm, slot, error)),
                Err(error) => return Err(error),
            }
        }
        Ok(mount_of(disk, slot, partition)?.guest_path.clone())
    }

    /// Releases a reservation. The last one on a mount unmounts it. When the last mount of a disk
    /// is unmounted, the disk is detached and its slot becomes free.
    ///
    /// # Errors
    ///
    /// The controller is migrating, there is no such reservation, or the host or guest refuses.
    /// Then the reservation stays, and a second call continues where the first one stopped.
    pub fn unmap_from_guest(&self, reservation: Uuid) -> Result<(), Error> {
        let mut state = self.lock();
        let _inside = enter(&state.gate, || "the SCSI controller".to_owned())?;
        let (Binding { host, vm }, slot, partition, disk) = state.held(reservation)?;
        let only_mount = disk.mounts.len() == 1;
        let mount = mount_of(disk, slot, partition)?;
        if mount.ref_count > 1 {
            mount.ref_count -= 1;
            state.reservations.remove(&reservation);
            return Ok(());
        }
        if mount.stage == MountStage::Mounted {
            host.unmount_disk(&vm, &mount.guest_path)?;
            mount.stage = MountStage::Unmounted;
        }
        if only_mount {
            if disk.stage == DiskStage::Attached {
                host.eject_disk(&vm, slot)?;
                disk.stage = DiskStage::Ejected;
            }
            if disk.stage == DiskStage::Ejected {
                host.detach_disk(&vm, slot)?;
                disk.stage = DiskStage::Detached;
            }
            if disk.config.kind.needs_access() {
                host.revoke_access(&vm, &disk.config.host_path)?;
            }
            state.disks.remove(&slot);
        } else {
            disk.mounts.remove(&partition);
        }
        state.reservations.remove(&reservation);
        Ok(())
    }
}

impl ScsiState {
    fn free_slot(&self) -> Result<Slot, Error> {
        Slot::of(self.num_controllers).find(|slot| !self.disks.contains_key(slot)).ok_or_else(
            || {
                Error::precondition(format!(
                    "all slots of the VM's {} SCSI controllers are taken",
                    self.num_controllers
                ))
            },
        )
    }

    /// Returns the object that a reservation holds, and the VM.
    fn held(&mut self, id: Uuid) -> Result<(Binding, Slot, u64, &mut Disk), Error> {
        let Some(binding) = self.binding.clone() else {
            return Err(Error::precondition("the VM does not exist yet: create it first"));
        };
        let Some(&Reservation { slot, partition }) = self.reservations.get(&id) else {
            return Err(Error::invalid(format!("there is no SCSI reservation {id}")));
        };
        match self.disks.get_mut(&slot) {
            Some(disk) => Ok((binding, slot, partition, disk)),
            None => Err(Error::internal(format!("slot {slot} of reservation {id} holds no disk"))),
        }
    }
}

fn mount_of(disk: &mut Disk, slot: Slot, partition: u64) -> Result<&mut Mount, Error> {
    disk.mounts.get_mut(&partition).ok_or_else(|| {
        Error::internal(format!("disk {slot} has no mount of partition {partition}"))
    })
}

impl Disk {
    fn attach(&mut self, host: &Host, vm: &VmId, slot: Slot) -> Result<(), Error> {
        if self.config.kind.needs_access() {
            host.grant_access(vm, &self.config.host_path)?;
        }
        if let Err(error) = host.attach_disk(vm, slot, &self.config) {
            return Err(self.revoke(host, vm, error));
        }
        self.stage = DiskStage::Attached;
        Ok(())
    }

    /// Detaches a disk again because of `cause`. If that fails, the disk stays `Attached`, as it is
    /// on the host.
    fn detach(&mut self, host: &Host, vm: &VmId, slot: Slot, cause: Error) -> Error {
        match host.detach_disk(vm, slot) {
            Ok(()) => {
                self.stage = DiskStage::Reserved;
                self.revoke(host, vm, cause)
            }
            Err(undo) => cause.and(undo),
        }
    }

    fn revoke(&self, host: &Host, vm: &VmId, cause: Error) -> Error {
        if !self.config.kind.needs_access() {
            return cause;
        }
        match host.revoke_access(vm, &self.config.host_path) {
            Ok(()) => cause,
            Err(undo) => cause.and(undo),
        }
    }

    /// Refuses to share a disk with another configuration, or one that is being removed.
    fn may_share(
        &self,
        slot: Slot,
        config: &DiskConfig,
        partition: u64,
        mount: &MountConfig,
    ) -> Result<(), Error> {
        let path = config.host_path.display();
        if self.config != *config {
            return Err(Error::precondition(format!(
                "{path} is in slot {slot} with other settings: {:?}",
                self.config
            )));
        }
        if !matches!(self.stage, DiskStage::Reserved | DiskStage::Attached) {
            return Err(Error::precondition(format!(
                "{path} is being removed from slot {slot} ({:?}): try again later",
                self.stage
            )));
        }
        match self.mounts.get(&partition) {
            None => Ok(()),
            Some(there) if there.config != *mount => Err(Error::precondition(format!(
                "partition {partition} of {path} is mounted with other settings: {:?}",
                there.config
            ))),
            Some(there) if there.stage == MountStage::Unmounted => Err(Error::precondition(
                format!("partition {partition} of {path} is being unmounted: try again later"),
            )),
            Some(there) if there.ref_count == u32::MAX => Err(Error::precondition(format!(
                "partition {partition} of {path} is held {} times, and cannot be held once more",
                u32::MAX
            ))),
            Some(_) => Ok(()),
        }
    }
}
