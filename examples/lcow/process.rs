//! One process of a container, and its IO on this host.

use std::num::{NonZeroI64, NonZeroU32};
use std::ops::DerefMut;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, SystemTime};

use snapshot_core::codec::Json;
use snapshot_core::{Context, Controller, Error, Gate, Inside, Snapshot, refresh};
use snapshot_proto::lcow::v1::{self as pb, process_snapshot};

use super::container::Container;
use super::host::{Binding, Exit, OnExit, ProcessConfig, ProcessIo, ProcessKey, StdPorts};
use super::ids::{ExecId, GcsId};
use super::lock;
use super::migration::enter;
use super::plan::PatchPlan;
use super::spec::ProcessSpec;
use super::vm::Vm;

/// The stage of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(stage = process_snapshot::Stage)]
pub enum ProcessStage {
    /// Only its id is known.
    #[default]
    NotCreated,
    /// Its IO is set up, but it has not been started.
    Created,
    /// Running.
    Running,
    /// Exited.
    Terminated,
    /// Imported, but not resumed yet.
    #[snapshot(transient)]
    DestinationMigrating,
    /// Frozen.
    #[snapshot(transient)]
    SourceMigrating,
}

/// A process's state.
#[derive(Debug, Default, Snapshot)]
#[snapshot(
    message = pb::ProcessSnapshot,
    version = 1,
    controller = Process,
    save_from(Running),
    freeze_to = SourceMigrating,
    import_as = DestinationMigrating,
    abort_to = Terminated
)]
pub struct ProcessState {
    /// Its exec id, empty for the init process; its key in the container.
    #[snapshot(id)]
    pub exec_id: ExecId,
    /// Its stage.
    #[snapshot(stage, field = state)]
    pub stage: ProcessStage,
    /// Its id in the guest; 0 until it is started.
    pub pid: i32,
    /// The OCI bundle on the host; the destination replaces it by its own.
    pub bundle: PathBuf,
    /// The OCI process spec; `None` for an init process whose spec is the container's. The text
    /// survives unchanged, whatever program wrote it.
    #[snapshot(field = oci_process_spec_json)]
    pub spec: Option<Json<ProcessSpec>>,
    /// The time of its exit; `None` until then.
    pub exited_at: Option<SystemTime>,
    /// Its exit code; valid once it has exited.
    pub exit_code: u32,
    /// The time during which a lost IO connection is retried.
    pub io_retry_timeout: Option<Duration>,
    /// vsock port of its standard input; `None` if it is not connected.
    pub stdin_port: Option<NonZeroU32>,
    /// vsock port of its standard output.
    pub stdout_port: Option<NonZeroU32>,
    /// vsock port of its standard error.
    pub stderr_port: Option<NonZeroU32>,
    /// Message id of the call on the bridge that waits for its exit; the destination receives the
    /// answer under the same id.
    pub wait_call_id: Option<NonZeroI64>,
    /// This host's ends of its IO.
    #[snapshot(skip)]
    pub(super) io: ProcessIo,
    #[snapshot(skip)]
    pub(super) place: Option<Place>,
    /// How this host has adopted it, until the resume.
    #[snapshot(skip)]
    pub(super) adopted: Option<Adopted>,
    /// Closed from the freeze to the thaw, and from the import to the resume.
    #[snapshot(skip)]
    pub(super) gate: Gate,
    /// An exit that the host reported during the migration. It takes effect when the migration
    /// ends.
    #[snapshot(skip)]
    pub(super) late_exit: Option<Exit>,
}

/// The VM and the container in which a process runs.
#[derive(Clone, Debug)]
pub(super) struct Place {
    binding: Binding,
    container: GcsId,
}

/// The parameters with which a host has adopted a process. Another pid under the same id is another
/// process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Adopted {
    pid: i32,
    ports: StdPorts,
    wait_call_id: Option<NonZeroI64>,
    bundle: PathBuf,
    io: ProcessIo,
}

/// The parameters of a new process.
#[derive(Clone, Debug, Default)]
pub struct NewProcess {
    /// The OCI bundle on this host.
    pub bundle: PathBuf,
    /// Its spec; `None` for an init process whose spec is the container's.
    pub spec: Option<Json<ProcessSpec>>,
    /// This host's ends of its IO.
    pub io: ProcessIo,
    /// The time during which a lost IO connection is retried.
    pub io_retry_timeout: Option<Duration>,
}

/// The process controller.
#[derive(Debug)]
pub struct Process {
    /// Shared with the callback for the exit.
    state: Arc<Mutex<ProcessState>>,
}

impl Process {
    /// Creates a controller for a process that has not been started.
    pub(super) fn new(exec_id: ExecId, new: NewProcess) -> Self {
        Self::from_state(ProcessState {
            exec_id,
            bundle: new.bundle,
            spec: new.spec,
            io: new.io,
            io_retry_timeout: new.io_retry_timeout,
            ..ProcessState::default()
        })
    }

