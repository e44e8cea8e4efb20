//! The devices that a host has for VMs: disks, folders, PCI devices, network endpoints.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use snapshot_core::Error;
use snapshot_examples::lcow::host::{
    AssignedDevice, DeviceHost, DiskHost, NetworkHost, ShareHost, SharedFolder,
};
use snapshot_examples::lcow::{DiskConfig, Endpoint, MountConfig, NamespaceId, NicId, Slot, VmId};
use uuid::Uuid;

use crate::shim::confine::step;
use crate::shim::guest::at;
use crate::shim::lock::lock;
use crate::shim::machine::Machine;
use crate::shim::storage::{Disk, claim};

/// An endpoint, as the host keeps it in a file.
#[derive(Serialize, Deserialize)]
struct EndpointFile {
    id: String,
    mac: String,
    name: String,
}

impl Machine {
    /// Creates a device that can be assigned.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn make_device(&self, instance_id: &str) -> Result<(), Error> {
        let path = self.device(instance_id)?;
        std::fs::write(&path, "").map_err(|error| at(&path, error))
    }

    /// Creates a network namespace with one endpoint.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn make_namespace(&self, namespace: &str, mac: &str) -> Result<(), Error> {
        let dir = self.dir().join("namespaces").join(step(namespace)?);
        if dir.exists() {
            // Left by an earlier shim of this host.
            return Ok(());
        }
        let endpoint = EndpointFile {
            id: Uuid::new_v4().to_string(),
            mac: mac.to_owned(),
            name: format!("{namespace}-eth0"),
        };
        // Written whole or not at all, if this shim dies.
        let new = self.dir().join("namespaces.new");
        let make = || {
            match std::fs::remove_dir_all(&new) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            std::fs::create_dir(&new)?;
            std::fs::write(new.join(&endpoint.id), serde_json::to_vec(&endpoint)?)?;
            std::fs::rename(&new, &dir)
        };
        make().map_err(|error| at(&dir, error))
    }

    fn device(&self, instance_id: &str) -> Result<PathBuf, Error> {
        Ok(self.dir().join("devices").join(step(instance_id)?))
    }

    /// Takes a device for a VM.
    pub(crate) fn claim_device(&self, instance_id: &str) -> Result<File, Error> {
        claim("device", &self.device(instance_id)?)
    }
}

impl DiskHost for Machine {
    fn grant_access(&self, vm: &VmId, path: &Path) -> Result<(), Error> {
        Disk::open(path, true)?;
        lock(&self.granted).insert((vm.clone(), path.to_owned()));
        Ok(())
    }

    fn revoke_access(&self, vm: &VmId, path: &Path) -> Result<(), Error> {
        lock(&self.granted).remove(&(vm.clone(), path.to_owned()));
        Ok(())
    }

    fn prepare_disk(&self, vm: &VmId, slot: Slot, disk: &DiskConfig) -> Result<(), Error> {
        let key = (vm.clone(), slot);
        let is_it = |open: &Disk| open.is_open(&disk.host_path, disk.read_only);
        if lock(&self.prepared).get(&key).is_some_and(is_it) {
            return Ok(());
        }
        let opened = Disk::open(&disk.host_path, disk.read_only)?;
        lock(&self.prepared).insert(key, opened);
        Ok(())
    }

    fn discard_disks(&self, vm: &VmId) -> Result<(), Error> {
        lock(&self.prepared).retain(|(of, _), _| of != vm);
        Ok(())
    }

    fn attach_disk(&self, vm: &VmId, slot: Slot, disk: &DiskConfig) -> Result<(), Error> {
        let granted = (vm.clone(), disk.host_path.clone());
        if !lock(&self.granted).contains(&granted) {
            return Err(Error::precondition(format!(
                "VM {vm} may not open {}: grant it access first",
                disk.host_path.display()
            )));
        }
        self.with_vm(vm, |hosted| {
            hosted.attach(slot, disk, None)?;
            match hosted.disks.get(&slot) {
                Some(disk) => self.guest().put_disk(slot, disk.volume()),
                None => Ok(()),
            }
        })
    }

    fn eject_disk(&self, vm: &VmId, slot: Slot) -> Result<(), Error> {
        self.with_vm(vm, |_| self.guest().remove_disk(slot))
    }

    fn detach_disk(&self, vm: &VmId, slot: Slot) -> Result<(), Error> {
        self.with_vm(vm, |hosted| {
            hosted.disks.remove(&slot);
            self.guest().remove_disk(slot)
        })
    }

    fn mount_disk(
        &self,
        vm: &VmId,
        slot: Slot,
        partition: u64,
        _: &MountConfig,
        guest_path: &str,
    ) -> Result<(), Error> {
        self.with_vm(vm, |hosted| match hosted.disks.get(&slot) {
            Some(disk) => self.guest().mount(guest_path, &format!("{} {partition}", disk.volume())),
            None => Err(Error::precondition(format!("there is no disk in SCSI slot {slot}"))),
        })
    }

