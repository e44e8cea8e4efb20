//! The sandbox of the demonstration: one VM, two pods, and a workload in each container.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use serde_json::json;
use snapshot_core::{
    Code, Controller, Error, Failure, Incoming, Payload, Session, Snapshot, codec,
};
use snapshot_examples::lcow::host::ProcessIo;
use snapshot_examples::lcow::{
    Container, DiskConfig, Host, NewContainer, NewPod, NewProcess, NewVm, PatchPlan, Sandbox,
    SandboxOptions, SandboxState, ShareConfig,
};

use crate::shim::confine::private_folder;
use crate::shim::guest::{at, open_both_ways};
use crate::shim::machine::Machine;
use crate::shim::processes::Key;
use crate::shim::proof::Seen;
use crate::shim::signals;
use crate::shim::storage::Storage;
use crate::shim::workload::{self, Workload};

/// The pods.
pub(crate) const PODS: [&str; 2] = ["web", "db"];

/// The maximum number of containers.
pub(crate) const MAX_CONTAINERS: u32 = 1_000;

/// The number of containers with their own writable disk: a VM has 256 places for disks. The root
/// file systems of the others are read-only.
const WITH_SCRATCH: u32 = 250;

/// The beginning of a container's id inside the guest; the workload's name follows.
const GCS_PREFIX: &str = "guest-";

/// The time for all workloads to exit after they were asked to.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);

/// Returns the exit code of the container with this number (from 1).
fn exit_code(number: u32) -> u32 {
    number % 5
}

/// Returns the exit code of each workload.
pub(crate) fn exit_codes(containers: u32) -> BTreeMap<String, u32> {
    (1..=containers).map(|number| (format!("c{number}"), exit_code(number))).collect()
}

/// Returns the standard streams of a container on a host: files in its bundle.
pub(crate) fn io(bundle: &Path) -> ProcessIo {
    ProcessIo {
        stdin: Some(bundle.join("stdin")),
        stdout: Some(bundle.join("stdout.log")),
        stderr: Some(bundle.join("stderr.log")),
        terminal: false,
    }
}

/// Returns a container's bundle on a host.
pub(crate) fn bundle(host: &Path, container: &str) -> PathBuf {
    host.join("bundles").join(container)
}

/// Returns the host's resources for a pod besides the shared storage: a device and a network
/// namespace. The two hosts use different names.
pub(crate) fn equip(machine: &Machine, host: &str) -> Result<(), Error> {
    for (number, pod) in PODS.iter().enumerate() {
        machine.make_device(&format!("{host}-gpu-{pod}"))?;
        let mac = format!("00-15-5D-00-{:02X}-{number:02X}", host.len());
        machine.make_namespace(&format!("{host}-{pod}"), &mac)?;
    }
    Ok(())
}

/// Creates the files of a sandbox with this many containers, as far as they do not exist.
///
/// # Errors
///
/// If one cannot be created.
pub(crate) fn make_storage(
    machine: &Machine,
    storage: &Storage,
    containers: u32,
) -> Result<(), Error> {
    for disk in ["root.img", "layer.img"] {
        storage.make_disk(disk)?;
    }
    for number in 1..=containers.min(WITH_SCRATCH) {
        storage.make_disk(&format!("c{number}.img"))?;
    }
    for pod in PODS {
        storage.make_folder(pod)?;
    }
    storage.show(machine.dir())?;
    equip(machine, "source")?;
    storage.sync()
}

/// Starts a sandbox without containers on the host `source`.
///
/// # Errors
///
/// Anything that cannot be created or started.
pub(crate) fn start(machine: &Arc<Machine>) -> Result<Arc<Sandbox>, Error> {
    let disks = machine.dir().join("disks");
    let vm = NewVm {
        id: "sandbox@source".into(),
        options: SandboxOptions { architecture: "amd64".to_owned(), ..SandboxOptions::default() },
        document: json!({
            "Owner": "live_migration",
            "SchemaVersion": { "Major": 2, "Minor": 1 },
            "VirtualMachine": {
                "ComputeTopology": { "Memory": { "SizeInMB": 1024 }, "Processor": { "Count": 2 } },
            },
        }),
        scsi_controllers: 4,
        vpci: true,
        plan9: true,
    };
    let host = Host::new(Arc::clone(machine));
    let sandbox = Arc::new(Sandbox::new(host, vm)?);
    let vm = sandbox.vm()?;
    if let Some(scsi) = vm.scsi() {
        scsi.reserve_for_rootfs(DiskConfig::image(disks.join("root.img"), true))?;
    }
    vm.create()?;
    vm.start()?;
    for pod in PODS {
        sandbox.new_pod(NewPod {
            id: pod.into(),
            gcs_id: format!("{GCS_PREFIX}{pod}").into(),
            namespace: Some(format!("source-{pod}").into()),
            guest_namespaces: true,
        })?;
    }
    Ok(sandbox)
}

