//! The VM's virtual PCI bus: the host's devices that are assigned to the guest.
//!
//! hcsshim refuses to save while a device is assigned, since its payload has no field for devices.
//! This payload has one, so a device moves if the destination's plan names a device that replaces
//! it, or if the destination has one with the same instance id.

use std::collections::HashMap;
use std::ops::DerefMut;
use std::sync::{Mutex, MutexGuard};

use snapshot_core::{Context, Controller, Error, Gate, Snapshot, refresh};
use snapshot_proto::lcow::v1 as pb;
use uuid::Uuid;

use super::host::{AssignedDevice, Binding, Host};
use super::lock;
use super::migration::enter;
use super::plan::PatchPlan;
use super::vm::Vm;

/// The stage of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(stage = pb::vpci_snapshot::DeviceStage)]
pub enum DeviceStage {
    /// Planned: not yet assigned to the VM.
    #[default]
    Reserved,
    /// Assigned, but the guest has not confirmed it yet.
    Assigned,
    /// Assigned, and usable in the guest.
    Ready,
    /// Assigned, but the guest failed to use it: only removal is possible.
    AssignedInvalid,
    /// Removed from the VM.
    Removed,
}

/// One assigned device.
#[derive(Clone, Debug, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::vpci_snapshot::DeviceState)]
pub struct Device {
    /// The device's instance id on the host.
    pub device_instance_id: String,
    /// The virtual function of the device; 0 is the physical function.
    pub virtual_function_index: u32,
    /// Its stage.
    #[snapshot(stage, field = state)]
    pub stage: DeviceStage,
    /// The number of times that it is held.
    pub ref_count: u32,
}

/// The virtual PCI controller's state.
#[derive(Debug, Default, Snapshot)]
#[snapshot(message = pb::VpciSnapshot, version = 1, controller = Vpci)]
pub struct VpciState {
    /// The devices by VMBus channel. Containers refer to the channels.
    #[snapshot(defines = "vpci.device")]
    pub devices: HashMap<Uuid, Device>,
    /// Closed from the freeze to the thaw, and from the import to the resume.
    #[snapshot(skip)]
    pub(super) gate: Gate,
    #[snapshot(skip)]
    pub(super) binding: Option<Binding>,
}

/// The virtual PCI controller.
#[derive(Debug, Default)]
pub struct Vpci {
    state: Mutex<VpciState>,
}

impl Vpci {
    /// Creates the bus of a VM that does not exist yet.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, VpciState> {
        lock(&self.state)
    }

    pub(super) fn bind(&self, binding: Binding) {
        self.lock().binding = Some(binding);
    }

    /// Returns the devices of the VM.
    pub(super) fn assigned(&self) -> Vec<AssignedDevice> {
        let state = self.lock();
        let ready = state.devices.iter().filter(|(_, device)| device.stage == DeviceStage::Ready);
        let mut devices: Vec<_> =
            ready.map(|(&channel, device)| device.assigned(channel)).collect();
        devices.sort_by_key(|device| device.channel);
        devices
    }

    /// Assigns a device to the VM, or holds it once more if it is assigned already. Returns its
    /// VMBus channel.
    ///
    /// # Errors
    ///
    /// The controller is migrating, the VM does not exist, the host refuses, or the guest cannot
    /// use the device. In the last case it stays as `AssignedInvalid` if it cannot be removed
    /// again.
    pub fn assign(&self, instance_id: &str, function: u32) -> Result<Uuid, Error> {
        let mut state = self.lock();
        let _inside = enter(&state.gate, || "the virtual PCI controller".to_owned())?;
        let Binding { host, vm } = state.bound()?;
        let is_it = |device: &Device| {
            device.device_instance_id == instance_id && device.virtual_function_index == function
        };
        if let Some((&channel, device)) = state.devices.iter_mut().find(|(_, device)| is_it(device))
        {
            if device.stage != DeviceStage::Ready {
                return Err(Error::precondition(format!(
                    "device {instance_id} is {:?}: remove it before you assign it again",
                    device.stage
                )));
            }
            device.ref_count = device.ref_count.checked_add(1).ok_or_else(|| {
                Error::precondition(format!("device {instance_id} cannot be held once more"))
            })?;
            return Ok(channel);
        }
        let channel = Uuid::new_v4();
        let mut device = Device {
            device_instance_id: instance_id.to_owned(),
            virtual_function_index: function,
            stage: DeviceStage::Reserved,
            ref_count: 1,
        };
        host.assign_device(&vm, &device.assigned(channel))?;
        if let Err(error) = host.wait_for_device(&vm, channel) {
            return match host.remove_device(&vm, channel) {
                Ok(()) => Err(error),
                Err(undo) => {
                    device.stage = DeviceStage::AssignedInvalid;
                    state.devices.insert(channel, device);
                    Err(error.and(undo))
                }
            };
        }
        device.stage = DeviceStage::Ready;
        state.devices.insert(channel, device);
        Ok(channel)
    }

    /// Releases a device. The last holder removes it from the VM.
    ///
    /// # Errors
    ///
    /// The controller is migrating, there is no such device, or the host refuses: the device then
    /// stays as it was.
    pub fn remove(&self, channel: Uuid) -> Result<(), Error> {
        let mut state = self.lock();
        let _inside = enter(&state.gate, || "the virtual PCI controller".to_owned())?;
        let Binding { host, vm } = state.bound()?;
        let Some(device) = state.devices.get_mut(&channel) else {
            return Err(Error::invalid(format!("there is no device on channel {channel}")));
        };
        if device.ref_count > 1 {
            device.ref_count -= 1;
            return Ok(());
        }
        host.remove_device(&vm, channel)?;
        state.devices.remove(&channel);
        Ok(())
    }
}

