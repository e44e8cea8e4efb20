//! One Linux container: its layers, the devices of the VM that it holds, and its processes.

mod operations;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::DerefMut;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use snapshot_core::{Child, Context, Controller, Error, Gate, Inside, Snapshot, refresh};
use snapshot_proto::lcow::v1::{self as pb, container_snapshot};
use uuid::Uuid;

use super::ids::{ContainerId, ExecId, GcsId};
use super::lock;
use super::migration::enter;
use super::network::Network;
use super::plan::{LayerPaths, PatchPlan};
use super::plan9::{Plan9, ShareConfig};
use super::process::{NewProcess, Process, ProcessStage};
use super::scsi::{DiskConfig, MountConfig, Scsi};
use super::vm::Vm;
use super::vpci::Vpci;

/// The stage of a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(stage = container_snapshot::Stage)]
pub enum ContainerStage {
    /// Only its id is known.
    #[default]
    NotCreated,
    /// Created in the guest; the init process has not been started.
    Created,
    /// The init process runs.
    Running,
    /// The init process has exited.
    Stopped,
    /// Failed: only cleanup is possible.
    Invalid,
    /// In a migration. Other programs wrote this stage while they migrated. This one writes the
    /// stage from before the freeze, and refuses to import this one.
    Migrating,
    /// Imported, but not resumed yet.
    #[snapshot(transient)]
    DestinationMigrating,
    /// Frozen.
    #[snapshot(transient)]
    SourceMigrating,
}

/// The layers of a root file system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = container_snapshot::Layers)]
pub struct Layers {
    /// The read-only layers, in the order in which the guest combines them.
    pub ro_layers: Vec<Layer>,
    /// The writable layer; `None` for a root file system that cannot be written.
    pub scratch: Option<Layer>,
    /// Whether the guest has combined the layers at `rootfs_path`.
    pub layers_combined: bool,
    /// The path of the root file system in the guest.
    pub rootfs_path: String,
}

/// One layer, mounted in the guest.
#[derive(Clone, Debug, PartialEq, Eq, Snapshot)]
#[snapshot(message = container_snapshot::LayerReservation)]
pub struct Layer {
    /// The SCSI reservation of its mount.
    #[snapshot(refers = "scsi.reservation")]
    pub reservation_id: Uuid,
    /// The path in the guest where it is mounted.
    pub guest_path: String,
}

/// A container's state.
#[derive(Debug, Default, Snapshot)]
#[snapshot(
    message = pb::ContainerSnapshot,
    version = 1,
    controller = Container,
    after(Scsi, Vpci, Plan9, Network),
    save_from(Running),
    freeze_to = SourceMigrating,
    import_as = DestinationMigrating,
    abort_to = Stopped,
    validate = ContainerState::check_ids
)]
pub struct ContainerState {
    /// Its id on the host; the destination may assign another one.
    #[snapshot(id, defines = "container")]
    pub container_id: ContainerId,
    /// Its id inside the guest, which never changes.
    pub gcs_container_id: GcsId,
    /// Its stage.
    #[snapshot(stage, field = state)]
    pub stage: ContainerStage,
    /// The time during which a lost IO connection of a process is retried.
    pub io_retry_timeout: Option<Duration>,
    /// Its root file system; `None` if it has none of its own.
    pub layers: Option<Layers>,
    /// The SCSI reservations of its mounts other than the layers.
    #[snapshot(refers = "scsi.reservation")]
    pub scsi_reservation_ids: Vec<Uuid>,
    /// The Plan 9 reservations of its shares, each once. A list keeps the order of its producer.
    #[snapshot(refers = "plan9.reservation")]
    pub plan9_reservation_ids: Vec<Uuid>,
    /// The VMBus channels of its devices, each once. A list keeps the order of its producer.
    #[snapshot(refers = "vpci.device")]
    pub vpci_vmbus_guids: Vec<Uuid>,
    /// Its processes; the init process has the empty id.
    pub processes: BTreeMap<ExecId, Child<Process>>,
    /// The parameters of its creation, which is still to come.
    #[snapshot(skip)]
    pub(super) new: Option<NewContainer>,
    #[snapshot(skip)]
    pub(super) vm: Option<Arc<Vm>>,
    /// Closed from the freeze to the thaw, and from the import to the resume.
    #[snapshot(skip)]
    pub(super) gate: Gate,
    /// Its id in the plan, once the patch has changed its id.
    #[snapshot(skip)]
    pub(super) source_id: Option<ContainerId>,
}

