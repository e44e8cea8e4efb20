//! The hypervisor.

use snapshot_core::Error;

use super::{AssignedDevice, SharedFolder};
use crate::lcow::ids::VmId;
use crate::lcow::scsi::{DiskConfig, Slot};

/// The configuration of a new VM.
#[derive(Clone, Debug, Default)]
pub struct VmConfig {
    /// The compute system document; its `VirtualMachine.Devices.Scsi` is that of `disks`.
    pub document: Option<serde_json::Value>,
    /// The result of [`VmHost::compat_info`] at the source; empty for a VM that boots here.
    pub compat_info: Vec<u8>,
    /// The disks that it has from the start.
    pub disks: Vec<(Slot, DiskConfig)>,
    /// The shares that it has from the start.
    pub shares: Vec<SharedFolder>,
    /// The devices that it has from the start.
    pub devices: Vec<AssignedDevice>,
}

/// The way in which a VM is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmStart {
    /// From its kernel.
    Boot,
    /// From the state of the source's VM: the guest continues where it stopped.
    Migrated {
        /// The first free vsock port: those of the restored processes are lower.
        next_port: u32,
        /// The first free message id on the bridge: waiting calls have lower ids.
        next_call_id: i64,
    },
}

/// The hypervisor.
pub trait VmHost: Send + Sync {
    /// Creates a compute system with everything in `config` attached, without starting it.
    ///
    /// # Errors
    ///
    /// The VM exists already, something to attach does not exist, or the hypervisor refuses.
    fn create_vm(&self, vm: &VmId, config: &VmConfig) -> Result<(), Error>;

    /// Starts a created VM and connects to its guest.
    ///
    /// # Errors
    ///
    /// The VM does not start, or its guest does not answer.
    fn start_vm(&self, vm: &VmId, start: VmStart) -> Result<(), Error>;

    /// Returns the features that a destination's hypervisor must support to run this VM. Opaque,
    /// never empty.
    ///
    /// # Errors
    ///
    /// The hypervisor does not provide them.
    fn compat_info(&self, vm: &VmId) -> Result<Vec<u8>, Error>;

    /// Stops the VM's processors, flushes all writes of its guest to the disks, and gives up
    /// exclusive use of the disks, so that a destination may open them.
    ///
    /// # Errors
    ///
    /// The hypervisor refuses.
    fn pause_vm(&self, vm: &VmId) -> Result<(), Error>;

    /// Undoes a pause.
    ///
    /// # Errors
    ///
    /// The hypervisor refuses.
    fn unpause_vm(&self, vm: &VmId) -> Result<(), Error>;

    /// Releases a paused VM that now runs on another host: frees its disks, shares, devices and
    /// adapters on this host, and changes neither their content nor the guest.
    ///
    /// # Errors
    ///
    /// A resource could not be freed.
    fn release_vm(&self, vm: &VmId) -> Result<(), Error>;

    /// Ends the VM, with everything in it.
    ///
    /// # Errors
    ///
    /// The hypervisor refuses.
    fn terminate_vm(&self, vm: &VmId) -> Result<(), Error>;
}