    pub(super) fn from_state(state: ProcessState) -> Self {
        Self { state: Arc::new(Mutex::new(state)) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ProcessState> {
        let mut state = lock(&self.state);
        state.settle();
        state
    }

    /// The stage of the process.
    pub fn stage(&self) -> ProcessStage {
        self.lock().stage
    }

    /// Its id in the guest; `None` until it is started.
    pub fn pid(&self) -> Option<i32> {
        Some(self.lock().pid).filter(|pid| *pid != 0)
    }

    /// Returns how it ended; `None` until then.
    pub fn exit(&self) -> Option<Exit> {
        let state = self.lock();
        state.exited_at.map(|at| Exit { code: state.exit_code, at })
    }

    /// This host's ends of its IO.
    pub fn io(&self) -> ProcessIo {
        self.lock().io.clone()
    }

    /// Sends a signal; does nothing to a process that has exited.
    ///
    /// # Errors
    ///
    /// The process is migrating or was not started, or the guest refuses.
    pub fn signal(&self, signal: i32) -> Result<(), Error> {
        let state = self.lock();
        let _inside = state.enter()?;
        match (state.stage, &state.place) {
            (ProcessStage::Running, Some(place)) => {
                let key = place.key(&state.exec_id);
                place.binding.host.signal_process(key, state.pid, signal)
            }
            (ProcessStage::Terminated, _) => Ok(()),
            (stage, _) => Err(Error::precondition(format!(
                "process {:?} is {stage:?}: start it before it gets signals",
                state.exec_id.as_str()
            ))),
        }
    }

    /// Starts the process in a container of the guest.
    pub(super) fn start(&self, vm: &Vm, container: &GcsId) -> Result<(), Error> {
        let mut state = self.lock();
        let _inside = state.enter()?;
        if !matches!(state.stage, ProcessStage::NotCreated | ProcessStage::Created) {
            return Err(Error::precondition(format!(
                "process {:?} is {:?}: it is started only once",
                state.exec_id.as_str(),
                state.stage
            )));
        }
        check_io(&state.io)?;
        let place = Place { binding: vm.binding()?, container: container.clone() };
        let port = |wanted: bool| wanted.then(|| vm.next_port()).transpose();
        let ports = StdPorts {
            stdin: port(state.io.stdin.is_some())?,
            stdout: port(state.io.stdout.is_some())?,
            stderr: port(state.io.stderr.is_some())?,
        };
        let wait_call_id = vm.next_call_id()?;
        let config = state.config(&state.io, &state.bundle, ports, Some(wait_call_id));
        let host = &place.binding.host;
        let pid = host.start_process(place.key(&state.exec_id), config, self.on_exit())?;
        state.pid = pid;
        state.stdin_port = ports.stdin;
        state.stdout_port = ports.stdout;
        state.stderr_port = ports.stderr;
        state.wait_call_id = Some(wait_call_id);
        state.place = Some(place);
        state.stage = ProcessStage::Running;
        Ok(())
    }

    /// Returns whether the process runs. While it is migrating, nobody knows: its exit takes effect
    /// only when the migration ends.
    pub(super) fn runs(&self) -> Result<bool, Error> {
        let state = self.lock();
        let _inside = state.enter()?;
        Ok(state.stage == ProcessStage::Running)
    }

    /// Releases a process that does not run: closes its IO.
    pub(super) fn release(&self) -> Result<(), Error> {
        let mut state = self.lock();
        let _inside = state.enter()?;
        if state.stage == ProcessStage::Running {
            return Err(Error::precondition(format!(
                "process {:?} runs: end it before it is deleted",
                state.exec_id.as_str()
            )));
        }
        if let Some(place) = state.place.take()
            && let Err(error) = place.binding.host.release_process(place.key(&state.exec_id))
        {
            state.place = Some(place);
            return Err(error);
        }
        Ok(())
    }

    /// Returns the callback for the exit. It holds the state only as long as the controller lives.
    fn on_exit(&self) -> OnExit {
        let state: Weak<Mutex<ProcessState>> = Arc::downgrade(&self.state);
        Box::new(move |exit| {
            if let Some(state) = state.upgrade() {
                lock(&state).late_exit = Some(exit);
            }
        })
    }

    /// Lets this host adopt the process with the bundle and the IO of the plan. A process that is
    /// adopted already, as it is now, stays adopted.
    fn adopt(&self, cx: &Context) -> Result<MutexGuard<'_, ProcessState>, Error> {
        let plan = cx.resource::<PatchPlan>()?;
        let container = cx.controller::<Container>()?;
        let planned = plan.container(&container.source_id())?;
        let binding = cx.controller::<Vm>()?.binding()?;
        let place = Place { binding, container: container.gcs_id() };
        let mut state = self.lock();
        let (bundle, io) = match planned {
            Some(planned) => {
                let planned = planned.into_owned();
                (planned.bundle, planned.io)
            }
            None => (state.bundle.clone(), ProcessIo::default()),
        };
        check_io(&io)?;
        let here = Adopted {
            pid: state.pid,
            ports: state.ports(),
            wait_call_id: state.wait_call_id,
            bundle,
            io,
        };
        if state.adopted.as_ref() == Some(&here) {
            return Ok(state);
        }
        let host = &place.binding.host;
        if state.adopted.is_some() {
            host.release_process(place.key(&state.exec_id))?;
            state.adopted = None;
            state.place = None;
        }
        let config = state.config(&here.io, &here.bundle, here.ports, here.wait_call_id);
        host.adopt_process(place.key(&state.exec_id), here.pid, config, self.on_exit())?;
        state.adopted = Some(here);
        state.place = Some(place);
        Ok(state)
    }

    /// Returns where the process runs, without keeping the lock, for calls that may wait for a
    /// callback.
    fn placed(&self) -> Option<(Place, ExecId)> {
        let state = self.lock();
        state.place.clone().map(|place| (place, state.exec_id.clone()))
    }
}

/// Checks that a process with a terminal has only one output.
fn check_io(io: &ProcessIo) -> Result<(), Error> {
    match io.terminal && io.stderr.is_some() {
        true => Err(Error::precondition(
            "a process with a terminal has one output: omit its standard error",
        )),
        false => Ok(()),
    }
}

impl Place {
    fn key<'a>(&'a self, exec: &'a ExecId) -> ProcessKey<'a> {
        ProcessKey { vm: &self.binding.vm, container: &self.container, exec }
    }
}

impl ProcessState {
    fn enter(&self) -> Result<Inside, Error> {
        enter(&self.gate, || format!("process {:?}", self.exec_id.as_str()))
    }

