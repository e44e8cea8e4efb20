//! The services that the controllers need from their host, as traits.
//!
//! A program implements them once for its platform and hands them to the controllers as a [`Host`]:
//! at the start of the sandbox, and on the destination as a resource of the hooks' context.
//! [`FakeHost`](super::FakeHost) implements them in memory.
//!
//! Every call blocks until it is done. The calling controller holds its lock meanwhile, so a call
//! must not call back into the sandbox. The only callback is [`OnExit`]. The only call that may
//! wait for a callback is [`ProcessHost::freeze_process`], during which no lock is held.
//!
//! A call that returns an error has changed nothing. Calls that undo or remove something (`detach`,
//! `remove`, `unmount`, `terminate`, `release`, `revoke`, `discard`, `thaw`, `unpause`) succeed if
//! there is nothing to do.

mod devices;
mod guest;
mod vm;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

pub use devices::{AssignedDevice, DeviceHost, DiskHost, NetworkHost, ShareHost, SharedFolder};
pub use guest::{
    ContainerHost, Exit, OnExit, ProcessConfig, ProcessHost, ProcessIo, ProcessKey, StdPorts,
};
pub use vm::{VmConfig, VmHost, VmStart};

use super::ids::VmId;

/// All services of a host; implemented by every type that implements the parts.
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
    /// Creates the host with these services.
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

/// One VM on its host, to which the controllers of its devices and containers are bound.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The host.
    pub host: Host,
    /// The VM's id on it.
    pub vm: VmId,
}
