//! The workload: a sandbox of any number of containers. The same number always gives the same sandbox.
//!
//! A container has six read-only layers (UUID and path), a scratch layer, one SCSI reservation for
//! each layer, one process with an OCI spec of 2 KiB, and one endpoint: about 3.4 KB. Ten containers
//! form a pod and run one image, so that they share the mounts of its layers; each has a scratch mount
//! of its own. The mounts are spread over the partitions of 64 disks. The VM has a document of 4 KiB.
//! Names, paths, the sharing of mounts, their options and their file systems follow the snapshots of
//! the real shim (`tests/golden/hcsshim`, `typical`).
//!
//! No map has a key that is its type's default. prost leaves such keys out; protobuf allows that, but
//! canonical encoding (Go's and ours) writes them, and the peers must write the same bytes.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use uuid::Uuid;

use crate::state::{
    Container, ContainerStage, Disk, DiskConfig, DiskStage, Endpoint, Layer, Layers, Mount,
    MountConfig, MountStage, Network, NetworkStage, Plan9, Pod, Process, ProcessStage, Reservation,
    Sandbox, SandboxOptions, Scsi, Vm, VmStage, Vpci,
};

const CONTAINERS_PER_POD: usize = 10;
/// The number of slots of a SCSI controller.
const DISKS: usize = 64;
/// The number of layers of a container, including the scratch layer.
const LAYERS: usize = 7;
/// The index of the scratch layer, after the read-only ones.
const SCRATCH: usize = LAYERS - 1;
const MOUNTS_PER_POD: usize = SCRATCH + CONTAINERS_PER_POD;
const SPEC_LENGTH: usize = 2048;
const DOCUMENT_LENGTH: usize = 4096;

/// Creates a running sandbox of this many containers.
pub fn sandbox(containers: usize) -> Sandbox {
    let spec = json_text(SPEC_LENGTH);
    let pods = (0..containers)
        .step_by(CONTAINERS_PER_POD)
        .map(|first| pod(first, CONTAINERS_PER_POD.min(containers - first), &spec))
        .collect();
    Sandbox { vm: vm(containers), pods }
}

