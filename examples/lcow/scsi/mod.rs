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

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use snapshot_core::{Context, Controller, Error, Gate, Snapshot, refresh};
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
    pub(super) granted: BTreeSet<PathBuf>,
    /// The disks that are open for the new VM; an abort closes them.
    #[snapshot(skip)]
    pub(super) prepared: BTreeMap<Slot, DiskConfig>,
}

impl ScsiState {
    /// Returns the disk that a reservation holds.
    fn disk_of(&mut self, reservation: Uuid) -> Result<(Slot, &mut Disk), Error> {
        let Some(&Reservation { slot, .. }) = self.reservations.get(&reservation) else {
            return Err(Error::invalid(format!("there is no SCSI reservation {reservation}")));
        };
        match self.disks.get_mut(&slot) {
            Some(disk) => Ok((slot, disk)),
            None => Err(Error::invalid(format!("slot {slot} holds no disk"))),
        }
    }

    /// Returns the disks that the VM has.
    fn attached(&self) -> impl Iterator<Item = (Slot, &DiskConfig)> {
        let attached = self.disks.iter().filter(|(_, disk)| disk.stage == DiskStage::Attached);
        attached.map(|(&slot, disk)| (slot, &disk.config))
    }

    /// Grants the destination's VM access to a disk.
    fn grant(
        &mut self,
        Binding { host, vm }: &Binding,
        slot: Slot,
        disk: &DiskConfig,
    ) -> Result<(), Error> {
        if disk.kind.needs_access() && !self.granted.contains(&disk.host_path) {
            host.grant_access(vm, &disk.host_path).map_err(|error| in_disk(error, slot))?;
            self.granted.insert(disk.host_path.clone());
        }
        Ok(())
    }

    /// Grants the destination's VM access to a disk, and opens it, unless an earlier rehearsal has.
    fn prepare(&mut self, binding: &Binding, slot: Slot, disk: DiskConfig) -> Result<(), Error> {
        if self.prepared.get(&slot) == Some(&disk) {
            return Ok(());
        }
        self.grant(binding, slot, &disk)?;
        let prepared = binding.host.prepare_disk(&binding.vm, slot, &disk);
        prepared.map_err(|error| in_disk(error, slot))?;
        self.prepared.insert(slot, disk);
        Ok(())
    }

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

    /// Grants the destination's VM access to its disks, and returns them. Access that it does not
    /// need, since the source has removed a disk after the rehearsal, is revoked.
    pub(super) fn open_for(&self, binding: &Binding) -> Result<Vec<(Slot, DiskConfig)>, Error> {
        let mut state = self.lock();
        let disks: Vec<_> = state.attached().map(|(slot, disk)| (slot, disk.clone())).collect();
        for (slot, disk) in &disks {
            state.grant(binding, *slot, disk)?;
        }
        let needed: BTreeSet<&Path> =
            disks.iter().map(|(_, disk)| disk.host_path.as_path()).collect();
        let surplus = state.granted.extract_if(.., |path| !needed.contains(path.as_path()));
        let revoked = surplus.map(|path| binding.host.revoke_access(&binding.vm, &path));
        Error::collect(revoked.collect::<Vec<_>>().into_iter().filter_map(Result::err))?;
        state.binding = Some(binding.clone());
        Ok(disks)
    }

    /// Closes the disks that were opened for the destination's VM and revokes its access to them,
    /// after the VM has ended.
    pub(super) fn close_for(&self, Binding { host, vm }: &Binding) -> Result<(), Error> {
        let mut state = self.lock();
        let discarded = match std::mem::take(&mut state.prepared).is_empty() {
            true => Ok(()),
            false => host.discard_disks(vm),
        };
        let granted = std::mem::take(&mut state.granted);
        let revoked = granted.iter().map(|path| host.revoke_access(vm, path));
        Error::collect([discarded].into_iter().chain(revoked).filter_map(Result::err))
    }

    /// Opens the disk that a reservation holds, at this path, for the VM that comes to this host.
    ///
    /// # Errors
    ///
    /// There is no such reservation, or the disk cannot be opened.
    pub(super) fn prepare_layer(
        &self,
        binding: &Binding,
        reservation: Uuid,
        path: &Path,
    ) -> Result<(), Error> {
        let mut state = self.lock();
        let (slot, disk) = state.disk_of(reservation)?;
        if disk.stage != DiskStage::Attached {
            return Ok(());
        }
        let disk = DiskConfig { host_path: path.to_owned(), ..disk.config.clone() };
        state.prepare(binding, slot, disk)
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
        let slot = state.disk_of(reservation)?.0;
        if let Some(other) = state.placed.get(&slot).filter(|other| *other != path) {
            return Err(Error::invalid(format!(
                "disk {slot} is {} for one container and {} for another: give it one path",
                other.display(),
                path.display()
            )));
        }
        state.placed.insert(slot, path.to_owned());
        state.disk_of(reservation)?.1.config.host_path = path.to_owned();
        Ok(())
    }
}

/// Adds the disk in this slot to the path of an error.
fn in_disk(error: Error, slot: Slot) -> Error {
    error.in_key(slot.to_string()).in_field("disks")
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

    fn refresh(&self, state: &mut ScsiState, later: ScsiState) -> Result<(), Error> {
        check::check(&later)?;
        refresh(state, later);
        Ok(())
    }

    /// Opens every disk in the plan. The containers, which come after, open those of their layers.
    async fn prepare(&self, cx: &Context) -> Result<(), Error> {
        let plan = cx.resource::<PatchPlan>()?;
        let binding = cx.controller::<Vm>()?.binding()?;
        let mut state = self.lock();
        let planned = state.attached().filter_map(|(slot, disk)| {
            let host_path = plan.planned_disk(&disk.host_path)?.into_owned();
            Some((slot, DiskConfig { host_path, ..disk.clone() }))
        });
        for (slot, disk) in planned.collect::<Vec<_>>() {
            state.prepare(&binding, slot, disk)?;
        }
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
        // Kept with the VM from here on.
        state.granted = BTreeSet::new();
        state.prepared = BTreeMap::new();
        Ok(())
    }

    /// Releases the disks: they end with the VM, and so does its access to them.
    async fn abort(&self, _: &Context) -> Result<(), Error> {
        let closed = self.lock().gate.close();
        closed.await;
        Ok(())
    }
}
