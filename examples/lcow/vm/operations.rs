//! The operations of a shim on a VM outside of a migration.

use std::num::{NonZeroI64, NonZeroU32};

use snapshot_core::Error;

use super::{Vm, VmStage};
use crate::lcow::host::{Binding, VmStart};

impl Vm {
    /// Creates the compute system, with the disks that it boots from.
    ///
    /// # Errors
    ///
    /// It exists already, the VM is migrating, or the host refuses.
    pub fn create(&self) -> Result<(), Error> {
        let mut state = self.lock();
        let _inside = state.enter()?;
        state.expect(VmStage::NotCreated, "created")?;
        let binding = state.binding()?;
        let disks = state.scsi().map(|scsi| scsi.boot_disks()).unwrap_or_default();
        let config = state.config(Vec::new(), disks)?;
        binding.host.create_vm(&binding.vm, &config)?;
        if let Some(scsi) = state.scsi() {
            scsi.created(binding.clone());
        }
        state.bind_devices(&binding);
        state.stage = VmStage::Created;
        Ok(())
    }

    /// Boots the created VM.
    ///
    /// # Errors
    ///
    /// It is not `Created`, or does not start: it is `Invalid` then, and can be terminated.
    pub fn start(&self) -> Result<(), Error> {
        let mut state = self.lock();
        let _inside = state.enter()?;
        state.expect(VmStage::Created, "started")?;
        let Binding { host, vm } = state.binding()?;
        let started = host.start_vm(&vm, VmStart::Boot);
        state.stage = if started.is_ok() { VmStage::Running } else { VmStage::Invalid };
        started
    }

    /// Ends the VM with everything in it. Does nothing if it has ended already.
    ///
    /// # Errors
    ///
    /// The VM is migrating, or the host refuses: it is `Invalid` then.
    pub fn terminate(&self) -> Result<(), Error> {
        let mut state = self.lock();
        let _inside = state.enter()?;
        if matches!(state.stage, VmStage::Created | VmStage::Running | VmStage::Invalid) {
            let Binding { host, vm } = state.binding()?;
            if let Err(error) = host.terminate_vm(&vm) {
                state.stage = VmStage::Invalid;
                return Err(error);
            }
        }
        state.stage = VmStage::Terminated;
        Ok(())
    }

    /// Assigns a vsock port that no process has had.
    ///
    /// # Errors
    ///
    /// The VM does not run, is migrating, or has used up all ports.
    pub fn next_port(&self) -> Result<NonZeroU32, Error> {
        let mut state = self.lock();
        let _inside = state.enter()?;
        state.expect(VmStage::Running, "asked for a port")?;
        let port = NonZeroU32::new(state.gcs_next_port);
        match (port, state.gcs_next_port.checked_add(1)) {
            (Some(port), Some(next)) => {
                state.gcs_next_port = next;
                Ok(port)
            }
            _ => Err(Error::precondition("the VM has used up all vsock ports")),
        }
    }

    /// Assigns a message id on the bridge that no call has had.
    ///
    /// # Errors
    ///
    /// The VM does not run, is migrating, or has used up all ids.
    pub fn next_call_id(&self) -> Result<NonZeroI64, Error> {
        let mut state = self.lock();
        let _inside = state.enter()?;
        state.expect(VmStage::Running, "asked for a message id")?;
        let id = NonZeroI64::new(state.bridge_next_id);
        match (id, state.bridge_next_id.checked_add(1)) {
            (Some(id), Some(next)) => {
                state.bridge_next_id = next;
                Ok(id)
            }
            _ => Err(Error::precondition("the bridge has used up all message ids")),
        }
    }
}