/// Starts the containers up to this number that the sandbox does not have, and calls `after` after
/// each.
///
/// # Errors
///
/// If one cannot be created or started.
pub(crate) fn start_containers(
    machine: &Machine,
    sandbox: &Sandbox,
    containers: u32,
    mut after: impl FnMut(),
) -> Result<(), Error> {
    for number in 1..=containers {
        if signals::requested() {
            break;
        }
        if sandbox.container(&format!("c{number}").into()).is_some() {
            continue;
        }
        let pod = PODS[(number as usize - 1) % PODS.len()];
        let new = new_container(machine, number, containers, pod)?;
        let container = sandbox.new_container(&pod.into(), new)?;
        container.create()?;
        container.start()?;
        after();
    }
    Ok(())
}

/// Continues a sandbox from a checkpoint: its VM runs, and its processes are found again. A setup
/// that an earlier shim had not finished is removed.
///
/// # Errors
///
/// If the checkpoint cannot be restored, or the guest does not match it. In the second case nothing
/// was changed.
pub(crate) fn take_up(
    machine: &Arc<Machine>,
    checkpoint: Incoming,
    plan: fn(&Machine) -> PatchPlan,
) -> Result<Arc<Sandbox>, Error> {
    let imported = checkpoint.import::<Sandbox>()?;
    machine.processes().take_bridge()?;
    machine.keep_only(imported.root())?;
    remove_logs(machine, imported.root())?;
    let plan = plan(machine);
    let session =
        Session::new().resource(Arc::new(Host::new(Arc::clone(machine)))).resource(Arc::new(plan));
    let patched = block_on(imported.patch(&session)).map_err(Failure::into_error)?;
    let sandbox = block_on(patched.resume(&session)).map_err(Failure::into_error)?;
    // Its network adapters are in the guest already; the host's side of them ended with the earlier
    // shim.
    let vm = sandbox.vm()?.binding()?;
    for network in sandbox.pods().iter().filter_map(|pod| pod.network()) {
        let state = network.state();
        for (nic, endpoint) in &state.vm_endpoints {
            if !machine.with_vm(&vm.vm, |hosted| Ok(hosted.nics.contains_key(nic)))? {
                vm.host.add_nic(&vm.vm, nic, endpoint, None)?;
            }
        }
    }
    machine.processes().open()?;
    Ok(sandbox)
}

/// Removes the bundles of containers that the sandbox does not have: those whose start was
/// interrupted by the death of their shim.
fn remove_logs(machine: &Machine, sandbox: &Sandbox) -> Result<(), Error> {
    let bundles = machine.dir().join("bundles");
    let known: BTreeSet<String> = containers(sandbox)
        .iter()
        .flat_map(|container| {
            let id = container.id();
            // At a destination its folder has the new id already, or keeps it.
            [id.as_str().to_owned(), crate::shim::plan::moved(id.as_str())]
        })
        .collect();
    for entry in std::fs::read_dir(&bundles).map_err(|error| at(&bundles, error))? {
        let entry = entry.map_err(|error| at(&bundles, error))?;
        if !known.contains(&*entry.file_name().to_string_lossy()) {
            let path = entry.path();
            std::fs::remove_dir_all(&path).map_err(|error| at(&path, error))?;
        }
    }
    Ok(())
}

