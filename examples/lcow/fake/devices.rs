//! The fake hypervisor and its devices.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use snapshot_core::Error;
use uuid::Uuid;

use super::{FakeHost, FakeVm};
use crate::lcow::host::{
    AssignedDevice, DeviceHost, DiskHost, NetworkHost, ShareHost, SharedFolder, VmConfig, VmHost,
    VmStart,
};
use crate::lcow::ids::{EndpointId, MacAddress, NamespaceId, NicId, VmId};
use crate::lcow::network::Endpoint;
use crate::lcow::scsi::{DiskConfig, MountConfig, Slot};

/// Inserts an entry, and fails if it exists already.
fn insert<K: Ord + fmt::Display, V>(
    map: &mut BTreeMap<K, V>,
    key: K,
    value: V,
) -> Result<(), Error> {
    if map.contains_key(&key) {
        return Err(Error::precondition(format!("{key} is taken")));
    }
    map.insert(key, value);
    Ok(())
}

impl VmHost for FakeHost {
    fn create_vm(&self, vm: &VmId, config: &VmConfig) -> Result<(), Error> {
        let mut inner = self.call("create_vm", vm)?;
        let disks = config.disks.iter().map(|(slot, disk)| (*slot, disk.host_path.clone()));
        let shares = config.shares.iter().map(|share| (share.name.clone(), share.path.clone()));
        let devices = config.devices.iter().map(|d| (d.channel, d.instance_id.clone()));
        let created = FakeVm {
            disks: disks.collect(),
            shares: shares.collect(),
            devices: devices.collect(),
            document: config.document.clone(),
            ..FakeVm::default()
        };
        insert(&mut inner.world.vms, vm.clone(), created)?;
        inner.world.prepared_disks.retain(|(owner, _), _| owner != vm);
        Ok(())
    }

    fn start_vm(&self, vm: &VmId, start: VmStart) -> Result<(), Error> {
        let how = match start {
            VmStart::Boot => "boot".to_owned(),
            VmStart::Migrated { next_port, next_call_id } => {
                format!("migrated, ports from {next_port}, calls from {next_call_id}")
            }
        };
        self.call("start_vm", format_args!("{vm} ({how})"))?.vm(vm)?.started = true;
        Ok(())
    }

    fn compat_info(&self, vm: &VmId) -> Result<Vec<u8>, Error> {
        self.call("compat_info", vm)?.vm(vm)?;
        Ok(b"fake hypervisor 1".to_vec())
    }

    fn pause_vm(&self, vm: &VmId) -> Result<(), Error> {
        self.call("pause_vm", vm)?.vm(vm)?.paused = true;
        Ok(())
    }

    fn unpause_vm(&self, vm: &VmId) -> Result<(), Error> {
        self.call("unpause_vm", vm)?.vm(vm)?.paused = false;
        Ok(())
    }

    fn release_vm(&self, vm: &VmId) -> Result<(), Error> {
        self.call("release_vm", vm)?.forget(vm);
        Ok(())
    }

    fn terminate_vm(&self, vm: &VmId) -> Result<(), Error> {
        self.call("terminate_vm", vm)?.forget(vm);
        Ok(())
    }
}

impl DiskHost for FakeHost {
    fn grant_access(&self, vm: &VmId, path: &Path) -> Result<(), Error> {
        let mut inner = self.call("grant_access", path.display())?;
        inner.world.access.insert((vm.clone(), path.to_owned()));
        Ok(())
    }

    fn revoke_access(&self, vm: &VmId, path: &Path) -> Result<(), Error> {
        let mut inner = self.call("revoke_access", path.display())?;
        inner.world.access.remove(&(vm.clone(), path.to_owned()));
        Ok(())
    }

    fn prepare_disk(&self, vm: &VmId, slot: Slot, disk: &DiskConfig) -> Result<(), Error> {
        let mut inner = self.call("prepare_disk", slot)?;
        inner.world.prepared_disks.insert((vm.clone(), slot), disk.host_path.clone());
        Ok(())
    }

    fn discard_disks(&self, vm: &VmId) -> Result<(), Error> {
        let mut inner = self.call("discard_disks", vm)?;
        inner.world.prepared_disks.retain(|(owner, _), _| owner != vm);
        Ok(())
    }

