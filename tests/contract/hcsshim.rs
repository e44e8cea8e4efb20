//! The payloads of hcsshim: `snapshot_examples::hcsshim`.

use std::num::{NonZeroI64, NonZeroU32};
use std::time::Duration;

use snapshot_core::State;
use snapshot_core::testing::{Contract, contract};
use snapshot_examples::hcsshim::{
    Disk, DiskConfig, Endpoint, GoJson, Layer, Layers, LinuxContainerState, MigrationState, Mount,
    MountConfig, NetworkState, NicId, PodState, ProcessState, Reservation, SandboxOptions,
    ScsiState, VmState,
};
use uuid::Uuid;

/// Checks the contract, and that each sample is restored as an equal value.
#[track_caller]
fn check<S: State + PartialEq>(samples: impl IntoIterator<Item = S>) {
    Contract::new().samples(samples).compare(PartialEq::eq).run();
}

fn mount_config() -> MountConfig {
    MountConfig {
        read_only: true,
        options: vec!["ro".into(), "noatime".into()],
        filesystem: "ext4".into(),
        ..MountConfig::default()
    }
}

fn mount() -> Mount {
    Mount { config: Some(mount_config()), ref_count: 2, guest_path: "/run/mounts/1".into() }
}

fn disk_config() -> DiskConfig {
    DiskConfig {
        host_path: "C:\\disk.vhdx".into(),
        kind: "VirtualDisk".into(),
        ..Default::default()
    }
}

fn disk() -> Disk {
    Disk { config: Some(disk_config()), mounts: [(1, mount()), (2, Mount::default())].into() }
}

const LAYER: Uuid = Uuid::from_u128(0xa1);
const SCRATCH: Uuid = Uuid::from_u128(0xb2);

fn scsi() -> ScsiState {
    ScsiState {
        num_controllers: 4,
        disks: [(0, disk()), (1, disk()), (64, Disk::default())].into(),
        reservations: [
            (LAYER, Reservation { slot: 0, partition: 1 }),
            (SCRATCH, Reservation { slot: 1, partition: 2 }),
        ]
        .into(),
    }
}

fn options() -> SandboxOptions {
    SandboxOptions { architecture: "amd64".into(), ..SandboxOptions::default() }
}

fn vm() -> VmState {
    let document = r#"{"SchemaVersion":{"Major":2,"Minor":1},"Owner":"x"}"#;
    VmState {
        vm_id: "sandbox@vm".into(),
        sandbox_options: Some(options()),
        scsi: Some(scsi()),
        gcs_next_port: 1000,
        compat_info: vec![1, 0, 255],
        hcs_document: Some(GoJson::new(document).unwrap()),
        bridge_next_id: 50,
    }
}

fn endpoint() -> Endpoint {
    Endpoint { mac_address: "00-15-5D-01-02-03".into(), ..Endpoint::default() }
}

fn network() -> NetworkState {
    NetworkState {
        namespace_id: "n".into(),
        vm_endpoints: [(NicId("nic".into()), endpoint())].into(),
        ..NetworkState::default()
    }
}

fn process(exec_id: &str) -> ProcessState {
    ProcessState {
        exec_id: exec_id.into(),
        pid: -7,
        bundle: "/bundles/c1".into(),
        spec: Some(GoJson::new(r#"{"cwd":"/","args":["sh"]}"#).unwrap()),
        io_retry_timeout: Some(Duration::new(5, 1)),
        stdin_port: NonZeroU32::new(10),
        stdout_port: NonZeroU32::new(11),
        stderr_port: None,
        wait_call_id: NonZeroI64::new(9),
    }
}

fn layer(id: Uuid) -> Layer {
    Layer { reservation_id: id, guest_path: "/run/mounts/1".into() }
}

fn layers(ids: [Uuid; 2]) -> Layers {
    Layers {
        ro_layers: vec![layer(ids[0]), layer(ids[1])],
        scratch: Some(layer(ids[1])),
        layers_combined: true,
        rootfs_path: "/run/rootfs".into(),
    }
}

/// Adds a process with an id that differs from its key.
fn container(id: &str, ids: [Uuid; 2]) -> LinuxContainerState {
    LinuxContainerState {
        container_id: id.into(),
        gcs_container_id: "gcs".into(),
        io_retry_timeout: Some(Duration::ZERO),
        layers: Some(layers(ids)),
        scsi_reservation_ids: ids.into(),
        processes: ["", "exec"].map(|id| (id.to_owned(), process(id))).into(),
    }
}

fn pod(id: &str, ids: [Uuid; 2]) -> PodState {
    let containers = ["c1", "c2"].map(|name| container(&format!("{id}-{name}"), ids)).into();
    PodState { pod_id: id.into(), gcs_pod_id: "gcs".into(), network: network(), containers }
}

#[test]
fn scsi_keeps_the_contract() {
    check([mount_config()]);
    check([mount()]);
    check([disk_config()]);
    check([disk()]);
    check([Reservation::default()]);
    check([scsi()]);
}

#[test]
fn a_vm_keeps_the_contract() {
    check([options()]);
    check([vm()]);
}

#[test]
fn a_network_keeps_the_contract() {
    check([endpoint()]);
    check([network()]);
}

#[test]
fn a_process_keeps_the_contract() {
    check([process("exec")]);
}

#[test]
fn a_container_keeps_the_contract() {
    check([layer(LAYER)]);
    check([layers([LAYER, SCRATCH])]);
    check([container("c1", [LAYER, SCRATCH])]);
}

#[test]
fn a_pod_keeps_the_contract() {
    check([pod("web", [LAYER, SCRATCH])]);
}

/// Few edits change a name together with its definition in another payload, so the samples differ.
#[test]
fn a_sandbox_keeps_the_contract() {
    let samples = [[LAYER, SCRATCH], [SCRATCH, LAYER]]
        .map(|ids| MigrationState { vm: vm(), pods: vec![pod("web", ids), pod("db", ids)] });
    contract(samples);
}
