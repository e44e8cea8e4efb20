//! One host: the folder with its resources, and the VM that runs on it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use snapshot_core::{Code, Controller, Error};
use snapshot_examples::lcow::host::{
    AssignedDevice, ContainerHost, OnExit, ProcessConfig, ProcessHost, ProcessKey, SharedFolder,
    VmConfig, VmHost, VmStart,
};
use snapshot_examples::lcow::{DiskConfig, GcsId, NicId, Sandbox, Slot, VmId};
use uuid::Uuid;

use crate::shim::confine::{private_folder, step};
use crate::shim::guest::{Guest, at};
use crate::shim::lock::lock;
use crate::shim::processes::{Key, Origin, Processes, Wiring};
use crate::shim::storage::Disk;

/// A host of the demonstration: a folder with the counterparts of real hardware.
///
/// ```text
/// disks/       disk images            shares/      folders to share
/// devices/     devices to assign      namespaces/  network namespaces with their endpoints
/// bundles/     OCI bundles, logs      vms/         the VMs that exist here
/// ```
pub(crate) struct Machine {
    dir: PathBuf,
    guest: Guest,
    processes: Processes,
    pub(crate) vms: Mutex<BTreeMap<VmId, Hosted>>,
    /// The disks of VMs that have not arrived yet. They are open but not locked.
    pub(crate) prepared: Mutex<BTreeMap<(VmId, Slot), Disk>>,
    /// The images that VMs may open.
    pub(crate) granted: Mutex<BTreeSet<(VmId, PathBuf)>>,
}

/// A VM that exists on this host.
#[derive(Debug, Default)]
pub(crate) struct Hosted {
    running: bool,
    pub(crate) disks: BTreeMap<Slot, Disk>,
    pub(crate) shares: BTreeMap<String, File>,
    pub(crate) devices: BTreeMap<Uuid, File>,
    pub(crate) nics: BTreeMap<NicId, File>,
}

/// The requirements of the guest on a destination, written by `compat_info`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Compat {
    architecture: String,
    kernel: String,
}

impl Compat {
    fn here() -> Result<Self, Error> {
        let path = Path::new("/proc/sys/kernel/osrelease");
        let kernel = std::fs::read_to_string(path).map_err(|error| at(path, error))?;
        Ok(Self {
            architecture: std::env::consts::ARCH.to_owned(),
            kernel: kernel.trim().to_owned(),
        })
    }
}

impl Machine {
    /// Creates a host in the folder `dir` with this guest.
    ///
    /// # Errors
    ///
    /// If the folder cannot be created, or the relay cannot be started.
    pub(crate) fn new(dir: &Path, guest: Guest, origin: Origin) -> Result<Arc<Self>, Error> {
        for part in ["bundles", "vms", "devices", "namespaces"] {
            private_folder(&dir.join(part))?;
        }
        Ok(Arc::new(Self {
            dir: dir.to_owned(),
            processes: Processes::new(guest.clone(), origin)?,
            guest,
            vms: Mutex::default(),
            prepared: Mutex::default(),
            granted: Mutex::default(),
        }))
    }

    /// Returns the host's folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the guest.
    pub(crate) fn guest(&self) -> &Guest {
        &self.guest
    }

    /// Returns the processes of the guest, as this host knows them.
    pub(crate) fn processes(&self) -> &Processes {
        &self.processes
    }

    /// Calls a function with a VM of this host.
    pub(crate) fn with_vm<T>(
        &self,
        vm: &VmId,
        act: impl FnOnce(&mut Hosted) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match lock(&self.vms).get_mut(vm) {
            Some(hosted) => act(hosted),
            None => Err(Error::precondition(format!("there is no VM {vm} on this host"))),
        }
    }

    fn record(&self, vm: &VmId) -> Result<PathBuf, Error> {
        Ok(self.dir.join("vms").join(step(vm.as_str())?))
    }

