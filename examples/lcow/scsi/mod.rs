//! The VM's SCSI bus: disks, their mounts in the guest, and the reservations that hold them.
//!
//! | operation | disk | mount |
//! |---|---|---|
//! | [`Scsi::reserve`] | a slot is taken: `Reserved` | `Reserved`, or held once more |
//! | [`Scsi::map_to_guest`] | `Attached` | `Mounted` |
//! | [`Scsi::unmap_from_guest`], last holder | `Ejected`, `Detached`, the slot is free | `Unmounted`, gone |

mod check;
mod disk;
mod mount;
mod operations;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use snapshot_core::{Context, Controller, Error, Gate, Snapshot};
use snapshot_proto::lcow::v1 as pb;
use uuid::Uuid;

pub use disk::{Disk, DiskConfig, DiskKind, DiskStage, LUNS, MAX_CONTROLLERS, Slot};
pub use mount::{Mount, MountConfig, MountStage, Reservation};

use super::host::Binding;
use super::lock;
use super::plan::PatchPlan;
use super::vm::Vm;

/// The SCSI controller's state.
#[derive(Debug, Default, Snapshot)]
#[snapshot(message = pb::ScsiSnapshot, version = 1, controller = Scsi)]
pub struct ScsiState {
    /// The number of SCSI controllers in the VM, each with [`LUNS`] slots.
    #[snapshot(range = 0..=MAX_CONTROLLERS)]
    pub num_controllers: u8,
    /// The disks. An empty slot has no entry, so memory is never allocated by the number of slots.
    #[snapshot(defines = "scsi.disk")]
    pub disks: BTreeMap<Slot, Disk>,
    /// The mount that each reservation holds. Containers refer to these ids.
    #[snapshot(defines = "scsi.reservation")]
    pub reservations: HashMap<Uuid, Reservation>,
    /// Closed from the freeze to the thaw, and from the import to the resume.
    #[snapshot(skip)]
    pub(super) gate: Gate,
    #[snapshot(skip)]
    pub(super) binding: Option<Binding>,
    /// The slots whose path a container's patch has set, so that two containers cannot set
    /// different paths for one disk.
    #[snapshot(skip)]
    pub(super) placed: HashMap<Slot, PathBuf>,
    /// The paths to which the new VM has access; an abort revokes it.
    #[snapshot(skip)]
    pub(super) granted: Vec<PathBuf>,
}

impl ScsiState {
    /// Checks that disks, mounts and reservations are consistent, whatever their stages.
    pub(super) fn check_consistency(&self) -> Result<(), Error> {
        check::consistency(self)
    }
}

/// The SCSI controller.
#[derive(Debug)]
pub struct Scsi {
    state: Mutex<ScsiState>,
}

impl Scsi {
    /// Creates the bus of a VM that does not exist yet.
    ///
    /// # Errors
    ///
    /// More than [`MAX_CONTROLLERS`] controllers.
    pub fn new(num_controllers: u8) -> Result<Self, Error> {
        if num_controllers > MAX_CONTROLLERS {
            return Err(Error::invalid(format!(
                "a VM has at most {MAX_CONTROLLERS} SCSI controllers, not {num_controllers}"
            )));
        }
        Ok(Self::from_state(ScsiState { num_controllers, ..ScsiState::default() }))
    }

