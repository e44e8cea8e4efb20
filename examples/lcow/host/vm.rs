//! The hypervisor.

use snapshot_core::Error;

use super::{AssignedDevice, SharedFolder};
use crate::lcow::ids::VmId;
use crate::lcow::scsi::{DiskConfig, Slot};

/// What a VM is created from.
#[derive(Clone, Debug, Default)]
pub struct VmConfig {
    /// The compute system document; its `VirtualMachine.Devices.Scsi` is that of `disks`.
    pub document: Option<serde_json::Value>,
    /// What the source's hypervisor wrote with [`VmHost::compat_info`]; empty for a VM that boots
    /// here.
    pub compat_info: Vec<u8>,
    /// The disks that it has from the start.
    pub disks: Vec<(Slot, DiskConfig)>,
    /// The shares that it has from the start.
    pub shares: Vec<SharedFolder>,
    /// The devices that it has from the start.
    pub devices: Vec<AssignedDevice>,
}

/// How a VM is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmStart {
    /// From its kernel.
    Boot,
    /// From what the source's VM was: the guest goes on where it stood.
    Migrated {
        /// The first vsock port that is free: those of the restored processes lie below it.
        next_port: u32,
        /// The first free message id on the bridge: the calls that wait have ids below it.
        next_call_id: i64,
    },
}

/// The hypervisor.
pub trait VmHost: Send + Sync {
    /// Creates a compute system with everything in `config` attached, without starting it.
    ///
    /// # Errors
    ///
    /// The VM exists already, something to attach is not there, or the hypervisor refuses.
    fn create_vm(&self, vm: &VmId, config: &VmConfig) -> Result<(), Error>;

    /// Starts a created VM and connects to its guest.
    ///
    /// # Errors
    ///
    /// The VM does not start, or its guest does not answer.
    fn start_vm(&self, vm: &VmId, start: VmStart) -> Result<(), Error>;

    /// What a destination's hypervisor must support to run this VM. Opaque, never empty.
    ///
    /// # Errors
    ///
    /// The hypervisor cannot tell.
    fn compat_info(&self, vm: &VmId) -> Result<Vec<u8>, Error>;

    /// Stops the VM's processors, so that its guest stands still, with everything on disk that it
    /// wrote, and gives up exclusive use of its disks: a destination may open them.
    ///
    /// # Errors
    ///
    /// The hypervisor refuses.
    fn pause_vm(&self, vm: &VmId) -> Result<(), Error>;

    /// Takes a pause back.
    ///
    /// # Errors
    ///
    /// The hypervisor refuses.
    fn unpause_vm(&self, vm: &VmId) -> Result<(), Error>;

    /// Lets go of a paused VM that runs elsewhere now: frees what this host holds for it (disks,
    /// shares, devices, adapters), and touches neither their content nor the guest.
    ///
    /// # Errors
    ///
    /// Something could not be freed.
    fn release_vm(&self, vm: &VmId) -> Result<(), Error>;

    /// Ends the VM, with everything in it.
    ///
    /// # Errors
    ///
    /// The hypervisor refuses.
    fn terminate_vm(&self, vm: &VmId) -> Result<(), Error>;
}