impl ContainerState {
    /// Refuses a share or a device that is held twice, since it would be released twice.
    fn check_ids(&self) -> Result<(), Error> {
        let lists = [
            ("plan9_reservation_ids", &self.plan9_reservation_ids),
            ("vpci_vmbus_guids", &self.vpci_vmbus_guids),
        ];
        let mut errors = Vec::new();
        for (field, ids) in lists {
            let mut seen = BTreeSet::new();
            for (index, id) in ids.iter().enumerate().filter(|(_, id)| !seen.insert(**id)) {
                let error = Error::invalid(format!("{id} occurs twice"));
                errors.push(error.in_index(index).in_field(field));
            }
        }
        Error::collect(errors)
    }

    /// Checks that the key of every process is its own exec id.
    pub(super) fn check_exec_ids(&self) -> Result<(), Error> {
        Error::collect(self.processes.iter().filter_map(|(key, process)| {
            let own = process.with_state(|process| process.exec_id.clone())?;
            (own != *key).then(|| {
                Error::invalid(format!("calls itself {:?}", own.as_str()))
                    .in_key(key.as_str())
                    .in_field("processes")
            })
        }))
    }
}

/// The parameters of a new container.
#[derive(Clone, Debug, Default)]
pub struct NewContainer {
    /// Its id on this host.
    pub id: ContainerId,
    /// Its id inside the guest.
    pub gcs_id: GcsId,
    /// The disks of its read-only layers, in order.
    pub ro_layers: Vec<DiskConfig>,
    /// The disk of its writable layer.
    pub scratch: Option<DiskConfig>,
    /// Further disks, with the partition to mount (0 is the whole disk) and the configuration of
    /// the mount.
    pub disks: Vec<(DiskConfig, u64, MountConfig)>,
    /// Folders of this host that it shares.
    pub shares: Vec<(PathBuf, ShareConfig)>,
    /// Devices of this host, by instance id and virtual function.
    pub devices: Vec<(String, u32)>,
    /// Its init process.
    pub init: NewProcess,
}

/// The container controller.
#[derive(Debug)]
pub struct Container {
    state: Mutex<ContainerState>,
}

impl Container {
    /// Creates a controller for a container that does not exist in the guest yet.
    pub(super) fn new(vm: Arc<Vm>, mut new: NewContainer) -> Self {
        let init = Process::new(ExecId::default(), std::mem::take(&mut new.init));
        let io_retry_timeout = init.lock().io_retry_timeout;
        Self::from_state(
            ContainerState {
                container_id: new.id.clone(),
                gcs_container_id: new.gcs_id.clone(),
                io_retry_timeout,
                processes: BTreeMap::from([(ExecId::default(), Child::new(init))]),
                new: Some(new),
                ..ContainerState::default()
            },
            Some(vm),
        )
    }

