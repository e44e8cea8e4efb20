//! What the controllers ask of the machine that they run on, as traits.
//!
//! A program implements them once for its platform and hands them to the controllers as a [`Host`]:
//! at the start of the sandbox, and on the destination as a resource of the hooks' context.
//! [`FakeHost`](super::FakeHost) implements them in memory.
//!
//! Every call blocks until it is done, and is made under the lock of the controller that makes it,
//! so it must not call back into the sandbox. The one callback is [`OnExit`]; the one call that may
//! wait for a callback is [`ProcessHost::freeze_process`], which is made without any lock.
//!
//! A call that returns an error has changed nothing. What takes something away or back (`detach`,
//! `remove`, `unmount`, `terminate`, `release`, `revoke`, `thaw`, `unpause`) succeeds when there is
//! nothing to do.

use std::fmt;
use std::num::NonZeroU32;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use snapshot_core::Error;
use uuid::Uuid;

use super::ids::{ExecId, GcsId, NamespaceId, NicId, VmId};
use super::network::Endpoint;
use super::plan9::ShareConfig;
use super::scsi::{DiskConfig, MountConfig, Slot};

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

/// A folder of this host, as a share of a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedFolder {
    /// The share's name on the VM.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
    /// How it is shared.
    pub config: ShareConfig,
}

/// A device of this host, assigned to a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssignedDevice {
    /// The VMBus channel that the guest sees it by.
    pub channel: Uuid,
    /// The device's instance id on this host.
    pub instance_id: String,
    /// Which of its virtual functions; 0 is the physical function.
    pub function: u32,
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

/// The VM's SCSI bus, and the guest's mounts on it.
pub trait DiskHost: Send + Sync {
    /// Lets the VM open the image or device.
    ///
    /// # Errors
    ///
    /// It does not exist, or may not be opened.
    fn grant_access(&self, vm: &VmId, path: &Path) -> Result<(), Error>;

    /// Takes back [`grant_access`](DiskHost::grant_access).
    ///
    /// # Errors
    ///
    /// The host refuses.
    fn revoke_access(&self, vm: &VmId, path: &Path) -> Result<(), Error>;

    /// Attaches a disk.
    ///
    /// # Errors
    ///
    /// The slot is taken, or the disk cannot be opened.
    fn attach_disk(&self, vm: &VmId, slot: Slot, disk: &DiskConfig) -> Result<(), Error>;

    /// Ejects the disk in the guest, so that nothing there uses it any more.
    ///
    /// # Errors
    ///
    /// The guest refuses.
    fn eject_disk(&self, vm: &VmId, slot: Slot) -> Result<(), Error>;

    /// Takes a disk off the VM.
    ///
    /// # Errors
    ///
    /// The hypervisor refuses.
    fn detach_disk(&self, vm: &VmId, slot: Slot) -> Result<(), Error>;

    /// Mounts a partition (0 is the whole disk) at `guest_path` in the guest.
    ///
    /// # Errors
    ///
    /// The guest cannot mount it.
    fn mount_disk(
        &self,
        vm: &VmId,
        slot: Slot,
        partition: u64,
        mount: &MountConfig,
        guest_path: &str,
    ) -> Result<(), Error>;

    /// Unmounts what `mount_disk` mounted there.
    ///
    /// # Errors
    ///
    /// It is in use.
    fn unmount_disk(&self, vm: &VmId, guest_path: &str) -> Result<(), Error>;
}

/// The VM's virtual PCI bus.
pub trait DeviceHost: Send + Sync {
    /// Checks that a device can be assigned to a VM of this host.
    ///
    /// # Errors
    ///
    /// There is no such device, or it is in use.
    fn check_device(&self, instance_id: &str) -> Result<(), Error>;

    /// Assigns a device to a running VM.
    ///
    /// # Errors
    ///
    /// There is no such device, or it is in use.
    fn assign_device(&self, vm: &VmId, device: &AssignedDevice) -> Result<(), Error>;

    /// Waits until the guest can use the device.
    ///
    /// # Errors
    ///
    /// The guest has no driver for it, or did not answer.
    fn wait_for_device(&self, vm: &VmId, channel: Uuid) -> Result<(), Error>;

    /// Takes a device off the VM.
    ///
    /// # Errors
    ///
    /// The hypervisor refuses.
    fn remove_device(&self, vm: &VmId, channel: Uuid) -> Result<(), Error>;
}

/// Plan 9 shares, and the guest's mounts of them.
pub trait ShareHost: Send + Sync {
    /// Checks that a folder can be shared.
    ///
    /// # Errors
    ///
    /// There is no such folder.
    fn check_folder(&self, path: &Path) -> Result<(), Error>;

    /// Shares a folder of this host with a running VM.
    ///
    /// # Errors
    ///
    /// There is no such folder, or the name is taken.
    fn add_share(&self, vm: &VmId, share: &SharedFolder) -> Result<(), Error>;

    /// Takes a share off the VM.
    ///
    /// # Errors
    ///
    /// The hypervisor refuses.
    fn remove_share(&self, vm: &VmId, name: &str) -> Result<(), Error>;

    /// Mounts a share at `guest_path` in the guest.
    ///
    /// # Errors
    ///
    /// The guest cannot mount it.
    fn mount_share(
        &self,
        vm: &VmId,
        name: &str,
        guest_path: &str,
        read_only: bool,
    ) -> Result<(), Error>;

