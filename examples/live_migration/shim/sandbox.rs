//! The sandbox of the demonstration: one VM, two pods, and a workload in each container.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use snapshot_core::{Code, Error, Incoming, Payload, Snapshot, codec};
use snapshot_examples::lcow::host::ProcessIo;
use snapshot_examples::lcow::{
    Container, DiskConfig, Host, NewContainer, NewPod, NewProcess, NewVm, Sandbox, SandboxOptions,
    SandboxState, ShareConfig,
};

use crate::shim::guest::{at, open_both_ways};
use crate::shim::machine::Machine;
use crate::shim::processes::Key;
use crate::shim::proof::Seen;
use crate::shim::storage::Storage;
use crate::shim::workload::{self, Workload};

/// The pods.
pub(crate) const PODS: [&str; 2] = ["web", "db"];

/// The most containers: each has a disk of its own, and a VM has 256 places for disks.
pub(crate) const MAX_CONTAINERS: u32 = 250;

/// What a container's id inside the guest begins with; the workload's name follows.
const GCS_PREFIX: &str = "guest-";

/// How long all workloads may take to exit once they are asked to.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);

/// The exit code that the container with this number (from 1) is to end with.
fn exit_code(number: u32) -> u32 {
    number % 5
}

/// The exit code that each workload is to end with.
pub(crate) fn exit_codes(containers: u32) -> BTreeMap<String, u32> {
    (1..=containers).map(|number| (format!("c{number}"), exit_code(number))).collect()
}

/// The standard streams of a container on a host: files in its bundle.
pub(crate) fn io(bundle: &Path) -> ProcessIo {
    ProcessIo {
        stdin: Some(bundle.join("stdin")),
        stdout: Some(bundle.join("stdout.log")),
        stderr: Some(bundle.join("stderr.log")),
        terminal: false,
    }
}

/// A container's bundle on a host.
pub(crate) fn bundle(host: &Path, container: &str) -> PathBuf {
    host.join("bundles").join(container)
}

/// What a host has for a pod beside the shared storage: a device and a network namespace. The two
/// hosts name theirs differently.
pub(crate) fn equip(machine: &Machine, host: &str) -> Result<(), Error> {
    for (number, pod) in PODS.iter().enumerate() {
        machine.make_device(&format!("{host}-gpu-{pod}"))?;
        let mac = format!("00-15-5D-00-{:02X}-{number:02X}", host.len());
        machine.make_namespace(&format!("{host}-{pod}"), &mac)?;
    }
    Ok(())
}

/// Starts a sandbox with so many containers on the host `source`.
///
/// # Errors
///
/// Whatever cannot be made or started.
pub(crate) fn start(
    machine: &Arc<Machine>,
    storage: &Storage,
    containers: u32,
) -> Result<Arc<Sandbox>, Error> {
    for disk in ["root.img", "layer.img"] {
        storage.make_disk(disk)?;
    }
    for number in 1..=containers {
        storage.make_disk(&format!("c{number}.img"))?;
    }
    for pod in PODS {
        storage.make_folder(pod)?;
    }
    storage.show(machine.dir())?;
    equip(machine, "source")?;
    storage.sync()?;

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
    for number in 1..=containers {
        let pod = PODS[(number as usize - 1) % PODS.len()];
        let new = new_container(machine, number, containers, pod)?;
        let container = sandbox.new_container(&pod.into(), new)?;
        container.create()?;
        container.start()?;
    }
    Ok(sandbox)
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
        // Many containers write less each, so that all together stay within what a machine bears.
        interval: u64::from(containers * 200).max(2_000),
        exit_code: exit_code(number).cast_signed(),
        power: machine.guest().power_path(),
    };
    let bundle = bundle(machine.dir(), &id);
    write_bundle(&bundle, &workload)?;
    let disks = machine.dir().join("disks");
    // The first container of each pod has the pod's device.
    let has_device = (number as usize) <= PODS.len();
    Ok(NewContainer {
        gcs_id: format!("{GCS_PREFIX}{id}").into(),
        ro_layers: vec![DiskConfig::image(disks.join("layer.img"), true)],
        scratch: Some(DiskConfig::image(disks.join(format!("{id}.img")), false)),
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
    std::fs::create_dir_all(bundle)
        .and_then(|()| std::fs::write(&path, format!("{spec:#}\n")))
        .map_err(|error| at(&path, error))
}

/// The ids of the controllers that a sandbox consists of.
///
/// # Errors
///
/// It cannot be saved now.
pub(crate) fn controller_ids(sandbox: &Sandbox) -> Result<Vec<String>, Error> {
    use snapshot_core::Controller;
    let value = codec::to_bytes(&*sandbox.state())?;
    let any = prost_types::Any { type_url: SandboxState::TYPE_URL.to_owned(), value };
    let preview = Incoming::from(Snapshot::from_any(&any)?).check::<Sandbox>()?;
    Ok(preview.controllers.iter().map(|controller| controller.id.to_string()).collect())
}

fn containers(sandbox: &Sandbox) -> Vec<Arc<Container>> {
    sandbox.pods().iter().flat_map(|pod| pod.containers()).collect()
}

/// What this host has seen of the sandbox's processes.
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
/// One cannot be asked, or does not exit in time.
pub(crate) fn stop(sandbox: &Sandbox) -> Result<(), Error> {
    let containers = containers(sandbox);
    for container in &containers {
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