    pub(super) fn from_state(mut state: ContainerState, vm: Option<Arc<Vm>>) -> Self {
        state.vm = vm;
        Self { state: Mutex::new(state) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ContainerState> {
        let mut state = lock(&self.state);
        state.settle();
        state
    }

    /// Returns the stage of the container.
    pub fn stage(&self) -> ContainerStage {
        self.lock().stage
    }

    /// Its id on this host.
    pub fn id(&self) -> ContainerId {
        self.lock().container_id.clone()
    }

    /// Its id inside the guest.
    pub fn gcs_id(&self) -> GcsId {
        self.lock().gcs_container_id.clone()
    }

    /// Returns its id at the source, which is also its id in the destination's plan.
    pub(super) fn source_id(&self) -> ContainerId {
        let state = self.lock();
        state.source_id.as_ref().unwrap_or(&state.container_id).clone()
    }

    /// The init process.
    pub fn init(&self) -> Option<Arc<Process>> {
        self.process(&ExecId::default())
    }

    /// The process with this exec id.
    pub fn process(&self, exec_id: &ExecId) -> Option<Arc<Process>> {
        self.lock().processes.get(exec_id).and_then(Child::get).cloned()
    }

    /// All processes, by exec id.
    pub fn processes(&self) -> Vec<(ExecId, Arc<Process>)> {
        let state = self.lock();
        let live = state.processes.iter().filter_map(|(id, child)| child.get().map(|p| (id, p)));
        live.map(|(id, process)| (id.clone(), Arc::clone(process))).collect()
    }
}

impl ContainerState {
    fn enter(&self) -> Result<Inside, Error> {
        enter(&self.gate, || format!("container {}", self.container_id))
    }

    /// A container whose init process has exited has stopped.
    fn settle(&mut self) {
        if self.stage == ContainerStage::Running
            && !self.gate.is_closed()
            && let Some(init) = self.processes.get(&ExecId::default()).and_then(Child::get)
            && init.stage() == ProcessStage::Terminated
        {
            self.stage = ContainerStage::Stopped;
        }
    }

    /// Refuses to move a container with a process other than init: the IO of an exec belongs to a
    /// client that stays behind.
    fn check_processes(&self) -> Result<(), Error> {
        let mut execs = self.processes.keys().filter(|id| !id.is_empty());
        if !self.processes.contains_key(&ExecId::default()) {
            return Err(Error::precondition("has no init process").in_field("processes"));
        }
        match execs.next() {
            None => Ok(()),
            Some(exec) => Err(Error::precondition(format!(
                "has process {:?} besides its init process: end and delete it first",
                exec.as_str()
            ))
            .in_field("processes")),
        }
    }

    /// Calls `place` for each layer, with the reservation of its disk and its path in the plan.
    fn for_each_layer(
        &self,
        paths: &LayerPaths,
        mut place: impl FnMut(Uuid, &Path) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(layers) = &self.layers else {
            return Err(Error::invalid("the plan places layers, but the container has none"));
        };
        if layers.ro_layers.len() != paths.read_only.len()
            || layers.scratch.is_some() != paths.scratch.is_some()
        {
            return Err(Error::invalid(format!(
                "has {} read-only layers and {} scratch, but the plan places {} and {}",
                layers.ro_layers.len(),
                layers.scratch.iter().count(),
                paths.read_only.len(),
                paths.scratch.iter().count()
            ))
            .in_field("layers"));
        }
        let read_only = layers.ro_layers.iter().zip(&paths.read_only);
        for (layer, path) in read_only.chain(layers.scratch.iter().zip(&paths.scratch)) {
            place(layer.reservation_id, path)?;
        }
        Ok(())
    }
}

/// Returns the SCSI controller that has the disks of a container's layers.
fn disks_of_layers(cx: &Context) -> Result<Arc<Scsi>, Error> {
    let scsi = cx.find::<Scsi>()?;
    scsi.ok_or_else(|| Error::invalid("has layers, but the VM has no SCSI controller"))
}

impl Controller for Container {
    type State = ContainerState;

    fn state(&self) -> impl DerefMut<Target = ContainerState> + '_ {
        self.lock()
    }

    fn import(mut state: ContainerState) -> Result<Self, Error> {
        state.check_exec_ids()?;
        state.gate = Gate::closed();
        Ok(Self::from_state(state, None))
    }

    /// Runs after the processes are frozen. A process that was added meanwhile is not frozen, and
    /// is refused like every other exec.
    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        let closed = self.lock().gate.close();
        closed.await;
        let state = self.lock();
        state.check_processes()?;
        state.check_ids()
    }

    async fn thaw(&self, _: &Context) -> Result<(), Error> {
        self.lock().gate.open();
        Ok(())
    }

    fn refresh(&self, state: &mut ContainerState, later: ContainerState) -> Result<(), Error> {
        later.check_exec_ids()?;
        refresh(state, later);
        Ok(())
    }

    /// Opens the disks of its layers on this host.
    async fn prepare(&self, cx: &Context) -> Result<(), Error> {
        let plan = cx.resource::<PatchPlan>()?;
        let state = self.lock();
        state.check_processes()?;
        let planned = plan.container(&state.container_id)?;
        let Some(paths) = planned.as_ref().and_then(|planned| planned.layers.as_ref()) else {
            return Ok(());
        };
        let scsi = disks_of_layers(cx)?;
        let binding = cx.controller::<Vm>()?.binding()?;
        state.for_each_layer(paths, |reservation, path| {
            scsi.prepare_layer(&binding, reservation, path)
        })
    }

    async fn patch(&self, cx: &Context) -> Result<(), Error> {
        let plan = cx.resource::<PatchPlan>()?;
        let vm = cx.controller::<Vm>()?;
        let mut state = self.lock();
        state.check_processes()?;
        let source_id = state.container_id.clone();
        if let Some(planned) = plan.container(&source_id)? {
            if let Some(paths) = &planned.layers {
                let scsi = disks_of_layers(cx)?;
                state.for_each_layer(paths, |reservation, path| {
                    scsi.update_disk_host_path(reservation, path)
                })?;
            }
            state.container_id = planned.id.clone();
        }
        state.source_id = Some(source_id);
        state.vm = Some(vm);
        Ok(())
    }

    /// Resumes the container, which already exists in the guest.
    async fn resume(&self, _: &Context) -> Result<(), Error> {
        let mut state = self.lock();
        let Some(vm) = &state.vm else {
            return Err(Error::precondition("is not patched: its VM is not known yet"));
        };
        let binding = vm.binding()?;
        binding.host.open_container(&binding.vm, &state.gcs_container_id)?;
        state.source_id = None;
        state.gate.open();
        Ok(())
    }

    /// What it has in the guest goes with the VM, which the VM's own abort ends.
    async fn abort(&self, _: &Context) -> Result<(), Error> {
        let closed = self.lock().gate.close();
        closed.await;
        self.lock().vm = None;
        Ok(())
    }
}