    /// Removes a VM from this host, with all its locks.
    fn forget(&self, vm: &VmId) -> Result<(), Error> {
        lock(&self.vms).remove(vm);
        lock(&self.prepared).retain(|(of, _), _| of != vm);
        lock(&self.granted).retain(|(of, _)| of != vm);
        let record = self.record(vm)?;
        match std::fs::remove_file(&record) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(&record, error)),
            _ => Ok(()),
        }
    }

    /// The guest must find every disk that it knows in its slot, and no other.
    fn check_disks(&self, hosted: &Hosted) -> Result<(), Error> {
        let known = self.guest.disks()?;
        let here: BTreeMap<_, _> =
            hosted.disks.iter().map(|(slot, disk)| (slot.to_string(), disk.volume())).collect();
        let wrong = known
            .iter()
            .filter(|(slot, volume)| here.get(*slot) != Some(volume))
            .chain(here.iter().filter(|(slot, _)| !known.contains_key(*slot)));
        Error::collect(wrong.map(|(slot, _)| {
            Error::precondition(format!(
                "the guest has volume {} in SCSI slot {slot} and would find {}",
                known.get(slot).map_or_else(|| "(none)".to_owned(), ToString::to_string),
                here.get(slot).map_or_else(|| "(none)".to_owned(), ToString::to_string),
            ))
        }))
    }

    fn attach_all(&self, vm: &VmId, hosted: &mut Hosted, config: &VmConfig) -> Result<(), Error> {
        for (slot, disk) in &config.disks {
            let prepared = lock(&self.prepared).remove(&(vm.clone(), *slot));
            hosted.attach(*slot, disk, prepared)?;
        }
        // Prepared disks that no longer belong to the VM.
        lock(&self.prepared).retain(|(of, _), _| of != vm);
        for SharedFolder { name, path, .. } in &config.shares {
            hosted.shares.insert(name.clone(), File::open(path).map_err(|error| at(path, error))?);
        }
        for AssignedDevice { channel, instance_id, .. } in &config.devices {
            hosted.devices.insert(*channel, self.claim_device(instance_id)?);
        }
        let record = self.record(vm)?;
        let document = config.document.clone().unwrap_or_default();
        std::fs::write(&record, format!("{document:#}\n")).map_err(|error| at(&record, error))
    }
}

impl Hosted {
    /// Attaches a disk, and locks it. It is opened unless it is `prepared`.
    pub(crate) fn attach(
        &mut self,
        slot: Slot,
        config: &DiskConfig,
        prepared: Option<Disk>,
    ) -> Result<(), Error> {
        if self.disks.contains_key(&slot) {
            return Err(Error::precondition(format!("SCSI slot {slot} is taken")));
        }
        let is_it = |disk: &Disk| disk.is_open(&config.host_path, config.read_only);
        let disk = match prepared.filter(is_it) {
            Some(disk) => disk,
            None => Disk::open(&config.host_path, config.read_only)?,
        };
        disk.lock()?;
        self.disks.insert(slot, disk);
        Ok(())
    }
}

impl VmHost for Machine {
    fn create_vm(&self, vm: &VmId, config: &VmConfig) -> Result<(), Error> {
        if !config.compat_info.is_empty() {
            let needed: Compat = serde_json::from_slice(&config.compat_info).map_err(|error| {
                Error::new(Code::Unimplemented, format!("compat_info is not understood: {error}"))
            })?;
            let here = Compat::here()?;
            if needed != here {
                return Err(Error::precondition(format!(
                    "the VM needs {needed:?}, this host is {here:?}"
                )));
            }
        }
        if lock(&self.vms).contains_key(vm) {
            return Err(Error::precondition(format!("VM {vm} exists already on this host")));
        }
        // The locks are released with `hosted` if it fails.
        let mut hosted = Hosted::default();
        self.attach_all(vm, &mut hosted, config)?;
        lock(&self.vms).insert(vm.clone(), hosted);
        Ok(())
    }

    fn start_vm(&self, vm: &VmId, start: VmStart) -> Result<(), Error> {
        self.with_vm(vm, |hosted| {
            match start {
                VmStart::Boot => {
                    for (slot, disk) in &hosted.disks {
                        self.guest.put_disk(*slot, disk.volume())?;
                    }
                }
                VmStart::Migrated { .. } => self.check_disks(hosted)?,
            }
            // A migrated guest continues when the gate opens; see `Processes::open`.
            hosted.running = true;
            Ok(())
        })
    }