fn new_container(
    machine: &Machine,
    number: u32,
    containers: u32,
    pod: &str,
) -> Result<NewContainer, Error> {
    let id = format!("c{number}");
    let workload = Workload {
        id: id.clone(),
        // With many containers each writes less, so that the total load is bearable.
        interval: u64::from(containers * 200).max(2_000),
        exit_code: exit_code(number).cast_signed(),
        guest: machine.guest().dir().to_owned(),
    };
    let bundle = bundle(machine.dir(), &id);
    write_bundle(&bundle, &workload)?;
    let disks = machine.dir().join("disks");
    // The first container of each pod has the pod's device.
    let has_device = (number as usize) <= PODS.len();
    Ok(NewContainer {
        gcs_id: format!("{GCS_PREFIX}{id}").into(),
        ro_layers: vec![DiskConfig::image(disks.join("layer.img"), true)],
        scratch: (number <= WITH_SCRATCH)
            .then(|| DiskConfig::image(disks.join(format!("{id}.img")), false)),
        shares: vec![(
            machine.dir().join("shares").join(pod),
            ShareConfig { read_only: true, ..ShareConfig::default() },
        )],
        devices: has_device.then(|| (format!("source-gpu-{pod}"), 0)).into_iter().collect(),
        init: NewProcess {
            io: io(&bundle),
            bundle,
            spec: None,
            io_retry_timeout: Some(Duration::from_secs(10)),
        },
        id: id.into(),
        ..NewContainer::default()
    })
}

/// Writes an OCI bundle whose process is a workload.
fn write_bundle(bundle: &Path, workload: &Workload) -> Result<(), Error> {
    let program = std::env::current_exe()?;
    let args: Vec<String> =
        [program.to_string_lossy().into_owned()].into_iter().chain(workload.args()).collect();
    let spec = json!({
        "ociVersion": "1.2.0",
        "process": { "user": { "uid": 0, "gid": 0 }, "cwd": "/", "args": args },
        "root": { "path": "rootfs" },
    });
    let path = bundle.join("config.json");
    private_folder(bundle)?;
    std::fs::write(&path, format!("{spec:#}\n")).map_err(|error| at(&path, error))
}

/// Returns the ids of the controllers in a sandbox.
///
/// # Errors
///
/// If it cannot be saved now.
pub(crate) fn controller_ids(sandbox: &Sandbox) -> Result<Vec<String>, Error> {
    let value = codec::to_bytes(&*sandbox.state())?;
    let any = prost_types::Any { type_url: SandboxState::TYPE_URL.to_owned(), value };
    let preview = Incoming::from(Snapshot::from_any(&any)?).check::<Sandbox>()?;
    Ok(preview.controllers.iter().map(|controller| controller.id.to_string()).collect())
}

fn containers(sandbox: &Sandbox) -> Vec<Arc<Container>> {
    sandbox.pods().iter().flat_map(|pod| pod.containers()).collect()
}

/// Returns this host's observations of the sandbox's processes.
pub(crate) fn seen(machine: &Machine, sandbox: &Sandbox) -> Vec<Seen> {
    let of = |container: Arc<Container>| {
        let gcs_id = container.gcs_id();
        let key = Key { container: gcs_id.as_str().to_owned(), exec: String::new() };
        let bundle = bundle(machine.dir(), container.id().as_str());
        Some(Seen {
            workload: gcs_id.as_str().strip_prefix(GCS_PREFIX)?.to_owned(),
            identity: machine.processes().identity(&key)?,
            stdout: bundle.join("stdout.log"),
            stderr: bundle.join("stderr.log"),
            exit: container.init()?.exit().map(|exit| exit.code),
        })
    };
    containers(sandbox).into_iter().filter_map(of).collect()
}

/// Asks all workloads to stop, through their standard input, and waits until all have exited.
///
/// # Errors
///
/// If one cannot be asked, or does not exit in time.
pub(crate) fn stop(sandbox: &Sandbox) -> Result<(), Error> {
    let containers = containers(sandbox);
    for container in &containers {
        if container.init().is_some_and(|init| init.exit().is_some()) {
            continue;
        }
        if let Some(stdin) = container.init().and_then(|init| init.io().stdin) {
            let mut pipe = open_both_ways(&stdin)?;
            writeln!(pipe, "{}", workload::STOP).map_err(|error| at(&stdin, error))?;
        }
    }
    let deadline = Instant::now() + STOP_TIMEOUT;
    for container in &containers {
        while container.init().is_some_and(|init| init.exit().is_none()) {
            if Instant::now() > deadline {
                return Err(Error::new(
                    Code::DeadlineExceeded,
                    format!("container {} does not stop in {STOP_TIMEOUT:?}", container.id()),
                ));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(())
}
