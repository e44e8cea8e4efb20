//! A host in memory, for tests, benchmarks and the sample: it keeps what it is told, records every
//! call and fails where it is told to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use snapshot_core::Error;
use uuid::Uuid;

use super::host::{
    AssignedDevice, ContainerHost, DeviceHost, DiskHost, Exit, Host, NetworkHost, OnExit,
    ProcessConfig, ProcessHost, ProcessKey, ShareHost, SharedFolder, VmConfig, VmHost, VmStart,
};
use super::ids::{EndpointId, GcsId, MacAddress, NamespaceId, NicId, VmId};
use super::lock;
use super::network::Endpoint;
use super::scsi::{DiskConfig, MountConfig, Slot};

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
    /// After how many more calls of an operation it fails.
    failures: BTreeMap<String, usize>,
    exits: BTreeMap<String, Running>,
    next_pid: i32,
}

/// A process whose exit the host still has to tell.
struct Running {
    on_exit: OnExit,
    frozen: bool,
    held_back: Option<Exit>,
}

/// What a host has, for comparing before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// The VMs.
    pub vms: BTreeMap<VmId, FakeVm>,
    /// Who may open which path.
    pub access: BTreeSet<(VmId, PathBuf)>,
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
    /// What the guest has mounted.
    pub mounts: BTreeSet<String>,
    /// Its adapters, with the ids of their endpoints.
    pub nics: BTreeMap<NicId, EndpointId>,
    /// The containers that were created or opened from here.
    pub containers: BTreeSet<GcsId>,
    /// Its document.
    pub document: Option<serde_json::Value>,
}

impl FakeHost {
    /// A host with nothing on it.
    #[expect(clippy::new_ret_no_self, reason = "a host is always shared with the controllers")]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// The host as the controllers hold it.
    pub fn handle(self: &Arc<Self>) -> Host {
        Host::new(Arc::clone(self))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// What the host has.
    pub fn world(&self) -> World {
        self.lock().world.clone()
    }

    /// The calls so far, each as `operation subject`, in order.
    pub fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        self.lock().calls.clear();
    }

    /// Makes the `nth` call from now (1 is the next) of an operation, `mount_disk` for instance,
    /// fail, once.
    pub fn fail(&self, operation: &str, nth: usize) {
        self.lock().failures.insert(operation.to_owned(), nth.max(1));
    }

    /// Whether every failure that was asked for has happened.
    pub fn has_failed(&self) -> bool {
        self.lock().failures.is_empty()
    }

    /// Ends a process: tells its exit, or holds it back while the process is frozen. Returns whether
    /// there was such a process.
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

    /// Records a call, and fails it if it was told to.
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
                Err(Error::internal(format!("the host was told to fail {operation} {subject}")))
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

    /// Forgets a VM and everything about it.
    fn forget(&mut self, vm: &VmId) {
        self.world.vms.remove(vm);
        self.world.access.retain(|(owner, _)| owner != vm);
    }
}

/// Inserts what must not be there yet.
fn insert<K: Ord + fmt::Display, V>(
    map: &mut BTreeMap<K, V>,
    key: K,
    value: V,
) -> Result<(), Error> {
    if map.contains_key(&key) {
        return Err(Error::precondition(format!("{key} is taken")));
    }
    map.insert(key, value);
    Ok(())
}

impl VmHost for FakeHost {
    fn create_vm(&self, vm: &VmId, config: &VmConfig) -> Result<(), Error> {
        let mut inner = self.call("create_vm", vm)?;
        let disks = config.disks.iter().map(|(slot, disk)| (*slot, disk.host_path.clone()));
        let shares = config.shares.iter().map(|share| (share.name.clone(), share.path.clone()));
        let devices = config.devices.iter().map(|d| (d.channel, d.instance_id.clone()));
        let created = FakeVm {
            disks: disks.collect(),
            shares: shares.collect(),
            devices: devices.collect(),
            document: config.document.clone(),
            ..FakeVm::default()
        };
        insert(&mut inner.world.vms, vm.clone(), created)
    }

    fn start_vm(&self, vm: &VmId, start: VmStart) -> Result<(), Error> {
        let how = match start {
            VmStart::Boot => "boot".to_owned(),
            VmStart::Migrated { next_port, next_call_id } => {
                format!("migrated, ports from {next_port}, calls from {next_call_id}")
            }
        };
        self.call("start_vm", format_args!("{vm} ({how})"))?.vm(vm)?.started = true;
        Ok(())
    }

    fn compat_info(&self, vm: &VmId) -> Result<Vec<u8>, Error> {
        self.call("compat_info", vm)?.vm(vm)?;
        Ok(b"fake hypervisor 1".to_vec())
    }