    fn compat_info(&self, vm: &VmId) -> Result<Vec<u8>, Error> {
        self.with_vm(vm, |_| {
            serde_json::to_vec(&Compat::here()?)
                .map_err(|error| Error::internal(error.to_string()).with_source(error))
        })
    }

    fn pause_vm(&self, vm: &VmId) -> Result<(), Error> {
        self.processes.pause_all()?;
        self.with_vm(vm, |hosted| {
            hosted.running = false;
            flush_all(hosted.disks.values())?;
            Error::collect(hosted.disks.values().filter_map(|disk| disk.unlock().err()))
        })
    }

    fn unpause_vm(&self, vm: &VmId) -> Result<(), Error> {
        self.with_vm(vm, |hosted| {
            Error::collect(hosted.disks.values().filter_map(|disk| disk.lock().err()))?;
            hosted.running = true;
            Ok(())
        })?;
        self.processes.unpause_all()
    }

    fn release_vm(&self, vm: &VmId) -> Result<(), Error> {
        self.forget(vm)
    }

    fn terminate_vm(&self, vm: &VmId) -> Result<(), Error> {
        let runs = lock(&self.vms).get(vm).is_some_and(|hosted| hosted.running);
        let ended = if runs { self.processes.power_off() } else { Ok(()) };
        let forgotten = self.forget(vm);
        Error::collect([ended.err(), forgotten.err()].into_iter().flatten())
    }
}

impl Machine {
    /// Syncs the disks as they are now, so that a pause takes less time.
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    pub(crate) fn flush_disks(&self) -> Result<(), Error> {
        let vms = lock(&self.vms);
        flush_all(vms.values().flat_map(|hosted| hosted.disks.values()))
    }

    /// Removes everything of a dead shim of this host that is in the guest and not of this sandbox.
    /// Returns the number of processes that were ended.
    ///
    /// # Errors
    ///
    /// If the guest does not permit it.
    pub(crate) fn keep_only(&self, sandbox: &Sandbox) -> Result<usize, Error> {
        let containers: Vec<_> = sandbox.pods().iter().flat_map(|pod| pod.containers()).collect();
        let mut keys = BTreeSet::new();
        let mut mounts = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for container in &containers {
            let state = container.state();
            let id = state.gcs_container_id.as_str().to_owned();
            keys.extend(
                state
                    .processes
                    .keys()
                    .map(|exec| Key { container: id.clone(), exec: exec.as_str().to_owned() }),
            );
            ids.insert(id);
            mounts.extend(state.layers.iter().map(|layers| layers.rootfs_path.clone()));
        }
        let vm = sandbox.vm()?;
        let mut slots = BTreeSet::new();
        if let Some(scsi) = vm.scsi() {
            for (slot, disk) in &scsi.state().disks {
                slots.insert(slot.to_string());
                mounts.extend(disk.mounts.values().map(|mount| mount.guest_path.clone()));
            }
        }
        if let Some(plan9) = vm.plan9() {
            let state = plan9.state();
            let shares = state.shares.values().filter_map(|share| share.mount.as_ref());
            mounts.extend(shares.map(|mount| mount.guest_path.clone()));
        }
        let ended = self.processes.keep_only(&keys)?;
        self.guest.keep_only(&mounts, &ids, &slots)?;
        Ok(ended.len())
    }
}

/// Syncs disks. The file system waits for the device once per disk, and many of these waits can run
/// concurrently.
fn flush_all<'a>(disks: impl Iterator<Item = &'a Disk>) -> Result<(), Error> {
    const THREADS: usize = 16;
    let disks: Vec<&Disk> = disks.filter(|disk| !disk.is_flushed().unwrap_or(false)).collect();
    let share = disks.len().div_ceil(THREADS).max(1);
    let flush =
        |share: &[&Disk]| Error::collect(share.iter().filter_map(|disk| disk.flush().err())).err();
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            disks.chunks(share).map(|share| scope.spawn(move || flush(share))).collect();
        let panicked = || Some(Error::internal("a disk could not be flushed: its thread panicked"));
        let errors = threads.into_iter().filter_map(|t| t.join().unwrap_or_else(|_| panicked()));
        Error::collect(errors.collect::<Vec<_>>())
    })
}