    fn check(&self) -> Result<(), Error> {
        match self.exited_at {
            Some(_) => Err(Error::precondition("has exited: only a process that runs can move")
                .in_field("exited_at")),
            None => Ok(()),
        }
    }

    /// Applies a reported exit, unless the process is migrating.
    fn settle(&mut self) {
        if self.stage == ProcessStage::Running
            && !self.gate.is_closed()
            && let Some(exit) = self.late_exit.take()
        {
            self.stage = ProcessStage::Terminated;
            self.exit_code = exit.code;
            self.exited_at = Some(exit.at);
        }
    }

    fn ports(&self) -> StdPorts {
        StdPorts { stdin: self.stdin_port, stdout: self.stdout_port, stderr: self.stderr_port }
    }

    fn config<'a>(
        &'a self,
        io: &'a ProcessIo,
        bundle: &'a std::path::Path,
        ports: StdPorts,
        wait_call_id: Option<NonZeroI64>,
    ) -> ProcessConfig<'a> {
        ProcessConfig {
            spec: self.spec.as_ref().map(Json::text),
            bundle,
            io,
            ports,
            io_retry_timeout: self.io_retry_timeout,
            wait_call_id: wait_call_id.map_or(0, NonZeroI64::get),
        }
    }
}

impl Controller for Process {
    type State = ProcessState;

    fn state(&self) -> impl DerefMut<Target = ProcessState> + '_ {
        self.lock()
    }

    fn import(mut state: ProcessState) -> Result<Self, Error> {
        state.check()?;
        state.gate = Gate::closed();
        Ok(Self::from_state(state))
    }

    /// Holds no lock during the call, since the host may wait for an exit callback that is running.
    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        let closed = self.lock().gate.close();
        closed.await;
        match self.placed() {
            Some((place, exec)) => place.binding.host.freeze_process(place.key(&exec)),
            None => Ok(()),
        }
    }

    async fn thaw(&self, _: &Context) -> Result<(), Error> {
        if let Some((place, exec)) = self.placed() {
            place.binding.host.thaw_process(place.key(&exec))?;
        }
        self.lock().gate.open();
        Ok(())
    }

    async fn commit(&self, _: &Context) -> Result<(), Error> {
        match self.placed() {
            Some((place, exec)) => place.binding.host.release_process(place.key(&exec)),
            None => Ok(()),
        }
    }

    fn refresh(&self, state: &mut ProcessState, later: ProcessState) -> Result<(), Error> {
        later.check()?;
        refresh(state, later);
        Ok(())
    }

    /// The guest still runs at the source, which serves the IO until the resume.
    async fn prepare(&self, cx: &Context) -> Result<(), Error> {
        self.adopt(cx).map(drop)
    }

    /// The IO is opened first, so that a failure leaves the state as it was.
    async fn patch(&self, cx: &Context) -> Result<(), Error> {
        let mut state = self.adopt(cx)?;
        if let Some(Adopted { bundle, io, .. }) = state.adopted.clone() {
            state.bundle = bundle;
            state.io = io;
        }
        Ok(())
    }

    async fn resume(&self, _: &Context) -> Result<(), Error> {
        let Some((place, exec)) = self.placed() else {
            return Err(Error::precondition("is not patched: its VM is not known yet"));
        };
        place.binding.host.resume_process(place.key(&exec))?;
        let mut state = self.lock();
        state.adopted = None;
        state.gate.open();
        Ok(())
    }

    async fn abort(&self, _: &Context) -> Result<(), Error> {
        let closed = self.lock().gate.close();
        closed.await;
        match self.placed() {
            Some((place, exec)) => place.binding.host.release_process(place.key(&exec)),
            None => Ok(()),
        }
    }
}