    fn pause_vm(&self, vm: &VmId) -> Result<(), Error> {
        self.call("pause_vm", vm)?.vm(vm)?.paused = true;
        Ok(())
    }

    fn unpause_vm(&self, vm: &VmId) -> Result<(), Error> {
        self.call("unpause_vm", vm)?.vm(vm)?.paused = false;
        Ok(())
    }

    fn release_vm(&self, vm: &VmId) -> Result<(), Error> {
        self.call("release_vm", vm)?.forget(vm);
        Ok(())
    }

    fn terminate_vm(&self, vm: &VmId) -> Result<(), Error> {
        self.call("terminate_vm", vm)?.forget(vm);
        Ok(())
    }
}

impl DiskHost for FakeHost {
    fn grant_access(&self, vm: &VmId, path: &Path) -> Result<(), Error> {
        let mut inner = self.call("grant_access", path.display())?;
        inner.world.access.insert((vm.clone(), path.to_owned()));
        Ok(())
    }

    fn revoke_access(&self, vm: &VmId, path: &Path) -> Result<(), Error> {
        let mut inner = self.call("revoke_access", path.display())?;
        inner.world.access.remove(&(vm.clone(), path.to_owned()));
        Ok(())
    }

    fn attach_disk(&self, vm: &VmId, slot: Slot, disk: &DiskConfig) -> Result<(), Error> {
        let mut inner = self.call("attach_disk", slot)?;
        insert(&mut inner.vm(vm)?.disks, slot, disk.host_path.clone())
    }

    fn eject_disk(&self, vm: &VmId, slot: Slot) -> Result<(), Error> {
        self.call("eject_disk", slot)?.vm(vm).map(|_| ())
    }

    fn detach_disk(&self, vm: &VmId, slot: Slot) -> Result<(), Error> {
        self.call("detach_disk", slot)?.vm(vm)?.disks.remove(&slot);
        Ok(())
    }

    fn mount_disk(
        &self,
        vm: &VmId,
        slot: Slot,
        partition: u64,
        _: &MountConfig,
        guest_path: &str,
    ) -> Result<(), Error> {
        let mut inner = self.call("mount_disk", format_args!("{slot}/{partition}"))?;
        inner.vm(vm)?.mounts.insert(guest_path.to_owned());
        Ok(())
    }

    fn unmount_disk(&self, vm: &VmId, guest_path: &str) -> Result<(), Error> {
        self.call("unmount_disk", guest_path)?.vm(vm)?.mounts.remove(guest_path);
        Ok(())
    }
}

impl DeviceHost for FakeHost {
    fn check_device(&self, instance_id: &str) -> Result<(), Error> {
        self.call("check_device", instance_id).map(|_| ())
    }

    fn assign_device(&self, vm: &VmId, device: &AssignedDevice) -> Result<(), Error> {
        let mut inner = self.call("assign_device", &device.instance_id)?;
        insert(&mut inner.vm(vm)?.devices, device.channel, device.instance_id.clone())
    }

    fn wait_for_device(&self, vm: &VmId, channel: Uuid) -> Result<(), Error> {
        self.call("wait_for_device", channel)?.vm(vm).map(|_| ())
    }

    fn remove_device(&self, vm: &VmId, channel: Uuid) -> Result<(), Error> {
        self.call("remove_device", channel)?.vm(vm)?.devices.remove(&channel);
        Ok(())
    }
}

impl ShareHost for FakeHost {
    fn check_folder(&self, path: &Path) -> Result<(), Error> {
        self.call("check_folder", path.display()).map(|_| ())
    }

    fn add_share(&self, vm: &VmId, share: &SharedFolder) -> Result<(), Error> {
        let mut inner = self.call("add_share", share.path.display())?;
        insert(&mut inner.vm(vm)?.shares, share.name.clone(), share.path.clone())
    }

    fn remove_share(&self, vm: &VmId, name: &str) -> Result<(), Error> {
        self.call("remove_share", name)?.vm(vm)?.shares.remove(name);
        Ok(())
    }

    fn mount_share(&self, vm: &VmId, name: &str, guest_path: &str, _: bool) -> Result<(), Error> {
        let mut inner = self.call("mount_share", name)?;
        inner.vm(vm)?.mounts.insert(guest_path.to_owned());
        Ok(())
    }

    fn unmount_share(&self, vm: &VmId, guest_path: &str) -> Result<(), Error> {
        self.call("unmount_share", guest_path)?.vm(vm)?.mounts.remove(guest_path);
        Ok(())
    }
}