/// Creates a UUID that looks random, from the mixed bits of a counter (the finalizer of SplitMix64).
fn id(kind: u64, index: usize) -> Uuid {
    let mix = |seed: u64| {
        let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    let seed = kind << 32 | index as u64;
    let bits = u128::from(mix(seed + 1)) << 64 | u128::from(mix(!seed));
    uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
}

/// Creates the id of a container or a pod: 64 hexadecimal digits.
fn long_id(kind: u64, index: usize) -> String {
    let (first, second) = (id(kind, index), id(kind + 1, index));
    format!("{}{}", first.simple(), second.simple())
}

fn pod_id(pod: usize) -> String {
    long_id(10, pod)
}

fn container_id(index: usize) -> String {
    long_id(12, index)
}

fn reservation_id(index: usize, layer: usize) -> Uuid {
    id(1, index * LAYERS + layer)
}

/// Returns the index of the mount of a container's layer. A pod has the mounts of its image's layers,
/// followed by one for the scratch layer of each of its containers.
fn mount_of(index: usize, layer: usize) -> usize {
    let first = index / CONTAINERS_PER_POD * MOUNTS_PER_POD;
    first + if layer == SCRATCH { SCRATCH + index % CONTAINERS_PER_POD } else { layer }
}

/// Returns the disk and the partition of a mount. The mounts take the disks in turn.
fn place(mount: usize) -> Reservation {
    Reservation { slot: (mount % DISKS) as u32 + 1, partition: (mount / DISKS) as u64 + 1 }
}

fn guest_path(place: Reservation) -> String {
    let slot = place.slot - 1;
    format!("/run/mounts/scsi/{}_{}_{}", slot / 64, slot % 64, place.partition)
}

/// Creates a JSON object of this many bytes, with strings like those of a service's environment.
fn json_text(length: usize) -> Vec<u8> {
    let mut text = String::from(r#"{"user":{"uid":1000,"gid":1000},"cwd":"/srv","env":[""#);
    let end = r#""]}"#;
    for port in 0.. {
        let next = format!(r#"SERVICE_{port}_PORT_443_TCP_ADDR=10.0.{port}.1",""#);
        if text.len() + next.len() + end.len() > length {
            break;
        }
        text.push_str(&next);
    }
    text.extend(std::iter::repeat_n('x', length - text.len() - end.len()));
    text.push_str(end);
    text.into_bytes()
}

fn vm(containers: usize) -> Vm {
    Vm {
        vm_id: "sandbox@vm".to_owned(),
        stage: VmStage::Running,
        sandbox_options: Some(SandboxOptions {
            no_writable_file_shares: false,
            enable_scratch_encryption: false,
            policy_based_routing: true,
            architecture: "amd64".to_owned(),
            fully_physically_backed: true,
            confidential: None,
        }),
        scsi: Some(scsi(containers)),
        vpci: Some(Vpci { devices: HashMap::new() }),
        plan9: Some(Plan9 {
            no_writable_file_shares: false,
            name_counter: 0,
            shares: BTreeMap::new(),
            reservations: HashMap::new(),
        }),
        gcs_next_port: 0x4000_0001 + 3 * containers as u32,
        compat_info: (0..64).collect(),
        hcs_document: json_text(DOCUMENT_LENGTH),
        bridge_next_id: containers as i64 + 1,
    }
}

fn scsi(containers: usize) -> Scsi {
    let mut disks: BTreeMap<u32, Disk> = BTreeMap::new();
    let mut reservations = HashMap::new();
    for (index, layer) in
        (0..containers).flat_map(|index| (0..LAYERS).map(move |layer| (index, layer)))
    {
        let place = place(mount_of(index, layer));
        let disk = disks.entry(place.slot).or_insert_with(|| disk(place.slot));
        disk.mounts
            .entry(place.partition)
            .or_insert_with(|| mount(place, layer != SCRATCH))
            .ref_count += 1;
        reservations.insert(reservation_id(index, layer), place);
    }
    Scsi { num_controllers: 4, disks, reservations }
}

fn disk(slot: u32) -> Disk {
    let volume = id(5, slot as usize);
    Disk {
        config: DiskConfig {
            host_path: format!(r"\\?\Volume{{{volume}}}\layers\{slot}.vhd").into(),
            read_only: false,
            kind: "VirtualDisk".to_owned(),
            evd_type: String::new(),
        },
        stage: DiskStage::Attached,
        mounts: BTreeMap::new(),
    }
}

/// Creates a mount that nobody holds yet.
fn mount(place: Reservation, read_only: bool) -> Mount {
    Mount {
        config: MountConfig {
            read_only,
            encrypted: false,
            options: if read_only { vec!["ro".to_owned()] } else { Vec::new() },
            ensure_filesystem: !read_only,
            filesystem: if read_only { String::new() } else { "ext4".to_owned() },
            block_dev: false,
        },
        stage: MountStage::Mounted,
        ref_count: 0,
        guest_path: guest_path(place),
    }
}

fn pod(first: usize, containers: usize, spec: &[u8]) -> Pod {
    let number = first / CONTAINERS_PER_POD;
    let endpoint = |index: usize| {
        let endpoint = Endpoint {
            endpoint_id: id(3, index),
            mac_address: format!("00-15-5D-00-{:02X}-{:02X}", index / 256 % 256, index % 256),
            endpoint_name: format!("pod-{number}_eth{}", index - first),
        };
        (id(4, index), endpoint)
    };
    Pod {
        pod_id: pod_id(number),
        gcs_pod_id: pod_id(number),
        network: Some(Network {
            namespace_id: id(2, first),
            policy_based_routing: true,
            is_namespace_supported_by_guest: true,
            stage: NetworkStage::Configured,
            vm_endpoints: (first..first + containers).map(endpoint).collect(),
        }),
        containers: (first..first + containers).map(|index| container(index, spec)).collect(),
    }
}

fn container(index: usize, spec: &[u8]) -> Container {
    let container_id = container_id(index);
    let layer = |layer: usize| Layer {
        reservation_id: reservation_id(index, layer),
        guest_path: guest_path(place(mount_of(index, layer))).into(),
    };
    let timeout = Some(Duration::from_secs(5));
    let port = 0x4000_0001 + 3 * index as u32;
    let process = Process {
        exec_id: "init".to_owned(),
        stage: ProcessStage::Running,
        pid: 300 + index as i32,
        bundle: format!(r"C:\bundles\{container_id}").into(),
        oci_process_spec_json: spec.to_vec(),
        exited_at: None,
        exit_code: 0,
        io_retry_timeout: timeout,
        stdin_port: port,
        stdout_port: port + 1,
        stderr_port: port + 2,
        wait_call_id: index as i64 + 1,
    };
    Container {
        stage: ContainerStage::Running,
        io_retry_timeout: timeout,
        layers: Some(Layers {
            ro_layers: (0..SCRATCH).map(layer).collect(),
            scratch: Some(layer(SCRATCH)),
            layers_combined: true,
            rootfs_path: format!("/run/gcs/c/{container_id}/rootfs").into(),
        }),
        scsi_reservation_ids: Vec::new(),
        plan9_reservation_ids: Vec::new(),
        vpci_vmbus_guids: Vec::new(),
        processes: BTreeMap::from([("init".to_owned(), process)]),
        gcs_container_id: container_id.clone(),
        container_id,
    }
}
