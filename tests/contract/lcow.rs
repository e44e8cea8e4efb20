//! The controllers of the LCOW sandbox: `snapshot_examples::lcow`.

use std::num::{NonZeroI64, NonZeroU32};
use std::time::{Duration, SystemTime};

use prost::Message;
use snapshot_core::codec::{Json, from_bytes, to_any_bytes, to_bytes};
use snapshot_core::testing::{Contract, contract};
use snapshot_core::{Child, Controller};
use snapshot_examples::lcow::{
    Confidential, Container, ContainerStage, ContainerState, Device, DeviceStage, Disk, DiskConfig,
    DiskStage, Endpoint, Layer, Layers, Mount, MountConfig, MountStage, Network, NetworkStage,
    NetworkState, Plan9, Plan9State, PodState, Process, ProcessStage, ProcessState, Reservation,
    SandboxOptions, SandboxState, Scsi, ScsiState, Share, ShareConfig, ShareMount, ShareMountStage,
    ShareStage, Slot, VmStage, VmState, Vpci, VpciState, sample,
};
use snapshot_proto::lcow::v1 as pb;
use uuid::Uuid;

/// A state with private skipped fields.
macro_rules! state {
    ($state:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        let mut state = $state::default();
        $(state.$field = $value;)*
        state
    }};
}

fn mount(guest_path: &str) -> Mount {
    Mount {
        config: MountConfig { options: vec!["ro".into(), "noatime".into()], ..Default::default() },
        stage: MountStage::Mounted,
        ref_count: 1,
        guest_path: guest_path.into(),
    }
}

fn disk(guest_path: &str) -> Disk {
    Disk {
        config: DiskConfig::image("/images/a.vhdx", true),
        stage: DiskStage::Attached,
        mounts: [1, 2].map(|partition| (partition, mount(guest_path))).into(),
    }
}

fn slots() -> [Slot; 2] {
    [(0, 1), (3, 63)].map(|(controller, lun)| Slot::new(controller, lun).unwrap())
}

fn scsi() -> ScsiState {
    let [a, b] = slots();
    state!(ScsiState {
        num_controllers: 4,
        disks: [(a, disk("/run/a")), (b, disk("/run/b"))].into(),
        reservations: [
            (Uuid::from_u128(0xa1), Reservation { slot: a, partition: 1 }),
            (Uuid::from_u128(0xa2), Reservation { slot: a, partition: 2 }),
            (Uuid::from_u128(0xb1), Reservation { slot: b, partition: 1 }),
            (Uuid::from_u128(0xb2), Reservation { slot: b, partition: 2 }),
        ]
        .into(),
    })
}

fn device() -> Device {
    Device {
        device_instance_id: "PCI\\VEN_10DE".into(),
        virtual_function_index: 1,
        stage: DeviceStage::default(),
        ref_count: 1,
    }
}

fn vpci() -> VpciState {
    state!(VpciState { devices: [0xc1, 0xc2].map(|id| (Uuid::from_u128(id), device())).into() })
}

fn share() -> Share {
    let mount = ShareMount {
        read_only: true,
        stage: ShareMountStage::default(),
        ref_count: 2,
        guest_path: "/run/mounts/plan9/1".into(),
    };
    Share {
        name: "share1".into(),
        config: ShareConfig { allowed_names: vec!["a".into(), "b".into()], ..Default::default() },
        stage: ShareStage::default(),
        mount: Some(mount),
    }
}

fn plan9() -> Plan9State {
    state!(Plan9State {
        name_counter: 7,
        shares: [("/host/a".into(), share())].into(),
        reservations: [0xd1, 0xd2].map(|id| (Uuid::from_u128(id), "/host/a".into())).into(),
    })
}

fn confidential() -> Confidential {
    Confidential { security_policy: "policy".into(), ..Confidential::default() }
}

fn options() -> SandboxOptions {
    SandboxOptions { confidential: Some(confidential()), ..SandboxOptions::default() }
}

/// A controller with this state, as a child.
fn child<C: Controller>(state: C::State) -> Child<C> {
    Child::new(C::import(state).unwrap())
}

