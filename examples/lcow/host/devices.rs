//! A VM's devices: disks, PCI devices, shares, network adapters.

use std::path::{Path, PathBuf};

use snapshot_core::Error;
use uuid::Uuid;

use crate::lcow::ids::{NamespaceId, NicId, VmId};
use crate::lcow::network::Endpoint;
use crate::lcow::plan9::ShareConfig;
use crate::lcow::scsi::{DiskConfig, MountConfig, Slot};

/// The VM's SCSI bus, and the guest's mounts on it.
pub trait DiskHost: Send + Sync {
    /// Grants the VM access to the image or device.
    ///
    /// # Errors
    ///
    /// It does not exist, or may not be opened.
    fn grant_access(&self, vm: &VmId, path: &Path) -> Result<(), Error>;

    /// Revokes the access from [`grant_access`](DiskHost::grant_access).
    ///
    /// # Errors
    ///
    /// The host refuses.
    fn revoke_access(&self, vm: &VmId, path: &Path) -> Result<(), Error>;

    /// Opens a disk for a VM that comes to this host and still runs on another one. Nothing is
    /// taken from that one: the disk is locked and attached when the VM is created here. A second
    /// call for a slot replaces the first one.
    ///
    /// # Errors
    ///
    /// The disk cannot be opened.
    fn prepare_disk(&self, vm: &VmId, slot: Slot, disk: &DiskConfig) -> Result<(), Error>;

    /// Closes the disks from [`prepare_disk`](DiskHost::prepare_disk) that were not attached.
    ///
    /// # Errors
    ///
    /// The host refuses.
    fn discard_disks(&self, vm: &VmId) -> Result<(), Error>;

    /// Attaches a disk.
    ///
    /// # Errors
    ///
    /// The slot is taken, or the disk cannot be opened.
    fn attach_disk(&self, vm: &VmId, slot: Slot, disk: &DiskConfig) -> Result<(), Error>;

    /// Ejects the disk in the guest, so that nothing there uses it.
    ///
    /// # Errors
    ///
    /// The guest refuses.
    fn eject_disk(&self, vm: &VmId, slot: Slot) -> Result<(), Error>;

    /// Removes a disk from the VM.
    ///
    /// # Errors
    ///
    /// The hypervisor refuses.
    fn detach_disk(&self, vm: &VmId, slot: Slot) -> Result<(), Error>;

    /// Mounts a partition (0 is the whole disk) at `guest_path` in the guest.
    ///
    /// # Errors
    ///
    /// The guest cannot mount it.
    fn mount_disk(
        &self,
        vm: &VmId,
        slot: Slot,
        partition: u64,
        mount: &MountConfig,
        guest_path: &str,
    ) -> Result<(), Error>;

    /// Undoes `mount_disk` at a path.
    ///
    /// # Errors
    ///
    /// It is in use.
    fn unmount_disk(&self, vm: &VmId, guest_path: &str) -> Result<(), Error>;
}

/// A device of this host that is assigned to a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignedDevice {
    /// Its VMBus channel, by which the guest identifies it.
    pub channel: Uuid,
    /// The device's instance id on this host.
    pub instance_id: String,
    /// Its virtual function; 0 is the physical function.
    pub function: u32,
}

/// The VM's virtual PCI bus.
pub trait DeviceHost: Send + Sync {
    /// Checks that a device can be assigned to a VM of this host.
    ///
    /// # Errors
    ///
    /// There is no such device, or it is in use.
    fn check_device(&self, instance_id: &str) -> Result<(), Error>;

    /// Assigns a device to a running VM.
    ///
    /// # Errors
    ///
    /// There is no such device, or it is in use.
    fn assign_device(&self, vm: &VmId, device: &AssignedDevice) -> Result<(), Error>;

    /// Waits until the guest can use the device.
    ///
    /// # Errors
    ///
    /// The guest has no driver for it, or did not answer.
    fn wait_for_device(&self, vm: &VmId, channel: Uuid) -> Result<(), Error>;

    /// Removes a device from the VM.
    ///
    /// # Errors
    ///
    /// The hypervisor refuses.
    fn remove_device(&self, vm: &VmId, channel: Uuid) -> Result<(), Error>;
}

/// A folder of this host, as a share of a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedFolder {
    /// The share's name on the VM.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
    /// Its configuration.
    pub config: ShareConfig,
}

/// Plan 9 shares, and the guest's mounts of them.
pub trait ShareHost: Send + Sync {
    /// Checks that a folder can be shared.
    ///
    /// # Errors
    ///
    /// There is no such folder.
    fn check_folder(&self, path: &Path) -> Result<(), Error>;

    /// Shares a folder of this host with a running VM.
    ///
    /// # Errors
    ///
    /// There is no such folder, or the name is taken.
    fn add_share(&self, vm: &VmId, share: &SharedFolder) -> Result<(), Error>;

    /// Removes a share from the VM.
    ///
    /// # Errors
    ///
    /// The hypervisor refuses.
    fn remove_share(&self, vm: &VmId, name: &str) -> Result<(), Error>;

    /// Mounts a share at `guest_path` in the guest.
    ///
    /// # Errors
    ///
    /// The guest cannot mount it.
    fn mount_share(
        &self,
        vm: &VmId,
        name: &str,
        guest_path: &str,
        read_only: bool,
    ) -> Result<(), Error>;

    /// Undoes `mount_share` at a path.
    ///
    /// # Errors
    ///
    /// It is in use.
    fn unmount_share(&self, vm: &VmId, guest_path: &str) -> Result<(), Error>;
}

/// Network namespaces, and the VM's network adapters.
pub trait NetworkHost: Send + Sync {
    /// Returns the endpoints in a namespace of this host.
    ///
    /// # Errors
    ///
    /// There is no such namespace.
    fn endpoints(&self, namespace: &NamespaceId) -> Result<Vec<Endpoint>, Error>;

    /// Plugs an endpoint into the VM behind adapter `nic`, and sets it up in the guest. If the
    /// guest supports namespaces (`namespace`), the endpoint is in the pod's namespace there;
    /// otherwise all pods share it.
    ///
    /// # Errors
    ///
    /// The endpoint is in use, or the guest cannot set it up.
    fn add_nic(
        &self,
        vm: &VmId,
        nic: &NicId,
        endpoint: &Endpoint,
        namespace: Option<&NamespaceId>,
    ) -> Result<(), Error>;

    /// Removes an adapter from the guest and the VM.
    ///
    /// # Errors
    ///
    /// The guest or the hypervisor refuses.
    fn remove_nic(&self, vm: &VmId, nic: &NicId) -> Result<(), Error>;
}
