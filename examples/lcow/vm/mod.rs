//! The utility VM in which a sandbox's Linux containers run.

mod operations;

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, MutexGuard};

use snapshot_core::codec::Json;
use snapshot_core::{Child, Context, Controller, Error, Gate, Inside, Snapshot, refresh};
use snapshot_proto::lcow::v1::{self as pb, vm_snapshot};

use super::document;
use super::host::{Binding, Host, VmConfig, VmStart};
use super::ids::VmId;
use super::lock;
use super::migration::enter;
use super::plan::PatchPlan;
use super::plan9::Plan9;
use super::scsi::{DiskConfig, Scsi, Slot};
use super::vpci::Vpci;

/// The first vsock port for the IO of processes; those below it are the guest's own.
pub const FIRST_PORT: u32 = 0x4000_0000;

/// The stage of a VM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(stage = vm_snapshot::Stage)]
pub enum VmStage {
    /// Only its id is known; no compute system exists.
    #[default]
    NotCreated,
    /// The compute system exists, but has not been started.
    Created,
    /// Started, with the guest connected.
    Running,
    /// Stopped for good.
    Terminated,
    /// Failed: only cleanup is possible.
    Invalid,
    /// In a migration. Other programs wrote this stage while they migrated. This one writes the
    /// stage from before the freeze, and refuses to import this one.
    Migrating,
    /// Frozen.
    #[snapshot(transient)]
    SourceMigrating,
    /// Imported, but not resumed yet.
    #[snapshot(transient)]
    DestinationMigrating,
}

/// The options of a VM. Containers that are added later depend on them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = vm_snapshot::SandboxOptions)]
pub struct SandboxOptions {
    /// Whether host folders are shared with the guest read-only.
    pub no_writable_file_shares: bool,
    /// Whether scratch disks are encrypted in the guest.
    pub enable_scratch_encryption: bool,
    /// Whether the guest routes by policy, so that a pod can have several endpoints in one subnet.
    pub policy_based_routing: bool,
    /// The guest's processor architecture, `amd64` for instance.
    pub architecture: String,
    /// Whether host memory backs all guest memory.
    pub fully_physically_backed: bool,
    /// Settings of a confidential VM; `None` for an ordinary one.
    pub confidential: Option<Confidential>,
}

/// The rules that a confidential VM enforces inside the guest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = vm_snapshot::ConfidentialConfig)]
pub struct Confidential {
    /// The security policy, encoded as its enforcer expects it.
    pub security_policy: String,
    /// Name of the enforcer; empty for the guest's default.
    pub security_policy_enforcer: String,
    /// Path of the file with the signed reference measurements of the VM's image.
    pub uvm_reference_info_file: std::path::PathBuf,
}

/// A VM's state.
#[derive(Debug, Default, Snapshot)]
#[snapshot(
    message = pb::VmSnapshot,
    version = 1,
    controller = Vm,
    save_from(Running),
    freeze_to = SourceMigrating,
    import_as = DestinationMigrating,
    abort_to = Terminated
)]
pub struct VmState {
    /// Id of the compute system on the host; the destination assigns another one.
    pub vm_id: VmId,
    /// The stage of the VM.
    #[snapshot(stage, field = state)]
    pub stage: VmStage,
    /// The options that it was created with.
    pub sandbox_options: Option<SandboxOptions>,
    /// Its SCSI controller.
    pub scsi: Option<Child<Scsi>>,
    /// Its virtual PCI controller.
    pub vpci: Option<Child<Vpci>>,
    /// Its Plan 9 controller.
    pub plan9: Option<Child<Plan9>>,
    /// The next vsock port to assign. Every port in use is lower.
    pub gcs_next_port: u32,
    /// The features that the destination's hypervisor must support. The freeze gets them from the
    /// source's host; only a host reads them.
    pub compat_info: Vec<u8>,
    /// The compute system document that the VM was created from.
    pub hcs_document: Option<Json<serde_json::Value>>,
    /// The next message id on the bridge to the guest. Every waiting call has a lower id.
    pub bridge_next_id: i64,
    #[snapshot(skip)]
    pub(super) host: Option<Host>,
    /// The id that it will have on this host, from the rehearsal until the patch sets it.
    #[snapshot(skip)]
    pub(super) planned_id: Option<VmId>,
    /// Closed from the freeze to the thaw, and from the import to the resume.
    #[snapshot(skip)]
    pub(super) gate: Gate,
    /// Whether the freeze has paused the VM, or was about to.
    #[snapshot(skip)]
    pub(super) paused: bool,
    /// Whether the destination has created the VM. An abort must end this VM, and no other with the
    /// same id.
    #[snapshot(skip)]
    pub(super) restored: bool,
}

/// The parameters of a new VM.
#[derive(Clone, Debug, Default)]
pub struct NewVm {
    /// Its id on this host.
    pub id: VmId,
    /// Its options.
    pub options: SandboxOptions,
    /// Its compute system document, an object with a `VirtualMachine`.
    pub document: serde_json::Value,
    /// The number of its SCSI controllers, 0 to 4.
    pub scsi_controllers: u8,
    /// Whether it has a virtual PCI bus.
    pub vpci: bool,
    /// Whether it has Plan 9 shares.
    pub plan9: bool,
}