fn vm() -> VmState {
    state!(VmState {
        vm_id: "sandbox@vm".into(),
        stage: VmStage::Running,
        sandbox_options: Some(options()),
        scsi: Some(child::<Scsi>(scsi())),
        vpci: Some(child::<Vpci>(vpci())),
        plan9: Some(child::<Plan9>(plan9())),
        gcs_next_port: 0x4000_0006,
        compat_info: vec![0, 1],
        hcs_document: Some(Json::new(r#"{"Owner": "x"}"#).unwrap()),
        bridge_next_id: 50,
    })
}

fn endpoint() -> Endpoint {
    Endpoint { endpoint_name: "eth0".into(), ..Endpoint::default() }
}

fn network() -> NetworkState {
    state!(NetworkState {
        namespace_id: "namespace".into(),
        stage: NetworkStage::Configured,
        vm_endpoints: [("nic".into(), endpoint())].into(),
    })
}

fn process(exec_id: &str) -> ProcessState {
    state!(ProcessState {
        exec_id: exec_id.into(),
        stage: ProcessStage::Running,
        pid: 42,
        bundle: "/bundles/c1".into(),
        spec: Some(Json::new(r#"{"cwd":"/","args":["sh"]}"#).unwrap()),
        exited_at: Some(SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 5)),
        exit_code: 137,
        io_retry_timeout: Some(Duration::from_millis(1500)),
        stdin_port: NonZeroU32::new(10),
        stdout_port: NonZeroU32::new(11),
        wait_call_id: NonZeroI64::new(9),
    })
}

/// A layer in the SCSI reservation with this id.
fn layer(id: u128) -> Layer {
    let guest_path = if id < 0xb0 { "/run/a" } else { "/run/b" };
    Layer { reservation_id: Uuid::from_u128(id), guest_path: guest_path.into() }
}

/// Layers of the VM's SCSI reservations, in either order.
fn layers(swapped: bool) -> Layers {
    let ids = if swapped { [0xb2, 0xa1] } else { [0xa1, 0xb2] };
    Layers {
        ro_layers: ids.map(layer).into(),
        scratch: Some(layer(ids[0])),
        layers_combined: true,
        rootfs_path: "/run/rootfs".into(),
    }
}

/// A container that holds the reservations of the VM, in either order.
fn container(id: &str, swapped: bool) -> ContainerState {
    let ids = |mut ids: [u128; 2]| {
        if swapped {
            ids.reverse();
        }
        ids.map(Uuid::from_u128).into()
    };
    let running = |id| {
        let mut process = process(id);
        process.exited_at = None;
        process
    };
    state!(ContainerState {
        container_id: id.into(),
        gcs_container_id: id.into(),
        stage: ContainerStage::Running,
        io_retry_timeout: Some(Duration::from_secs(5)),
        layers: Some(layers(swapped)),
        scsi_reservation_ids: ids([0xa2, 0xb1]),
        plan9_reservation_ids: ids([0xd1, 0xd2]),
        vpci_vmbus_guids: ids([0xc2, 0xc1]),
        processes: ["", "exec"].map(|id| (id.into(), child::<Process>(running(id)))).into(),
    })
}

fn pod(swapped: bool) -> PodState {
    state!(PodState {
        pod_id: "web".into(),
        gcs_pod_id: "gcs".into(),
        network: Some(child::<Network>(network())),
        containers: ["c1", "c2"].map(|id| child::<Container>(container(id, swapped))).into(),
    })
}

#[test]
fn scsi_keeps_the_contract() {
    contract([MountConfig::default()]);
    contract([mount("/run/a")]);
    contract([DiskConfig::image("/images/a.vhdx", true)]);
    contract([disk("/run/a")]);
    contract(slots().map(|slot| Reservation { slot, partition: 1 }));
    contract([scsi()]);
}

#[test]
fn vpci_keeps_the_contract() {
    contract([device()]);
    contract([vpci()]);
}

#[test]
fn plan9_keeps_the_contract() {
    contract([ShareConfig::default()]);
    contract(share().mount);
    contract([share()]);
    contract([plan9()]);
}

#[test]
fn a_vm_keeps_the_contract() {
    contract([confidential()]);
    contract([options()]);
    contract([vm()]);
}

#[test]
fn a_network_keeps_the_contract() {
    contract([endpoint()]);
    contract([network()]);
}

#[test]
fn a_process_keeps_the_contract() {
    contract([process("exec")]);
}

#[test]
fn a_container_keeps_the_contract() {
    contract([layer(0xa1)]);
    contract([layers(false)]);
    contract([container("c1", false)]);
}

#[test]
fn a_pod_keeps_the_contract() {
    contract([pod(false)]);
}

/// Few edits change a name together with its definition in another payload, so the samples differ.
#[test]
fn a_sandbox_keeps_the_contract() {
    let sample = |swapped| {
        let any = |bytes: Vec<u8>| prost_types::Any::decode(bytes.as_slice()).unwrap();
        let message = pb::SandboxSnapshot {
            schema_version: 1,
            vm: Some(any(to_any_bytes(&vm()).unwrap())),
            pods: vec![any(to_any_bytes(&pod(swapped)).unwrap())],
        };
        SandboxState::try_from(message).unwrap()
    };
    contract([sample(false), sample(true)]);
}

#[test]
fn a_sandbox_that_runs_keeps_the_contract() {
    let sandbox = sample::sandbox(1).unwrap();
    let state: SandboxState = from_bytes(&to_bytes(&*sandbox.state()).unwrap()).unwrap();
    // The simulated host has no devices and no shares.
    Contract::new()
        .samples([state])
        .fixed("vm.vpci.devices")
        .fixed("vm.plan9")
        .fixed("lcow.v1.ContainerSnapshot")
        .run();
}
