//! A host in memory, for tests, benchmarks and the sample. It keeps its state, records every call and
//! fails on request.

mod devices;
mod guest;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use snapshot_core::Error;
use uuid::Uuid;

use super::host::{Exit, Host, OnExit, ProcessKey};
use super::ids::{EndpointId, GcsId, NicId, VmId};
use super::lock;
use super::scsi::Slot;

/// A host in memory.
///
/// ```
/// use snapshot_examples::lcow::{FakeHost, sample};
///
/// let host = FakeHost::new();
/// host.fail("pause_vm", 1);
/// let sandbox = sample::sandbox_on(&host, 2)?;
/// assert!(host.world().vms.len() == 1);
/// # Ok::<(), snapshot_core::Error>(())
/// ```
#[derive(Default)]
pub struct FakeHost {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    world: World,
    calls: Vec<String>,
    /// The operations that fail, each with the number of calls until then.
    failures: BTreeMap<String, usize>,
    exits: BTreeMap<String, Running>,
    next_pid: i32,
}

/// A process whose exit the host has not reported yet.
struct Running {
    on_exit: OnExit,
    frozen: bool,
    held_back: Option<Exit>,
}

/// The state of a host, to compare before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// The VMs.
    pub vms: BTreeMap<VmId, FakeVm>,
    /// The paths that each VM may open.
    pub access: BTreeSet<(VmId, PathBuf)>,
    /// The disks that are open for a VM that is still to come.
    pub prepared_disks: BTreeMap<(VmId, Slot), PathBuf>,
    /// The processes whose IO is open here, by VM, container and exec id.
    pub open_io: BTreeSet<String>,
}

/// A VM of a [`FakeHost`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FakeVm {
    /// Whether it was started.
    pub started: bool,
    /// Whether it is paused.
    pub paused: bool,
    /// Its disks.
    pub disks: BTreeMap<Slot, PathBuf>,
    /// Its devices.
    pub devices: BTreeMap<Uuid, String>,
    /// Its shares.
    pub shares: BTreeMap<String, PathBuf>,
    /// The mounts in the guest.
    pub mounts: BTreeSet<String>,
    /// Its adapters, with the ids of their endpoints.
    pub nics: BTreeMap<NicId, EndpointId>,
    /// The containers that were created or opened from here.
    pub containers: BTreeSet<GcsId>,
    /// Its document.
    pub document: Option<serde_json::Value>,
}

impl FakeHost {
    /// Creates an empty host.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Returns the host for the controllers.
    pub fn handle(self: &Arc<Self>) -> Host {
        Host::new(Arc::clone(self))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// Returns the state of the host.
    pub fn world(&self) -> World {
        self.lock().world.clone()
    }

    /// Returns the calls so far in order, each as `operation subject`.
    pub fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    /// Clears the record of calls.
    pub fn clear_calls(&self) {
        self.lock().calls.clear();
    }

    /// Makes the `nth` call from now (1 is the next) of an operation, such as `mount_disk`, fail once.
    pub fn fail(&self, operation: &str, nth: usize) {
        self.lock().failures.insert(operation.to_owned(), nth.max(1));
    }

    /// Returns whether every requested failure has happened.
    pub fn has_failed(&self) -> bool {
        self.lock().failures.is_empty()
    }

    /// Ends a process: reports its exit, or delays the report while the process is frozen. Returns
    /// whether there was such a process.
    pub fn exit(&self, process: ProcessKey<'_>, exit: Exit) -> bool {
        let name = name(process);
        let mut inner = self.lock();
        let Some(mut running) = inner.exits.remove(&name) else { return false };
        if running.frozen {
            running.held_back = Some(exit);
            inner.exits.insert(name, running);
            return true;
        }
        drop(inner);
        (running.on_exit)(exit);
        true
    }

    /// Records a call, and fails if a failure was requested for it.
    fn call(
        &self,
        operation: &str,
        subject: impl fmt::Display,
    ) -> Result<MutexGuard<'_, Inner>, Error> {
        let mut inner = self.lock();
        inner.calls.push(format!("{operation} {subject}"));
        match inner.failures.get_mut(operation) {
            Some(1) => {
                inner.failures.remove(operation);
                Err(Error::internal(format!(
                    "the host was configured to fail {operation} {subject}"
                )))
            }
            Some(left) => {
                *left -= 1;
                Ok(inner)
            }
            None => Ok(inner),
        }
    }
}

impl fmt::Debug for FakeHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeHost").field("world", &self.world()).finish_non_exhaustive()
    }
}

fn name(process: ProcessKey<'_>) -> String {
    format!("{}/{}/{:?}", process.vm, process.container, process.exec.as_str())
}

impl Inner {
    fn vm(&mut self, vm: &VmId) -> Result<&mut FakeVm, Error> {
        let found = self.world.vms.get_mut(vm);
        found.ok_or_else(|| Error::invalid(format!("there is no VM {vm}")))
    }

    /// Removes a VM and everything about it.
    fn forget(&mut self, vm: &VmId) {
        self.world.vms.remove(vm);
        self.world.access.retain(|(owner, _)| owner != vm);
    }
}