/// The VM controller.
#[derive(Debug)]
pub struct Vm {
    state: Mutex<VmState>,
    /// Entered by an operation that changes several devices, and closed by a device that freezes, so that
    /// all devices stay live during such an operation.
    operations: Gate,
}

impl Vm {
    /// Creates a VM that does not exist yet, with its devices.
    ///
    /// # Errors
    ///
    /// Too many SCSI controllers, or a document that describes no VM.
    pub fn new(host: Host, new: NewVm) -> Result<Self, Error> {
        document::check(&new.document)?;
        let scsi = match new.scsi_controllers {
            0 => None,
            count => Some(Child::new(Scsi::new(count)?)),
        };
        let plan9 = new.plan9.then(|| Plan9::new(new.options.no_writable_file_shares));
        Ok(Self::from_state(VmState {
            vm_id: new.id,
            sandbox_options: Some(new.options),
            scsi,
            vpci: new.vpci.then(|| Child::new(Vpci::new())),
            plan9: plan9.map(Child::new),
            gcs_next_port: FIRST_PORT,
            hcs_document: Some(Json::from_value(&new.document)?),
            bridge_next_id: 1,
            host: Some(host),
            ..VmState::default()
        }))
    }

    pub(super) fn from_state(state: VmState) -> Self {
        Self { state: Mutex::new(state), operations: Gate::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, VmState> {
        lock(&self.state)
    }

    /// The stage of the VM.
    pub fn stage(&self) -> VmStage {
        self.lock().stage
    }

    /// Its id on this host.
    pub fn id(&self) -> VmId {
        self.lock().vm_id.clone()
    }

    /// Its SCSI controller, if it has one.
    pub fn scsi(&self) -> Option<Arc<Scsi>> {
        self.lock().scsi.as_ref().and_then(Child::get).cloned()
    }

    /// Its virtual PCI controller, if it has one.
    pub fn vpci(&self) -> Option<Arc<Vpci>> {
        self.lock().vpci.as_ref().and_then(Child::get).cloned()
    }

    /// Its Plan 9 controller, if it has one.
    pub fn plan9(&self) -> Option<Arc<Plan9>> {
        self.lock().plan9.as_ref().and_then(Child::get).cloned()
    }

    /// Begins an operation that changes several devices. None of them freezes before it ends.
    ///
    /// # Errors
    ///
    /// One of them is migrating.
    pub(super) fn begin(&self) -> Result<Inside, Error> {
        let the_vm = || "the VM".to_owned();
        let inside = enter(&self.operations, the_vm)?;
        let devices = [
            self.scsi().map(|scsi| scsi.lock().gate.clone()),
            self.vpci().map(|vpci| vpci.lock().gate.clone()),
            self.plan9().map(|plan9| plan9.lock().gate.clone()),
        ];
        devices.iter().flatten().try_for_each(|device| enter(device, the_vm).map(drop))?;
        Ok(inside)
    }

    /// Waits until no operation changes several devices, and prevents new ones until
    /// [`allow_operations`](Vm::allow_operations).
    pub(super) async fn end_operations(&self) {
        self.operations.close().await;
    }

    /// Allows operations that change several devices again, unless another device waits for their end.
    pub(super) fn allow_operations(&self) {
        self.operations.open();
    }

    /// The VM on its host.
    ///
    /// # Errors
    ///
    /// An imported VM that is not patched yet has no host.
    pub fn binding(&self) -> Result<Binding, Error> {
        self.lock().binding()
    }
}

impl VmState {
    fn check(&self) -> Result<(), Error> {
        match &self.hcs_document {
            Some(document) => document::check(&document.get()?),
            None => Err(Error::invalid("is missing: no VM can be created without it")),
        }
        .map_err(|error| error.in_field("hcs_document"))
    }

    fn enter(&self) -> Result<Inside, Error> {
        enter(&self.gate, || format!("VM {}", self.vm_id))
    }

    fn expect(&self, stage: VmStage, what: &str) -> Result<(), Error> {
        if self.stage != stage {
            return Err(Error::precondition(format!(
                "VM {} is {:?}: it can be {what} only while it is {stage:?}",
                self.vm_id, self.stage
            )));
        }
        Ok(())
    }

    fn binding(&self) -> Result<Binding, Error> {
        match &self.host {
            Some(host) => {
                let vm = self.planned_id.as_ref().unwrap_or(&self.vm_id).clone();
                Ok(Binding { host: host.clone(), vm })
            }
            None => Err(Error::precondition("the VM is not patched: it has no host yet")),
        }
    }

    fn scsi(&self) -> Option<&Arc<Scsi>> {
        self.scsi.as_ref().and_then(Child::get)
    }

    /// Returns the id that a plan gives the VM.
    ///
    /// # Errors
    ///
    /// The host was prepared for another id.
    fn id_in(&self, plan: &PatchPlan) -> Result<VmId, Error> {
        let id = plan.vm.as_ref().unwrap_or(&self.vm_id);
        match self.planned_id.as_ref().filter(|prepared| *prepared != id) {
            Some(prepared) => Err(Error::precondition(format!(
                "the host is prepared for VM {prepared}, and the plan gives it the id {id}: plan one \
                 id for all rehearsals and the migration"
            ))),
            None => Ok(id.clone()),
        }
    }

    fn bind_devices(&self, binding: &Binding) {
        if let Some(vpci) = self.vpci.as_ref().and_then(Child::get) {
            vpci.bind(binding.clone());
        }
        if let Some(plan9) = self.plan9.as_ref().and_then(Child::get) {
            plan9.bind(binding.clone());
        }
    }

    /// Returns the configuration to create the VM from: everything that its devices hold is
    /// attached from the start.
    fn config(
        &self,
        compat_info: Vec<u8>,
        disks: Vec<(Slot, DiskConfig)>,
    ) -> Result<VmConfig, Error> {
        let document = self.hcs_document.as_ref().map(Json::get).transpose()?;
        let vpci = self.vpci.as_ref().and_then(Child::get);
        let plan9 = self.plan9.as_ref().and_then(Child::get);
        Ok(VmConfig {
            document: document.map(|document| document::with_disks(document, &disks)),
            compat_info,
            disks,
            shares: plan9.map(|plan9| plan9.added()).unwrap_or_default(),
            devices: vpci.map(|vpci| vpci.assigned()).unwrap_or_default(),
        })
    }
}

impl Controller for Vm {
    type State = VmState;

    fn state(&self) -> impl DerefMut<Target = VmState> + '_ {
        self.lock()
    }

    fn import(mut state: VmState) -> Result<Self, Error> {
        state.check()?;
        state.gate = Gate::closed();
        Ok(Self::from_state(state))
    }

    /// Runs after everything in the VM is frozen.
    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        let closed = self.lock().gate.close();
        closed.await;
        let mut state = self.lock();
        state.expect(VmStage::Running, "saved")?;
        let Binding { host, vm } = state.binding()?;
        let compat_info = host.compat_info(&vm)?;
        if compat_info.is_empty() {
            return Err(Error::precondition(format!(
                "the host does not provide the requirements of VM {vm} on a destination"
            )));
        }
        // From here on the thaw has work to undo, even if the pause fails half-way.
        state.paused = true;
        host.pause_vm(&vm)?;
        state.compat_info = compat_info;
        Ok(())
    }