    fn attach_disk(&self, vm: &VmId, slot: Slot, disk: &DiskConfig) -> Result<(), Error> {
        let mut inner = self.call("attach_disk", slot)?;
        insert(&mut inner.vm(vm)?.disks, slot, disk.host_path.clone())
    }

    fn eject_disk(&self, vm: &VmId, slot: Slot) -> Result<(), Error> {
        self.call("eject_disk", slot)?.vm(vm).map(|_| ())
    }

    fn detach_disk(&self, vm: &VmId, slot: Slot) -> Result<(), Error> {
        self.call("detach_disk", slot)?.vm(vm)?.disks.remove(&slot);
        Ok(())
    }

    fn mount_disk(
        &self,
        vm: &VmId,
        slot: Slot,
        partition: u64,
        _: &MountConfig,
        guest_path: &str,
    ) -> Result<(), Error> {
        let mut inner = self.call("mount_disk", format_args!("{slot}/{partition}"))?;
        inner.vm(vm)?.mounts.insert(guest_path.to_owned());
        Ok(())
    }

    fn unmount_disk(&self, vm: &VmId, guest_path: &str) -> Result<(), Error> {
        self.call("unmount_disk", guest_path)?.vm(vm)?.mounts.remove(guest_path);
        Ok(())
    }
}

impl DeviceHost for FakeHost {
    fn check_device(&self, instance_id: &str) -> Result<(), Error> {
        self.call("check_device", instance_id).map(|_| ())
    }

    fn assign_device(&self, vm: &VmId, device: &AssignedDevice) -> Result<(), Error> {
        let mut inner = self.call("assign_device", &device.instance_id)?;
        insert(&mut inner.vm(vm)?.devices, device.channel, device.instance_id.clone())
    }

    fn wait_for_device(&self, vm: &VmId, channel: Uuid) -> Result<(), Error> {
        self.call("wait_for_device", channel)?.vm(vm).map(|_| ())
    }

    fn remove_device(&self, vm: &VmId, channel: Uuid) -> Result<(), Error> {
        self.call("remove_device", channel)?.vm(vm)?.devices.remove(&channel);
        Ok(())
    }
}

impl ShareHost for FakeHost {
    fn check_folder(&self, path: &Path) -> Result<(), Error> {
        self.call("check_folder", path.display()).map(|_| ())
    }

    fn add_share(&self, vm: &VmId, share: &SharedFolder) -> Result<(), Error> {
        let mut inner = self.call("add_share", share.path.display())?;
        insert(&mut inner.vm(vm)?.shares, share.name.clone(), share.path.clone())
    }

    fn remove_share(&self, vm: &VmId, name: &str) -> Result<(), Error> {
        self.call("remove_share", name)?.vm(vm)?.shares.remove(name);
        Ok(())
    }

    fn mount_share(&self, vm: &VmId, name: &str, guest_path: &str, _: bool) -> Result<(), Error> {
        let mut inner = self.call("mount_share", name)?;
        inner.vm(vm)?.mounts.insert(guest_path.to_owned());
        Ok(())
    }

    fn unmount_share(&self, vm: &VmId, guest_path: &str) -> Result<(), Error> {
        self.call("unmount_share", guest_path)?.vm(vm)?.mounts.remove(guest_path);
        Ok(())
    }
}

impl NetworkHost for FakeHost {
    /// Returns the one endpoint of every namespace, `NAMESPACE-eth0`.
    fn endpoints(&self, namespace: &NamespaceId) -> Result<Vec<Endpoint>, Error> {
        drop(self.call("endpoints", namespace)?);
        Ok(vec![Endpoint {
            endpoint_id: EndpointId::from(format!("{namespace}-endpoint")),
            mac_address: MacAddress::from("00-15-5D-00-00-01"),
            endpoint_name: format!("{namespace}-eth0"),
        }])
    }

    fn add_nic(
        &self,
        vm: &VmId,
        nic: &NicId,
        endpoint: &Endpoint,
        _: Option<&NamespaceId>,
    ) -> Result<(), Error> {
        let mut inner = self.call("add_nic", &endpoint.endpoint_id)?;
        insert(&mut inner.vm(vm)?.nics, nic.clone(), endpoint.endpoint_id.clone())
    }

    fn remove_nic(&self, vm: &VmId, nic: &NicId) -> Result<(), Error> {
        self.call("remove_nic", nic)?.vm(vm)?.nics.remove(nic);
        Ok(())
    }
}