impl Device {
    fn assigned(&self, channel: Uuid) -> AssignedDevice {
        AssignedDevice {
            channel,
            instance_id: self.device_instance_id.clone(),
            function: self.virtual_function_index,
        }
    }
}

impl VpciState {
    fn bound(&self) -> Result<Binding, Error> {
        self.binding
            .clone()
            .ok_or_else(|| Error::precondition("the VM does not exist yet: create it first"))
    }

    /// Refuses to move a device that is neither planned nor in use.
    fn check(&self) -> Result<(), Error> {
        let in_between = self.devices.iter().filter(|(_, device)| {
            !matches!(device.stage, DeviceStage::Reserved | DeviceStage::Ready)
        });
        Error::collect(in_between.map(|(channel, device)| {
            Error::precondition(format!(
                "is {:?}: only a Reserved or Ready device can move: remove it first",
                device.stage
            ))
            .in_key(channel.to_string())
            .in_field("devices")
        }))
    }
}

impl Controller for Vpci {
    type State = VpciState;

    fn state(&self) -> impl DerefMut<Target = VpciState> + '_ {
        self.lock()
    }

    fn import(mut state: VpciState) -> Result<Self, Error> {
        state.check()?;
        state.gate = Gate::closed();
        Ok(Self { state: Mutex::new(state) })
    }

    async fn freeze(&self, cx: &Context) -> Result<(), Error> {
        let vm = cx.find::<Vm>()?;
        if let Some(vm) = &vm {
            vm.end_operations().await;
        }
        let closed = self.lock().gate.close();
        closed.await;
        // From here on this device refuses each of them.
        if let Some(vm) = &vm {
            vm.allow_operations();
        }
        self.lock().check()
    }

    async fn thaw(&self, cx: &Context) -> Result<(), Error> {
        if let Some(vm) = cx.find::<Vm>()? {
            vm.allow_operations();
        }
        self.lock().gate.open();
        Ok(())
    }

    fn refresh(&self, state: &mut VpciState, later: VpciState) -> Result<(), Error> {
        later.check()?;
        refresh(state, later);
        Ok(())
    }

    /// Checks the devices of this host, so that a missing one is found before the freeze.
    async fn prepare(&self, cx: &Context) -> Result<(), Error> {
        let plan = cx.resource::<PatchPlan>()?;
        let host = cx.resource::<Host>()?;
        let state = self.lock();
        let checked = state.devices.iter().map(|(channel, device)| {
            host.check_device(&plan.device(&device.device_instance_id))
                .map_err(|error| error.in_key(channel.to_string()).in_field("devices"))
        });
        Error::collect(checked.filter_map(Result::err))
    }

    async fn patch(&self, cx: &Context) -> Result<(), Error> {
        let plan = cx.resource::<PatchPlan>()?;
        let host = cx.resource::<Host>()?;
        for (channel, device) in &mut self.lock().devices {
            let here = plan.device(&device.device_instance_id);
            host.check_device(&here)
                .map_err(|error| error.in_key(channel.to_string()).in_field("devices"))?;
            device.device_instance_id = here;
        }
        Ok(())
    }

    async fn resume(&self, _: &Context) -> Result<(), Error> {
        self.lock().gate.open();
        Ok(())
    }

    /// Does nothing to the devices: they end with the VM.
    async fn abort(&self, _: &Context) -> Result<(), Error> {
        let closed = self.lock().gate.close();
        closed.await;
        Ok(())
    }
}
