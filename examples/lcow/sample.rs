//! Uniform sandboxes of any size, for tests, benchmarks and the templates.
//!
//! A sandbox has one pod for every ten containers, each pod with one endpoint. The first container
//! of a pod is its sandbox container. A container has six read-only layers, a scratch layer and an
//! init process with an OCI spec of 2 KiB; its seven mounts are spread over the VM's disks, at most
//! 256 of them, by partition. That is about 3.4 KB a container in a snapshot. The same number of
//! containers always gives the same sandbox.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use snapshot_core::codec::Json;
use snapshot_core::{Child, Error};
use uuid::Uuid;

use super::container::{Container, ContainerStage, ContainerState, Layer, Layers};
use super::fake::FakeHost;
use super::host::{Binding, ProcessIo};
use super::ids::{ContainerId, ExecId, GcsId, NamespaceId, NicId, PodId};
use super::network::{Endpoint, Network, NetworkStage, NetworkState};
use super::plan::{ContainerPlan, PatchPlan, PodPlan};
use super::pod::{Pod, PodState};
use super::process::{NewProcess, Process};
use super::sandbox::Sandbox;
use super::scsi::{
    Disk, DiskConfig, DiskStage, Mount, MountConfig, MountStage, Reservation, ScsiState, Slot,
};
use super::spec::ProcessSpec;
use super::vm::{NewVm, SandboxOptions, Vm};

/// The number of containers in a pod.
const CONTAINERS_PER_POD: usize = 10;
/// The number of layers of a container, including the scratch layer.
const LAYERS: usize = 7;
/// The length of an OCI process spec, in bytes.
const SPEC_LENGTH: usize = 2048;

/// Creates a running sandbox of this many containers, on its own host.
///
/// # Errors
///
/// Fails only in a broken build.
pub fn sandbox(containers: usize) -> Result<Arc<Sandbox>, Error> {
    sandbox_on(&FakeHost::new(), containers)
}

/// Creates a running sandbox of this many containers.
///
/// # Errors
///
/// Fails if the host is configured to fail.
pub fn sandbox_on(host: &Arc<FakeHost>, containers: usize) -> Result<Arc<Sandbox>, Error> {
    let new = NewVm {
        id: "sandbox@vm".into(),
        options: SandboxOptions {
            policy_based_routing: true,
            architecture: "amd64".to_owned(),
            ..SandboxOptions::default()
        },
        document: serde_json::json!({
            "SchemaVersion": { "Major": 2, "Minor": 1 },
            "VirtualMachine": {
                "ComputeTopology": { "Memory": { "SizeInMB": 4096 }, "Processor": { "Count": 4 } },
                "Devices": { "Scsi": {} }
            }
        }),
        scsi_controllers: 4,
        vpci: true,
        plan9: true,
    };
    let vm = Arc::new(Vm::new(host.handle(), new)?);
    let spec = Json::new(spec_text())?;
    vm.create()?;
    vm.start()?;
    let binding = vm.binding()?;
    if let Some(scsi) = vm.scsi() {
        let state = ScsiState { binding: Some(binding.clone()), ..scsi_state(containers) };
        for (&slot, disk) in &state.disks {
            binding.host.attach_disk(&binding.vm, slot, &disk.config)?;
        }
        *scsi.lock() = state;
    }
    let mut pods = Vec::new();
    for (index, first) in (0..containers).step_by(CONTAINERS_PER_POD).enumerate() {
        let count = CONTAINERS_PER_POD.min(containers - first);
        pods.push(pod(&vm, &binding, index, first..first + count, &spec)?);
    }
    Ok(Arc::new(Sandbox::from_parts(vm, pods)))
}

/// Creates a plan that gives everything in the sandbox a new id, path or namespace: the old one
/// with the suffix `-2`.
pub fn plan(sandbox: &Sandbox) -> PatchPlan {
    let mut plan = PatchPlan::new("sandbox-2@vm");
    for pod in sandbox.pods() {
        let id = pod.id();
        let namespace = pod.network().map(|_| NamespaceId::from(format!("{id}-namespace-2")));
        plan.pods.insert(id.clone(), PodPlan { id: format!("{id}-2").into(), namespace });
        for container in pod.containers() {
            let id = container.id();
            let planned = ContainerPlan {
                id: format!("{id}-2").into(),
                layers: None,
                bundle: format!("/bundles-2/{id}").into(),
                io: io(&id),
            };
            plan.containers.insert(id, planned);
        }
    }
    if let Ok(Some(scsi)) = sandbox.vm().map(|vm| vm.scsi()) {
        for disk in scsi.lock().disks.values() {
            let path = disk.config.host_path.clone();
            let here = format!("{}-2", path.display());
            plan.disks.insert(path, here.into());
        }
    }
    plan
}

fn io(container: &ContainerId) -> ProcessIo {
    ProcessIo {
        stdout: Some(format!("/run/io/{container}/stdout").into()),
        stderr: Some(format!("/run/io/{container}/stderr").into()),
        ..ProcessIo::default()
    }
}

/// Creates the spec of an ordinary service, padded to its length by one more variable.
fn spec_text() -> String {
    let mut env: Vec<String> = (0..12)
        .map(|port| format!("SERVICE_{port}_PORT_443_TCP_ADDR=10.0.{port}.1"))
        .chain(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()])
        .collect();
    let text = |env: &[String]| {
        let capabilities = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETUID"];
        let spec = serde_json::json!({
            "user": { "uid": 1000, "gid": 1000, "additionalGids": [10, 20] },
            "args": ["/usr/bin/service", "--config", "/etc/service/config.yaml", "--verbose"],
            "env": env,
            "cwd": "/srv",
            "capabilities": {
                "bounding": capabilities, "effective": capabilities, "permitted": capabilities
            },
            "rlimits": [{ "type": "RLIMIT_NOFILE", "hard": 1048576, "soft": 1024 }],
            "noNewPrivileges": true,
            "oomScoreAdj": -997
        });
        spec.to_string()
    };
    env.push("FILL=".to_owned());
    let short = SPEC_LENGTH.saturating_sub(text(&env).len());
    if let Some(fill) = env.last_mut() {
        fill.extend(std::iter::repeat_n('x', short));
    }
    text(&env)
}

