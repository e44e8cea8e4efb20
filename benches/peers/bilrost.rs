//! bilrost with its own messages, which use native types where bilrost supports them, so that no
//! conversion is measured. Ids are 16 bytes, stages are numbers, paths are text. The wire format is
//! bilrost's own.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::{Duration, SystemTime};

use bilrost::{DecodeError, Message, OwnedMessage};
use uuid::Uuid;

use crate::state;

type Id = [u8; 16];

macro_rules! messages {
    ($($name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* })*) => {$(
        /// The same field as in the native state.
        #[derive(Clone, Debug, PartialEq, Message)]
        pub struct $name { $($(#[$attribute])* $field: $type,)* }
    )*};
}

messages! {
    Sandbox { vm: Vm, pods: Vec<Pod>, }
    Vm {
        vm_id: String,
        stage: u32,
        sandbox_options: Option<Options>,
        scsi: Option<Scsi>,
        vpci: Option<Vpci>,
        plan9: Option<Plan9>,
        gcs_next_port: u32,
        #[bilrost(encoding(plainbytes))]
        compat_info: Vec<u8>,
        #[bilrost(encoding(plainbytes))]
        hcs_document: Vec<u8>,
        bridge_next_id: i64,
    }
    Options {
        no_writable_file_shares: bool,
        enable_scratch_encryption: bool,
        policy_based_routing: bool,
        architecture: String,
        fully_physically_backed: bool,
        confidential: Option<Confidential>,
    }
    Confidential {
        security_policy: String,
        security_policy_enforcer: String,
        uvm_reference_info_file: String,
    }
    Scsi {
        num_controllers: u32,
        disks: BTreeMap<u32, Disk>,
        #[bilrost(encoding(map<plainbytes, general>))]
        reservations: HashMap<Id, Reservation>,
    }
    Disk {
        host_path: String,
        read_only: bool,
        kind: String,
        evd_type: String,
        stage: u32,
        mounts: BTreeMap<u64, Mount>,
    }
    Mount { config: MountConfig, stage: u32, ref_count: u32, guest_path: String, }
    MountConfig {
        read_only: bool,
        encrypted: bool,
        options: Vec<String>,
        ensure_filesystem: bool,
        filesystem: String,
        block_dev: bool,
    }
    Reservation { slot: u32, partition: u64, }
    Vpci {
        #[bilrost(encoding(map<plainbytes, general>))]
        devices: HashMap<Id, Device>,
    }
    Device { instance_id: String, function: u32, stage: u32, ref_count: u32, }
    Plan9 {
        no_writable_file_shares: bool,
        name_counter: u64,
        shares: BTreeMap<String, Share>,
        #[bilrost(encoding(map<plainbytes, general>))]
        reservations: HashMap<Id, String>,
    }
    Share {
        name: String,
        read_only: bool,
        restrict: bool,
        allowed_names: Vec<String>,
        stage: u32,
        mount: Option<ShareMount>,
    }
    ShareMount { read_only: bool, stage: u32, ref_count: u32, guest_path: String, }
    Pod {
        pod_id: String,
        gcs_pod_id: String,
        network: Option<Network>,
        containers: Vec<Container>,
    }
    Network {
        #[bilrost(encoding(plainbytes))]
        namespace_id: Id,
        policy_based_routing: bool,
        is_namespace_supported_by_guest: bool,
        stage: u32,
        #[bilrost(encoding(map<plainbytes, general>))]
        vm_endpoints: HashMap<Id, Endpoint>,
    }
    Endpoint {
        #[bilrost(encoding(plainbytes))]
        endpoint_id: Id,
        mac_address: String,
        endpoint_name: String,
    }
    Container {
        container_id: String,
        gcs_container_id: String,
        stage: u32,
        io_retry_timeout: Option<Duration>,
        layers: Option<Layers>,
        #[bilrost(encoding(unpacked<plainbytes>))]
        scsi_reservation_ids: Vec<Id>,
        #[bilrost(encoding(unpacked<plainbytes>))]
        plan9_reservation_ids: Vec<Id>,
        #[bilrost(encoding(unpacked<plainbytes>))]
        vpci_vmbus_guids: Vec<Id>,
        processes: BTreeMap<String, Process>,
    }
    Layers {
        ro_layers: Vec<Layer>,
        scratch: Option<Layer>,
        layers_combined: bool,
        rootfs_path: String,
    }
    Layer {
        #[bilrost(encoding(plainbytes))]
        reservation_id: Id,
        guest_path: String,
    }
    Process {
        exec_id: String,
        stage: u32,
        pid: i32,
        bundle: String,
        #[bilrost(encoding(plainbytes))]
        spec: Vec<u8>,
        exited_at: Option<SystemTime>,
        exit_code: u32,
        io_retry_timeout: Option<Duration>,
        stdin_port: u32,
        stdout_port: u32,
        stderr_port: u32,
        wait_call_id: i64,
    }
}

/// Encodes the message.
pub fn save(message: &Sandbox) -> Vec<u8> {
    message.encode_to_vec()
}

/// Decodes a message.
///
/// # Errors
///
/// Fails if the bytes are invalid.
pub fn restore(bytes: &[u8]) -> Result<Sandbox, DecodeError> {
    Sandbox::decode(bytes)
}

/// Creates the message of a state. Not measured.
pub fn convert(state: &state::Sandbox) -> Sandbox {
    Sandbox { vm: vm(&state.vm), pods: state.pods.iter().map(pod).collect() }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn ids(ids: &[Uuid]) -> Vec<Id> {
    ids.iter().map(|id| id.into_bytes()).collect()
}

fn vm(state: &state::Vm) -> Vm {
    Vm {
        vm_id: state.vm_id.clone(),
        stage: state.stage as u32,
        sandbox_options: state.sandbox_options.as_ref().map(|options| Options {
            no_writable_file_shares: options.no_writable_file_shares,
            enable_scratch_encryption: options.enable_scratch_encryption,
            policy_based_routing: options.policy_based_routing,
            architecture: options.architecture.clone(),
            fully_physically_backed: options.fully_physically_backed,
            confidential: options.confidential.as_ref().map(|confidential| Confidential {
                security_policy: confidential.security_policy.clone(),
                security_policy_enforcer: confidential.security_policy_enforcer.clone(),
                uvm_reference_info_file: text(&confidential.uvm_reference_info_file),
            }),
        }),
        scsi: state.scsi.as_ref().map(scsi),
        vpci: state.vpci.as_ref().map(|vpci| Vpci {
            devices: vpci
                .devices
                .iter()
                .map(|(id, held)| (id.into_bytes(), device(held)))
                .collect(),
        }),
        plan9: state.plan9.as_ref().map(plan9),
        gcs_next_port: state.gcs_next_port,
        compat_info: state.compat_info.clone(),
        hcs_document: state.hcs_document.clone(),
        bridge_next_id: state.bridge_next_id,
    }
}

fn scsi(state: &state::Scsi) -> Scsi {
    let reservations = state.reservations.iter().map(|(id, held)| {
        (id.into_bytes(), Reservation { slot: held.slot, partition: held.partition })
    });
    Scsi {
        num_controllers: state.num_controllers.into(),
        disks: state.disks.iter().map(|(&slot, held)| (slot, disk(held))).collect(),
        reservations: reservations.collect(),
    }
}

fn disk(state: &state::Disk) -> Disk {
    Disk {
        host_path: text(&state.config.host_path),
        read_only: state.config.read_only,
        kind: state.config.kind.clone(),
        evd_type: state.config.evd_type.clone(),
        stage: state.stage as u32,
        mounts: state.mounts.iter().map(|(&number, held)| (number, mount(held))).collect(),
    }
}

fn mount(state: &state::Mount) -> Mount {
    Mount {
        config: MountConfig {
            read_only: state.config.read_only,
            encrypted: state.config.encrypted,
            options: state.config.options.clone(),
            ensure_filesystem: state.config.ensure_filesystem,
            filesystem: state.config.filesystem.clone(),
            block_dev: state.config.block_dev,
        },
        stage: state.stage as u32,
        ref_count: state.ref_count,
        guest_path: state.guest_path.clone(),
    }
}

fn device(state: &state::Device) -> Device {
    Device {
        instance_id: state.device_instance_id.clone(),
        function: state.virtual_function_index,
        stage: state.stage as u32,
        ref_count: state.ref_count,
    }
}

fn plan9(state: &state::Plan9) -> Plan9 {
    let share = |share: &state::Share| Share {
        name: share.name.clone(),
        read_only: share.config.read_only,
        restrict: share.config.restrict,
        allowed_names: share.config.allowed_names.clone(),
        stage: share.stage as u32,
        mount: share.mount.as_ref().map(|mount| ShareMount {
            read_only: mount.read_only,
            stage: mount.stage as u32,
            ref_count: mount.ref_count,
            guest_path: mount.guest_path.clone(),
        }),
    };
    let reservations = state.reservations.iter().map(|(id, path)| (id.into_bytes(), path.clone()));
    Plan9 {
        no_writable_file_shares: state.no_writable_file_shares,
        name_counter: state.name_counter,
        shares: state.shares.iter().map(|(path, held)| (path.clone(), share(held))).collect(),
        reservations: reservations.collect(),
    }
}

fn pod(state: &state::Pod) -> Pod {
    Pod {
        pod_id: state.pod_id.clone(),
        gcs_pod_id: state.gcs_pod_id.clone(),
        network: state.network.as_ref().map(network),
        containers: state.containers.iter().map(container).collect(),
    }
}

fn network(state: &state::Network) -> Network {
    let endpoints = state.vm_endpoints.iter().map(|(nic, endpoint)| {
        let endpoint = Endpoint {
            endpoint_id: endpoint.endpoint_id.into_bytes(),
            mac_address: endpoint.mac_address.clone(),
            endpoint_name: endpoint.endpoint_name.clone(),
        };
        (nic.into_bytes(), endpoint)
    });
    Network {
        namespace_id: state.namespace_id.into_bytes(),
        policy_based_routing: state.policy_based_routing,
        is_namespace_supported_by_guest: state.is_namespace_supported_by_guest,
        stage: state.stage as u32,
        vm_endpoints: endpoints.collect(),
    }
}

fn container(state: &state::Container) -> Container {
    Container {
        container_id: state.container_id.clone(),
        gcs_container_id: state.gcs_container_id.clone(),
        stage: state.stage as u32,
        io_retry_timeout: state.io_retry_timeout,
        layers: state.layers.as_ref().map(|layers| Layers {
            ro_layers: layers.ro_layers.iter().map(layer).collect(),
            scratch: layers.scratch.as_ref().map(layer),
            layers_combined: layers.layers_combined,
            rootfs_path: text(&layers.rootfs_path),
        }),
        scsi_reservation_ids: ids(&state.scsi_reservation_ids),
        plan9_reservation_ids: ids(&state.plan9_reservation_ids),
        vpci_vmbus_guids: ids(&state.vpci_vmbus_guids),
        processes: state.processes.iter().map(|(id, held)| (id.clone(), process(held))).collect(),
    }
}

fn layer(state: &state::Layer) -> Layer {
    Layer { reservation_id: state.reservation_id.into_bytes(), guest_path: text(&state.guest_path) }
}

fn process(state: &state::Process) -> Process {
    Process {
        exec_id: state.exec_id.clone(),
        stage: state.stage as u32,
        pid: state.pid,
        bundle: text(&state.bundle),
        spec: state.oci_process_spec_json.clone(),
        exited_at: state.exited_at,
        exit_code: state.exit_code,
        io_retry_timeout: state.io_retry_timeout,
        stdin_port: state.stdin_port,
        stdout_port: state.stdout_port,
        stderr_port: state.stderr_port,
        wait_call_id: state.wait_call_id,
    }
}