    async fn thaw(&self, _: &Context) -> Result<(), Error> {
        let mut state = self.lock();
        if state.paused {
            let Binding { host, vm } = state.binding()?;
            host.unpause_vm(&vm)?;
            state.paused = false;
            state.compat_info = Vec::new();
        }
        state.gate.open();
        Ok(())
    }

    async fn commit(&self, _: &Context) -> Result<(), Error> {
        let Binding { host, vm } = self.binding()?;
        host.release_vm(&vm)
    }

    fn refresh(&self, state: &mut VmState, later: VmState) -> Result<(), Error> {
        later.check()?;
        refresh(state, later);
        Ok(())
    }

    /// Runs before its devices, containers and processes prepare what they need on this host.
    async fn prepare(&self, cx: &Context) -> Result<(), Error> {
        let plan = cx.resource::<PatchPlan>()?;
        let host = cx.resource::<Host>()?;
        let mut state = self.lock();
        state.planned_id = Some(state.id_in(&plan)?);
        state.host = Some(Host::clone(&host));
        Ok(())
    }

    async fn patch(&self, cx: &Context) -> Result<(), Error> {
        let plan = cx.resource::<PatchPlan>()?;
        let host = cx.resource::<Host>()?;
        let mut state = self.lock();
        state.vm_id = state.id_in(&plan)?;
        state.planned_id = None;
        state.host = Some(Host::clone(&host));
        Ok(())
    }

    /// Runs after its devices are patched, so the VM is created with the devices of this host.
    async fn resume(&self, _: &Context) -> Result<(), Error> {
        let mut state = self.lock();
        let binding = state.binding()?;
        let disks = match state.scsi() {
            Some(scsi) => scsi.open_for(&binding)?,
            None => Vec::new(),
        };
        let config = state.config(state.compat_info.clone(), disks)?;
        binding.host.create_vm(&binding.vm, &config)?;
        state.restored = true;
        state.bind_devices(&binding);
        let start = VmStart::Migrated {
            next_port: state.gcs_next_port,
            next_call_id: state.bridge_next_id,
        };
        binding.host.start_vm(&binding.vm, start)?;
        state.gate.open();
        Ok(())
    }

    async fn abort(&self, _: &Context) -> Result<(), Error> {
        let closed = self.lock().gate.close();
        closed.await;
        let mut state = self.lock();
        let Ok(binding) = state.binding() else { return Ok(()) };
        let ended = match std::mem::take(&mut state.restored) {
            true => binding.host.terminate_vm(&binding.vm),
            false => Ok(()),
        };
        // Clears it even if the VM does not end: this host no longer uses the VM.
        let closed = state.scsi().map_or(Ok(()), |scsi| scsi.close_for(&binding));
        Error::collect([ended.err(), closed.err()].into_iter().flatten())
    }
}