impl NetworkHost for FakeHost {
    /// Every namespace has one endpoint, `NAMESPACE-eth0`.
    fn endpoints(&self, namespace: &NamespaceId) -> Result<Vec<Endpoint>, Error> {
        drop(self.call("endpoints", namespace)?);
        Ok(vec![Endpoint {
            endpoint_id: EndpointId::from(format!("{namespace}-endpoint")),
            mac_address: MacAddress::from("00-15-5D-00-00-01"),
            endpoint_name: format!("{namespace}-eth0"),
        }])
    }

    fn add_nic(
        &self,
        vm: &VmId,
        nic: &NicId,
        endpoint: &Endpoint,
        _: Option<&NamespaceId>,
    ) -> Result<(), Error> {
        let mut inner = self.call("add_nic", &endpoint.endpoint_id)?;
        insert(&mut inner.vm(vm)?.nics, nic.clone(), endpoint.endpoint_id.clone())
    }

    fn remove_nic(&self, vm: &VmId, nic: &NicId) -> Result<(), Error> {
        self.call("remove_nic", nic)?.vm(vm)?.nics.remove(nic);
        Ok(())
    }
}

impl ContainerHost for FakeHost {
    fn combine_layers(
        &self,
        vm: &VmId,
        _: &[String],
        _: Option<&str>,
        rootfs: &str,
    ) -> Result<(), Error> {
        self.call("combine_layers", rootfs)?.vm(vm)?.mounts.insert(rootfs.to_owned());
        Ok(())
    }

    fn remove_layers(&self, vm: &VmId, rootfs: &str) -> Result<(), Error> {
        self.call("remove_layers", rootfs)?.vm(vm)?.mounts.remove(rootfs);
        Ok(())
    }

    fn create_container(&self, vm: &VmId, container: &GcsId, _: &str) -> Result<(), Error> {
        self.call("create_container", container)?.vm(vm)?.containers.insert(container.clone());
        Ok(())
    }

    fn open_container(&self, vm: &VmId, container: &GcsId) -> Result<(), Error> {
        self.call("open_container", container)?.vm(vm)?.containers.insert(container.clone());
        Ok(())
    }

    fn delete_container(&self, vm: &VmId, container: &GcsId) -> Result<(), Error> {
        self.call("delete_container", container)?.vm(vm)?.containers.remove(container);
        Ok(())
    }
}

impl ProcessHost for FakeHost {
    fn start_process(
        &self,
        process: ProcessKey<'_>,
        _: ProcessConfig<'_>,
        on_exit: OnExit,
    ) -> Result<i32, Error> {
        let name = name(process);
        let mut inner = self.call("start_process", &name)?;
        inner.vm(process.vm)?;
        inner.world.open_io.insert(name.clone());
        inner.exits.insert(name, Running { on_exit, frozen: false, held_back: None });
        inner.next_pid += 1;
        Ok(inner.next_pid)
    }

    fn signal_process(&self, process: ProcessKey<'_>, _: i32, signal: i32) -> Result<(), Error> {
        let subject = format!("{} {signal}", name(process));
        self.call("signal_process", subject).map(|_| ())
    }

    fn freeze_process(&self, process: ProcessKey<'_>) -> Result<(), Error> {
        let name = name(process);
        let mut inner = self.call("freeze_process", &name)?;
        if let Some(running) = inner.exits.get_mut(&name) {
            running.frozen = true;
        }
        Ok(())
    }

    fn thaw_process(&self, process: ProcessKey<'_>) -> Result<(), Error> {
        let name = name(process);
        let mut inner = self.call("thaw_process", &name)?;
        let Some(mut running) = inner.exits.remove(&name) else { return Ok(()) };
        running.frozen = false;
        match running.held_back.take() {
            None => {
                inner.exits.insert(name, running);
            }
            Some(exit) => {
                drop(inner);
                (running.on_exit)(exit);
            }
        }
        Ok(())
    }

    fn adopt_process(
        &self,
        process: ProcessKey<'_>,
        _: i32,
        _: ProcessConfig<'_>,
        on_exit: OnExit,
    ) -> Result<(), Error> {
        let name = name(process);
        let mut inner = self.call("adopt_process", &name)?;
        inner.world.open_io.insert(name.clone());
        inner.exits.insert(name, Running { on_exit, frozen: true, held_back: None });
        Ok(())
    }

    fn resume_process(&self, process: ProcessKey<'_>) -> Result<(), Error> {
        let name = name(process);
        let mut inner = self.call("resume_process", &name)?;
        match inner.exits.get_mut(&name) {
            Some(running) => {
                running.frozen = false;
                Ok(())
            }
            None => Err(Error::invalid(format!("process {name} was not adopted"))),
        }
    }

    fn release_process(&self, process: ProcessKey<'_>) -> Result<(), Error> {
        let name = name(process);
        let mut inner = self.call("release_process", &name)?;
        inner.world.open_io.remove(&name);
        inner.exits.remove(&name);
        Ok(())
    }
}
