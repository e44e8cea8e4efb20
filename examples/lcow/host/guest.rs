//! Containers and processes in the guest.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use snapshot_core::Error;

use crate::lcow::ids::{ExecId, GcsId, VmId};

/// The guest's containers. `container` is always the id inside the guest, which never changes.
pub trait ContainerHost: Send + Sync {
    /// Combines the layers (guest paths, in order, and the writable one) at `rootfs`.
    ///
    /// # Errors
    ///
    /// The guest fails.
    fn combine_layers(
        &self,
        vm: &VmId,
        layers: &[String],
        scratch: Option<&str>,
        rootfs: &str,
    ) -> Result<(), Error>;

    /// Undoes `combine_layers` at `rootfs`.
    ///
    /// # Errors
    ///
    /// It is in use.
    fn remove_layers(&self, vm: &VmId, rootfs: &str) -> Result<(), Error>;

    /// Creates a container in the guest.
    ///
    /// # Errors
    ///
    /// It exists, or the guest fails.
    fn create_container(&self, vm: &VmId, container: &GcsId, rootfs: &str) -> Result<(), Error>;

    /// Takes over a container that already runs in the guest.
    ///
    /// # Errors
    ///
    /// The guest has no such container.
    fn open_container(&self, vm: &VmId, container: &GcsId) -> Result<(), Error>;

    /// Removes a container from the guest.
    ///
    /// # Errors
    ///
    /// It still runs.
    fn delete_container(&self, vm: &VmId, container: &GcsId) -> Result<(), Error>;
}

/// The address of a process: the VM, the container in its guest and the exec id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessKey<'a> {
    /// The VM.
    pub vm: &'a VmId,
    /// The container's id inside the guest.
    pub container: &'a GcsId,
    /// The exec id, empty for the init process.
    pub exec: &'a ExecId,
}

/// The vsock ports of a process's IO; `None` if it is not connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StdPorts {
    /// Standard input.
    pub stdin: Option<NonZeroU32>,
    /// Standard output.
    pub stdout: Option<NonZeroU32>,
    /// Standard error.
    pub stderr: Option<NonZeroU32>,
}

/// This host's ends of a process's IO: paths of pipes or files, `None` if there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessIo {
    /// Standard input.
    pub stdin: Option<PathBuf>,
    /// Standard output.
    pub stdout: Option<PathBuf>,
    /// Standard error; none with a terminal, which has one output.
    pub stderr: Option<PathBuf>,
    /// Whether the process has a terminal.
    pub terminal: bool,
}

/// The parameters with which a process is started or adopted.
#[derive(Clone, Copy, Debug)]
pub struct ProcessConfig<'a> {
    /// The OCI process spec as JSON; `None` for an init process whose spec is the container's.
    pub spec: Option<&'a str>,
    /// The OCI bundle on this host.
    pub bundle: &'a Path,
    /// This host's ends of its IO.
    pub io: &'a ProcessIo,
    /// The guest's ends of its IO.
    pub ports: StdPorts,
    /// The time during which a lost IO connection is retried; `None` for no retry.
    pub io_retry_timeout: Option<Duration>,
    /// The message id of the call on the bridge that waits for its exit; 0 if no call waits.
    pub wait_call_id: i64,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code; 128 plus the signal for one that was killed.
    pub code: u32,
    /// The time of its exit.
    pub at: SystemTime,
}

/// The callback for the end of a process. The host calls it at most once, and never inside of
/// another call.
pub type OnExit = Box<dyn FnOnce(Exit) + Send>;

/// The guest's processes, and their IO on this host.
pub trait ProcessHost: Send + Sync {
    /// Opens the IO, starts a process and returns its id in the guest.
    ///
    /// # Errors
    ///
    /// The IO cannot be opened, or the guest cannot start the process.
    fn start_process(
        &self,
        process: ProcessKey<'_>,
        config: ProcessConfig<'_>,
        on_exit: OnExit,
    ) -> Result<i32, Error>;

    /// Sends a signal.
    ///
    /// # Errors
    ///
    /// The guest refuses it.
    fn signal_process(&self, process: ProcessKey<'_>, pid: i32, signal: i32) -> Result<(), Error>;

    /// Stops the process's IO and the reports of its exit: after the return, no byte is in transit,
    /// no exit is reported and no callback runs.
    ///
    /// # Errors
    ///
    /// The IO does not stop.
    fn freeze_process(&self, process: ProcessKey<'_>) -> Result<(), Error>;

    /// Undoes a freeze. An exit that happened meanwhile is reported now.
    ///
    /// # Errors
    ///
    /// The IO cannot continue.
    fn thaw_process(&self, process: ProcessKey<'_>) -> Result<(), Error>;

    /// Opens the IO for a process that comes with its guest to this host, without reading or
    /// writing any of it before [`resume_process`](ProcessHost::resume_process). The guest may
    /// still run on the other host, which serves the IO until then.
    ///
    /// # Errors
    ///
    /// The IO cannot be opened.
    fn adopt_process(
        &self,
        process: ProcessKey<'_>,
        pid: i32,
        config: ProcessConfig<'_>,
        on_exit: OnExit,
    ) -> Result<(), Error>;

    /// Connects an adopted process's IO and waits for its exit from now on.
    ///
    /// # Errors
    ///
    /// The guest has no such process, or its IO cannot be connected.
    fn resume_process(&self, process: ProcessKey<'_>) -> Result<(), Error>;

    /// Releases a process, whether it runs, is frozen, adopted or has exited: closes this host's
    /// ends of its IO and drops its exit. The process itself does not change.
    ///
    /// # Errors
    ///
    /// An end of the IO could not be closed.
    fn release_process(&self, process: ProcessKey<'_>) -> Result<(), Error>;
}
