//! The workload: a sandbox of any number of containers, always the same for the same number.
//!
//! A container has six read-only layers (UUID and path), a scratch layer, one process with an OCI
//! spec of 2 KiB, one SCSI reservation and one mount for each layer, and one endpoint: about 3.4 KB.
//! The mounts are spread over at most 256 disks, by partition. Ten containers are one pod. The VM
//! beside them has a document of 4 KiB.
//!
//! No map has a key that is its type's default: prost leaves those out, which protobuf allows and
//! canonical encoding (Go's, ours) does not do, and the peers are to write the same bytes.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use uuid::Uuid;

use crate::state::{
    Container, ContainerStage, Disk, DiskConfig, DiskStage, Endpoint, Layer, Layers, Mount,
    MountConfig, MountStage, Network, NetworkStage, Plan9, Pod, Process, ProcessStage, Reservation,
    Sandbox, SandboxOptions, Scsi, Vm, VmStage, Vpci,
};

const CONTAINERS_PER_POD: usize = 10;
const DISKS: usize = 256;
/// The layers of a container, the scratch layer included.
const LAYERS: usize = 7;
const SPEC_LENGTH: usize = 2048;
const DOCUMENT_LENGTH: usize = 4096;

/// A running sandbox of so many containers.
pub fn sandbox(containers: usize) -> Sandbox {
    let spec = json_text(SPEC_LENGTH);
    let pods = (0..containers)
        .step_by(CONTAINERS_PER_POD)
        .map(|first| pod(first, CONTAINERS_PER_POD.min(containers - first), &spec))
        .collect();
    Sandbox { vm: vm(containers), pods }
}

/// Looks like any other UUID: the bits of a counter, mixed (the finalizer of SplitMix64).
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

fn layer_id(layer: usize) -> Uuid {
    id(1, layer)
}

/// The disk and the partition of a layer: the disks in turn.
fn place(layer: usize) -> Reservation {
    Reservation { slot: (layer % DISKS) as u32 + 1, partition: (layer / DISKS) as u64 + 1 }
}

fn guest_path(place: Reservation) -> String {
    let slot = place.slot - 1;
    format!("/run/scsi/{}_{}_{}", slot / 64, slot % 64, place.partition)
}

/// A JSON object of so many bytes, with strings as in the environment of a service.
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
    for layer in 0..containers * LAYERS {
        let place = place(layer);
        let read_only = layer % LAYERS != LAYERS - 1;
        let disk = disks.entry(place.slot).or_insert_with(|| Disk {
            config: DiskConfig {
                host_path: format!("/images/disk-{}.vhdx", place.slot).into(),
                read_only: false,
                kind: "VirtualDisk".to_owned(),
                evd_type: String::new(),
            },
            stage: DiskStage::Attached,
            mounts: BTreeMap::new(),
        });
        let mount = Mount {
            config: MountConfig {
                read_only,
                encrypted: false,
                options: if read_only { vec!["ro".to_owned()] } else { Vec::new() },
                ensure_filesystem: false,
                filesystem: "ext4".to_owned(),
                block_dev: false,
            },
            stage: MountStage::Mounted,
            ref_count: 1,
            guest_path: guest_path(place),
        };
        disk.mounts.insert(place.partition, mount);
        reservations.insert(layer_id(layer), place);
    }
    Scsi { num_controllers: 4, disks, reservations }
}

fn pod(first: usize, containers: usize, spec: &[u8]) -> Pod {
    let pod_id = format!("pod-{:05}", first / CONTAINERS_PER_POD);
    let endpoint = |index: usize| {
        let endpoint = Endpoint {
            endpoint_id: id(3, index),
            mac_address: format!("00-15-5D-00-{:02X}-{:02X}", index / 256 % 256, index % 256),
            endpoint_name: format!("{pod_id}_eth{}", index - first),
        };
        (id(4, index), endpoint)
    };
    Pod {
        network: Some(Network {
            namespace_id: id(2, first),
            policy_based_routing: true,
            is_namespace_supported_by_guest: true,
            stage: NetworkStage::Configured,
            vm_endpoints: (first..first + containers).map(endpoint).collect(),
        }),
        containers: (first..first + containers).map(|index| container(index, spec)).collect(),
        gcs_pod_id: pod_id.clone(),
        pod_id,
    }
}

fn container(index: usize, spec: &[u8]) -> Container {
    let container_id = format!("container-{index:05}");
    let layer = |layer: usize| Layer {
        reservation_id: layer_id(layer),
        guest_path: guest_path(place(layer)).into(),
    };
    let first = index * LAYERS;
    let scratch = first + LAYERS - 1;
    let timeout = Some(Duration::from_secs(5));
    let port = 0x4000_0001 + 3 * index as u32;
    let process = Process {
        exec_id: "init".to_owned(),
        stage: ProcessStage::Running,
        pid: 300 + index as i32,
        bundle: format!("/bundles/{container_id}").into(),
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
            ro_layers: (first..scratch).map(layer).collect(),
            scratch: Some(layer(scratch)),
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