impl ContainerHost for Machine {
    fn combine_layers(
        &self,
        vm: &VmId,
        layers: &[String],
        scratch: Option<&str>,
        rootfs: &str,
    ) -> Result<(), Error> {
        self.with_vm(vm, |_| {
            for layer in layers.iter().map(String::as_str).chain(scratch) {
                self.guest.expect_mount(layer)?;
            }
            self.guest.mount(rootfs, "layers")
        })
    }

    fn remove_layers(&self, vm: &VmId, rootfs: &str) -> Result<(), Error> {
        self.with_vm(vm, |_| self.guest.unmount(rootfs))
    }

    fn create_container(&self, vm: &VmId, container: &GcsId, rootfs: &str) -> Result<(), Error> {
        self.with_vm(vm, |_| {
            self.guest.expect_mount(rootfs)?;
            self.guest.put_container(container.as_str())
        })
    }

    fn open_container(&self, vm: &VmId, container: &GcsId) -> Result<(), Error> {
        self.with_vm(vm, |_| self.guest.expect_container(container.as_str()))
    }

    fn delete_container(&self, vm: &VmId, container: &GcsId) -> Result<(), Error> {
        self.with_vm(vm, |_| self.guest.remove_container(container.as_str()))
    }
}

impl ProcessHost for Machine {
    fn start_process(
        &self,
        process: ProcessKey<'_>,
        config: ProcessConfig<'_>,
        on_exit: OnExit,
    ) -> Result<i32, Error> {
        self.guest.expect_container(process.container.as_str())?;
        let program = program(config)?;
        self.processes
            .start(key(process), &program, wiring(config), on_exit)
            .map(|identity| identity.pid)
    }

    fn signal_process(&self, process: ProcessKey<'_>, _: i32, signal: i32) -> Result<(), Error> {
        let named = rustix::process::Signal::from_named_raw(signal)
            .ok_or_else(|| Error::invalid(format!("{signal} is not a signal")))?;
        self.processes.signal(&key(process), named)
    }

    fn freeze_process(&self, process: ProcessKey<'_>) -> Result<(), Error> {
        self.processes.freeze(&key(process))
    }

    fn thaw_process(&self, process: ProcessKey<'_>) -> Result<(), Error> {
        self.processes.thaw(&key(process))
    }

    fn adopt_process(
        &self,
        process: ProcessKey<'_>,
        pid: i32,
        config: ProcessConfig<'_>,
        on_exit: OnExit,
    ) -> Result<(), Error> {
        self.processes.adopt(key(process), pid, wiring(config), on_exit)
    }

    fn resume_process(&self, process: ProcessKey<'_>) -> Result<(), Error> {
        self.processes.thaw(&key(process))
    }

    fn release_process(&self, process: ProcessKey<'_>) -> Result<(), Error> {
        self.processes.release(&key(process));
        Ok(())
    }
}

fn key(process: ProcessKey<'_>) -> Key {
    Key { container: process.container.as_str().to_owned(), exec: process.exec.as_str().to_owned() }
}

fn wiring(config: ProcessConfig<'_>) -> Wiring<'_> {
    let ProcessConfig { bundle, io: paths, ports, wait_call_id, .. } = config;
    Wiring { bundle, paths, ports, wait_call_id }
}

/// The parts of an OCI process spec that are needed here.
#[derive(Deserialize)]
struct ProcessSpec {
    args: Vec<String>,
}

/// Returns the command line of a process: from its own spec, or for an init process from its
/// bundle.
fn program(config: ProcessConfig<'_>) -> Result<Vec<String>, Error> {
    #[derive(Deserialize)]
    struct Spec {
        process: ProcessSpec,
    }
    let path = config.bundle.join("config.json");
    let spec = match config.spec {
        Some(spec) => serde_json::from_str::<ProcessSpec>(spec),
        None => {
            let text = std::fs::read_to_string(&path).map_err(|error| at(&path, error))?;
            serde_json::from_str::<Spec>(&text).map(|spec| spec.process)
        }
    };
    let spec = spec.map_err(|error| {
        Error::invalid(format!("the process spec of {}: {error}", config.bundle.display()))
    })?;
    Ok(spec.args)
}