    pub(super) fn from_state(state: ScsiState) -> Self {
        Self { state: Mutex::new(state) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ScsiState> {
        lock(&self.state)
    }

    /// Returns the disks that a VM must have from the start: those without mounts.
    pub(super) fn boot_disks(&self) -> Vec<(Slot, DiskConfig)> {
        let state = self.lock();
        let boot = state.disks.iter().filter(|(_, disk)| disk.mounts.is_empty());
        boot.map(|(&slot, disk)| (slot, disk.config.clone())).collect()
    }

    /// Records that the VM exists, with the [`boot_disks`](Scsi::boot_disks) attached.
    pub(super) fn created(&self, binding: Binding) {
        let mut state = self.lock();
        for disk in state.disks.values_mut().filter(|disk| disk.mounts.is_empty()) {
            disk.stage = DiskStage::Attached;
        }
        state.binding = Some(binding);
    }

    /// Grants the destination's VM access to its disks, and returns them.
    pub(super) fn open_for(&self, binding: &Binding) -> Result<Vec<(Slot, DiskConfig)>, Error> {
        let mut state = self.lock();
        let state = &mut *state;
        let attached = state.disks.iter().filter(|(_, disk)| disk.stage == DiskStage::Attached);
        let disks: Vec<_> = attached.map(|(&slot, disk)| (slot, disk.config.clone())).collect();
        for (slot, disk) in disks.iter().filter(|(_, disk)| disk.kind.needs_access()) {
            binding
                .host
                .grant_access(&binding.vm, &disk.host_path)
                .map_err(|error| error.in_key(slot.to_string()).in_field("disks"))?;
            state.granted.push(disk.host_path.clone());
        }
        state.binding = Some(binding.clone());
        Ok(disks)
    }

    /// Revokes the access that [`open_for`](Scsi::open_for) granted, after the VM has ended.
    pub(super) fn close_for(&self, Binding { host, vm }: &Binding) -> Result<(), Error> {
        let granted = std::mem::take(&mut self.lock().granted);
        let revoked = granted.iter().map(|path| host.revoke_access(vm, path));
        Error::collect(revoked.filter_map(Result::err))
    }

    /// Sets the path on this host of the disk that a reservation holds, between import and resume.
    ///
    /// # Errors
    ///
    /// The controller is not imported, there is no such reservation, or another container has set a
    /// different path.
    pub fn update_disk_host_path(&self, reservation: Uuid, path: &Path) -> Result<(), Error> {
        let mut state = self.lock();
        let state = &mut *state;
        // Imported: the VM of this host does not exist yet.
        if !state.gate.is_closed() || state.binding.is_some() {
            return Err(Error::precondition(
                "a disk's path on the host changes only between import and resume",
            ));
        }
        let Some(&Reservation { slot, .. }) = state.reservations.get(&reservation) else {
            return Err(Error::invalid(format!("there is no SCSI reservation {reservation}")));
        };
        let Some(disk) = state.disks.get_mut(&slot) else {
            return Err(Error::invalid(format!("slot {slot} holds no disk")));
        };
        if let Some(other) = state.placed.get(&slot).filter(|other| *other != path) {
            return Err(Error::invalid(format!(
                "disk {slot} is {} for one container and {} for another: give it one path",
                other.display(),
                path.display()
            )));
        }
        state.placed.insert(slot, path.to_owned());
        disk.config.host_path = path.to_owned();
        Ok(())
    }
}

impl Controller for Scsi {
    type State = ScsiState;

    fn state(&self) -> impl std::ops::DerefMut<Target = ScsiState> + '_ {
        self.lock()
    }

    fn import(mut state: ScsiState) -> Result<Self, Error> {
        check::check(&state)?;
        state.gate = Gate::closed();
        Ok(Self::from_state(state))
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
        check::check(&self.lock())
    }

    async fn thaw(&self, cx: &Context) -> Result<(), Error> {
        if let Some(vm) = cx.find::<Vm>()? {
            vm.allow_operations();
        }
        self.lock().gate.open();
        Ok(())
    }

    /// Sets the path on this host of every disk in the plan. The containers, which come after, set
    /// those of their layers.
    async fn patch(&self, cx: &Context) -> Result<(), Error> {
        let plan = cx.resource::<PatchPlan>()?;
        for disk in self.lock().disks.values_mut() {
            disk.config.host_path = plan.disk(&disk.config.host_path);
        }
        Ok(())
    }

    async fn resume(&self, _: &Context) -> Result<(), Error> {
        let mut state = self.lock();
        state.gate.open();
        state.placed = HashMap::new();
        state.granted = Vec::new();
        Ok(())
    }

    /// Releases the disks: they end with the VM, and so does its access to them.
    async fn abort(&self, _: &Context) -> Result<(), Error> {
        let closed = self.lock().gate.close();
        closed.await;
        Ok(())
    }
}