    /// Unmounts what `mount_share` mounted there.
    ///
    /// # Errors
    ///
    /// It is in use.
    fn unmount_share(&self, vm: &VmId, guest_path: &str) -> Result<(), Error>;
}

/// Network namespaces, and the VM's network adapters.
pub trait NetworkHost: Send + Sync {
    /// The endpoints in a namespace of this host.
    ///
    /// # Errors
    ///
    /// There is no such namespace.
    fn endpoints(&self, namespace: &NamespaceId) -> Result<Vec<Endpoint>, Error>;

    /// Plugs an endpoint into the VM behind adapter `nic`, and sets it up in the guest: in the
    /// guest's own namespace for the pod where it has namespaces (`namespace`), else for all.
    ///
    /// # Errors
    ///
    /// The endpoint is in use, or the guest cannot set it up.
    fn add_nic(
        &self,
        vm: &VmId,
        nic: &NicId,
        endpoint: &Endpoint,
        namespace: Option<&NamespaceId>,
    ) -> Result<(), Error>;

    /// Takes an adapter out of the guest and off the VM.
    ///
    /// # Errors
    ///
    /// The guest or the hypervisor refuses.
    fn remove_nic(&self, vm: &VmId, nic: &NicId) -> Result<(), Error>;
}

/// The guest's containers. `container` is always the id inside the guest, which never changes.
pub trait ContainerHost: Send + Sync {
    /// Puts the layers (guest paths, in order, and the writable one) together at `rootfs`.
    ///
    /// # Errors
    ///
    /// The guest cannot.
    fn combine_layers(
        &self,
        vm: &VmId,
        layers: &[String],
        scratch: Option<&str>,
        rootfs: &str,
    ) -> Result<(), Error>;

    /// Takes apart what `combine_layers` put together at `rootfs`.
    ///
    /// # Errors
    ///
    /// It is in use.
    fn remove_layers(&self, vm: &VmId, rootfs: &str) -> Result<(), Error>;

    /// Creates a container in the guest.
    ///
    /// # Errors
    ///
    /// It exists, or the guest cannot.
    fn create_container(&self, vm: &VmId, container: &GcsId, rootfs: &str) -> Result<(), Error>;

    /// Takes up a container that runs in the guest already.
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

/// Which process: of which VM, in which container of its guest, under which exec id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessKey<'a> {
    /// The VM.
    pub vm: &'a VmId,
    /// The container's id inside the guest.
    pub container: &'a GcsId,
    /// The exec id, empty for the init process.
    pub exec: &'a ExecId,
}

/// The vsock ports of a process's IO; `None` where it is not connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StdPorts {
    /// Standard input.
    pub stdin: Option<NonZeroU32>,
    /// Standard output.
    pub stdout: Option<NonZeroU32>,
    /// Standard error.
    pub stderr: Option<NonZeroU32>,
}

/// This host's ends of a process's IO: paths of pipes or files, `None` where there is none.
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

/// What a process is started or taken up again with.
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
    /// How long a lost connection of its IO is tried again; `None` for not at all.
    pub io_retry_timeout: Option<Duration>,
    /// The message id of the call on the bridge that waits for its exit; 0 when none waits.
    pub wait_call_id: i64,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code; 128 plus the signal for one that was killed.
    pub code: u32,
    /// When.
    pub at: SystemTime,
}

/// What is told the end of a process: called at most once, not from inside a call to the host.
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

    /// Lets the process's IO and exit stand still: on return no byte is on its way, no exit is
    /// told and no callback runs.
    ///
    /// # Errors
    ///
    /// The IO does not come to a halt.
    fn freeze_process(&self, process: ProcessKey<'_>) -> Result<(), Error>;

    /// Takes a freeze back; an exit in between is told now.
    ///
    /// # Errors
    ///
    /// The IO cannot go on.
    fn thaw_process(&self, process: ProcessKey<'_>) -> Result<(), Error>;

    /// Opens the IO for a process that came with its guest to this host, without reading or
    /// writing any of it before [`resume_process`](ProcessHost::resume_process).
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

    /// Lets go of a process, whether it runs, is frozen, adopted or has exited: closes this host's
    /// ends of its IO and forgets its exit. The process itself is not touched.
    ///
    /// # Errors
    ///
    /// Something could not be closed.
    fn release_process(&self, process: ProcessKey<'_>) -> Result<(), Error>;
}

/// Everything that a host does for a sandbox; implemented by whatever implements the parts.
pub trait HostServices:
    VmHost + DiskHost + DeviceHost + ShareHost + NetworkHost + ContainerHost + ProcessHost + 'static
{
}

impl<H> HostServices for H where
    H: VmHost
        + DiskHost
        + DeviceHost
        + ShareHost
        + NetworkHost
        + ContainerHost
        + ProcessHost
        + 'static
{
}

/// The host, as the controllers hold it and as a resource of the hooks' context.
#[derive(Clone)]
pub struct Host(Arc<dyn HostServices>);

impl Host {
    /// The host that `services` are the services of.
    pub fn new(services: Arc<impl HostServices>) -> Self {
        Self(services)
    }
}

impl Deref for Host {
    type Target = dyn HostServices;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Host")
    }
}

/// One VM on its host: what the controllers of its devices and containers are bound to.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The host.
    pub host: Host,
    /// The VM's id on it.
    pub vm: VmId,
}