    fn unmount_disk(&self, vm: &VmId, guest_path: &str) -> Result<(), Error> {
        self.with_vm(vm, |_| self.guest().unmount(guest_path))
    }
}

impl DeviceHost for Machine {
    fn check_device(&self, instance_id: &str) -> Result<(), Error> {
        self.claim_device(instance_id).map(drop)
    }

    fn assign_device(&self, vm: &VmId, device: &AssignedDevice) -> Result<(), Error> {
        self.with_vm(vm, |hosted| {
            let claimed = self.claim_device(&device.instance_id)?;
            hosted.devices.insert(device.channel, claimed);
            Ok(())
        })
    }

    fn wait_for_device(&self, vm: &VmId, channel: Uuid) -> Result<(), Error> {
        self.with_vm(vm, |hosted| match hosted.devices.contains_key(&channel) {
            true => Ok(()),
            false => Err(Error::precondition(format!("no device is on channel {channel}"))),
        })
    }

    fn remove_device(&self, vm: &VmId, channel: Uuid) -> Result<(), Error> {
        self.with_vm(vm, |hosted| {
            hosted.devices.remove(&channel);
            Ok(())
        })
    }
}

impl ShareHost for Machine {
    fn check_folder(&self, path: &Path) -> Result<(), Error> {
        match std::fs::metadata(path).map_err(|error| at(path, error))?.is_dir() {
            true => Ok(()),
            false => Err(Error::precondition(format!("{} is no folder", path.display()))),
        }
    }

    fn add_share(&self, vm: &VmId, share: &SharedFolder) -> Result<(), Error> {
        self.check_folder(&share.path)?;
        self.with_vm(vm, |hosted| {
            if hosted.shares.contains_key(&share.name) {
                return Err(Error::precondition(format!("the VM has a share {}", share.name)));
            }
            let folder = File::open(&share.path).map_err(|error| at(&share.path, error))?;
            hosted.shares.insert(share.name.clone(), folder);
            Ok(())
        })
    }

    fn remove_share(&self, vm: &VmId, name: &str) -> Result<(), Error> {
        self.with_vm(vm, |hosted| {
            hosted.shares.remove(name);
            Ok(())
        })
    }

    fn mount_share(
        &self,
        vm: &VmId,
        name: &str,
        guest_path: &str,
        read_only: bool,
    ) -> Result<(), Error> {
        self.with_vm(vm, |hosted| match hosted.shares.contains_key(name) {
            true => self.guest().mount(guest_path, &format!("share {name} {read_only}")),
            false => Err(Error::precondition(format!("the VM has no share {name}"))),
        })
    }

    fn unmount_share(&self, vm: &VmId, guest_path: &str) -> Result<(), Error> {
        self.with_vm(vm, |_| self.guest().unmount(guest_path))
    }
}

impl NetworkHost for Machine {
    fn endpoints(&self, namespace: &NamespaceId) -> Result<Vec<Endpoint>, Error> {
        let dir = self.dir().join("namespaces").join(step(namespace.as_str())?);
        let mut endpoints = Vec::new();
        for entry in std::fs::read_dir(&dir).map_err(|error| at(&dir, error))? {
            let path = entry.map_err(|error| at(&dir, error))?.path();
            let bytes = std::fs::read(&path).map_err(|error| at(&path, error))?;
            let file: EndpointFile =
                serde_json::from_slice(&bytes).map_err(|error| at(&path, error.into()))?;
            endpoints.push(Endpoint {
                endpoint_id: file.id.into(),
                mac_address: file.mac.into(),
                endpoint_name: file.name,
            });
        }
        endpoints.sort_by(|a, b| a.endpoint_name.cmp(&b.endpoint_name));
        Ok(endpoints)
    }

    fn add_nic(
        &self,
        vm: &VmId,
        nic: &NicId,
        endpoint: &Endpoint,
        _: Option<&NamespaceId>,
    ) -> Result<(), Error> {
        let path = self.endpoint(endpoint.endpoint_id.as_str())?;
        self.with_vm(vm, |hosted| {
            hosted.nics.insert(nic.clone(), claim("endpoint", &path)?);
            Ok(())
        })
    }

    fn remove_nic(&self, vm: &VmId, nic: &NicId) -> Result<(), Error> {
        self.with_vm(vm, |hosted| {
            hosted.nics.remove(nic);
            Ok(())
        })
    }
}

impl Machine {
    /// Returns the file of an endpoint, in any namespace.
    fn endpoint(&self, id: &str) -> Result<PathBuf, Error> {
        let (namespaces, id) = (self.dir().join("namespaces"), step(id)?);
        for entry in std::fs::read_dir(&namespaces).map_err(|error| at(&namespaces, error))? {
            let path = entry.map_err(|error| at(&namespaces, error))?.path().join(id);
            if path.exists() {
                return Ok(path);
            }
        }
        Err(Error::precondition(format!("there is no endpoint {id} on this host")))
    }
}