/// Creates an id that is the same in every run, from the kind of thing and its index.
fn id(kind: u128, index: usize) -> Uuid {
    Uuid::from_u128(0x4000_8000_0000_0000_0000 | kind << 112 | index as u128)
}

/// Returns the slot and partition of a layer: all disks in turn, then the next partition of each.
fn place(layer: usize) -> Option<(Slot, u64)> {
    let slots = usize::from(super::scsi::MAX_CONTROLLERS) * usize::from(super::scsi::LUNS);
    let slot = Slot::of(super::scsi::MAX_CONTROLLERS).nth(layer % slots)?;
    Some((slot, (layer / slots) as u64 + 1))
}

fn layer_id(layer: usize) -> Uuid {
    id(1, layer)
}

fn scsi_state(containers: usize) -> ScsiState {
    let mut disks: BTreeMap<Slot, Disk> = BTreeMap::new();
    let mut reservations = HashMap::new();
    for layer in 0..containers * LAYERS {
        let Some((slot, partition)) = place(layer) else { continue };
        let read_only = layer % LAYERS != LAYERS - 1;
        let disk = disks.entry(slot).or_insert_with(|| Disk {
            config: DiskConfig::image(format!("/images/disk-{slot}.vhdx"), false),
            stage: DiskStage::Attached,
            mounts: BTreeMap::new(),
        });
        let mount = Mount {
            config: MountConfig {
                read_only,
                options: if read_only { vec!["ro".to_owned()] } else { Vec::new() },
                filesystem: "ext4".to_owned(),
                ..MountConfig::default()
            },
            stage: MountStage::Mounted,
            ref_count: 1,
            guest_path: slot.guest_path(partition),
        };
        disk.mounts.insert(partition, mount);
        reservations.insert(layer_id(layer), Reservation { slot, partition });
    }
    ScsiState {
        num_controllers: super::scsi::MAX_CONTROLLERS,
        disks,
        reservations,
        ..ScsiState::default()
    }
}

fn pod(
    vm: &Arc<Vm>,
    binding: &Binding,
    index: usize,
    containers: Range<usize>,
    spec: &Json<ProcessSpec>,
) -> Result<Child<Pod>, Error> {
    let pod_id = format!("pod-{index:05}");
    let namespace_id = NamespaceId::from(id(2, index).to_string());
    let endpoint = Endpoint {
        endpoint_id: id(3, index).to_string().into(),
        mac_address: format!("00-15-5D-00-{:02X}-{:02X}", index / 256 % 256, index % 256).into(),
        endpoint_name: format!("{pod_id}_eth0"),
    };
    let nic = NicId::from(id(4, index).to_string());
    binding.host.add_nic(&binding.vm, &nic, &endpoint, Some(&namespace_id))?;
    let network = NetworkState {
        namespace_id,
        policy_based_routing: true,
        is_namespace_supported_by_guest: true,
        stage: NetworkStage::Configured,
        vm_endpoints: [(nic, endpoint)].into(),
        ..NetworkState::default()
    };
    let first = containers.start;
    let mut children = Vec::new();
    for index in containers {
        let name = match index - first {
            0 => pod_id.clone(),
            _ => format!("{pod_id}-container-{:05}", index),
        };
        children.push(container(vm, binding, index, &name, spec)?);
    }
    let state = PodState {
        pod_id: PodId::from(pod_id.as_str()),
        gcs_pod_id: GcsId::from(pod_id),
        network: Some(Child::new(Network::from_state(network, Some(binding.clone())))),
        containers: children,
        ..PodState::default()
    };
    Ok(Child::new(Pod::from_state(state, Some(Arc::clone(vm)))))
}

fn container(
    vm: &Arc<Vm>,
    binding: &Binding,
    index: usize,
    name: &str,
    spec: &Json<ProcessSpec>,
) -> Result<Child<Container>, Error> {
    let layer = |layer: usize| -> Option<Layer> {
        let (slot, partition) = place(layer)?;
        let guest_path = slot.guest_path(partition);
        Some(Layer { reservation_id: layer_id(layer), guest_path })
    };
    let first = index * LAYERS;
    let scratch = first + LAYERS - 1;
    let timeout = Some(Duration::from_secs(5));
    let gcs_container_id = GcsId::from(name);
    binding.host.open_container(&binding.vm, &gcs_container_id)?;
    let process = Process::new(
        ExecId::default(),
        NewProcess {
            bundle: format!("/bundles/{name}").into(),
            spec: Some(spec.clone()),
            io: io(&ContainerId::from(name)),
            io_retry_timeout: timeout,
        },
    );
    process.start(vm, &gcs_container_id)?;
    let state = ContainerState {
        container_id: ContainerId::from(name),
        stage: ContainerStage::Running,
        io_retry_timeout: timeout,
        layers: Some(Layers {
            ro_layers: (first..scratch).filter_map(layer).collect(),
            scratch: layer(scratch),
            layers_combined: true,
            rootfs_path: format!("/run/gcs/c/{name}/rootfs"),
        }),
        processes: BTreeMap::from([(ExecId::default(), Child::new(process))]),
        gcs_container_id,
        ..ContainerState::default()
    };
    Ok(Child::new(Container::from_state(state, Some(Arc::clone(vm)))))
}
