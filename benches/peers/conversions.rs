//! The conversions between the native state and the messages of a protobuf library, written by hand.
//!
//! This file is a module of two peers, prost and buffa, whose messages differ in details. The parent
//! module has `get` and `set` for optional messages, `number` and `stage` for enums, `to_any` and
//! `from_any` for children. In prost's peer the first four do only what would otherwise stand here.
//!
//! The conversions copy only where the messages force them to: a restore moves strings, collections
//! are created with their final capacity, and errors are created only if they occur. The checks are
//! those of typical hand-written code: type URLs, versions, enum values, ranges, required messages.
//! Unknown fields and duplicates go unnoticed, since the libraries drop them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use super::pb::{
    self, container_snapshot, network_snapshot, plan9_snapshot, process_snapshot, scsi_snapshot,
    vm_snapshot, vpci_snapshot,
};
use super::{from_any, get, number, set, stage, to_any};

use crate::state::{
    Confidential, Container, ContainerStage, Device, DeviceStage, Disk, DiskConfig, DiskStage,
    Endpoint, Layer, Layers, Mount, MountConfig, MountStage, Network, NetworkStage, Plan9, Pod,
    Process, ProcessStage, Reservation, Sandbox, SandboxOptions, Scsi, Share, ShareConfig,
    ShareMount, ShareMountStage, ShareStage, Vm, VmStage, Vpci,
};

/// The reason why a state could not be saved or restored.
#[derive(Debug)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

#[cold]
pub(super) fn error(field: &str, reason: impl fmt::Display) -> Error {
    Error(format!("{field}: {reason}"))
}

pub(super) type Result<T> = std::result::Result<T, Error>;

fn required<T>(field: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| error(field, "is missing"))
}

fn check_version(payload: &str, version: u32) -> Result<()> {
    match version {
        1 => Ok(()),
        _ => Err(error(payload, format!("schema version {version}, but this build reads 1"))),
    }
}

fn path_text(field: &str, path: &Path) -> Result<String> {
    let text = path.to_str().ok_or_else(|| error(field, "is not UTF-8"))?;
    Ok(text.to_owned())
}

fn uuid(field: &str, text: &str) -> Result<Uuid> {
    Uuid::try_parse(text).map_err(|e| error(field, e))
}

fn uuids(field: &str, texts: &[String]) -> Result<Vec<Uuid>> {
    let mut ids = Vec::with_capacity(texts.len());
    for text in texts {
        ids.push(uuid(field, text)?);
    }
    Ok(ids)
}

fn uuid_texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

// With one of the peers it cannot fail.
#[allow(clippy::unnecessary_fallible_conversions)]
fn save_duration(field: &str, duration: Duration) -> Result<super::WireDuration> {
    duration.try_into().map_err(|e| error(field, e))
}

fn restore_duration(field: &str, duration: super::WireDuration) -> Result<Duration> {
    duration.try_into().map_err(|e| error(field, e))
}

/// Converts between a stage and its proto enum.
macro_rules! stages {
    ($save:ident, $restore:ident, $stage:ident, $proto:path, { $($variant:ident)* }) => {
        fn $save(stage: $stage) -> $proto {
            use $proto as Proto;
            match stage { $($stage::$variant => Proto::$variant),* }
        }

        fn $restore(stage: $proto) -> $stage {
            use $proto as Proto;
            match stage { $(Proto::$variant => $stage::$variant),* }
        }
    };
}

stages! { save_vm_stage, restore_vm_stage, VmStage, vm_snapshot::Stage,
{ NotCreated Created Running Terminated Invalid Migrating } }
stages! { save_disk_stage, restore_disk_stage, DiskStage, scsi_snapshot::DiskStage,
{ Reserved Attached Ejected Detached } }
stages! { save_mount_stage, restore_mount_stage, MountStage, scsi_snapshot::MountStage,
{ Reserved Mounted Unmounted } }
stages! { save_device_stage, restore_device_stage, DeviceStage, vpci_snapshot::DeviceStage,
{ Reserved Assigned Ready AssignedInvalid Removed } }
stages! { save_share_stage, restore_share_stage, ShareStage, plan9_snapshot::ShareStage,
{ Reserved Added Invalid Removed } }
stages! { save_share_mount_stage, restore_share_mount_stage, ShareMountStage,
plan9_snapshot::MountStage, { Reserved Mounted Invalid Unmounted } }
stages! { save_network_stage, restore_network_stage, NetworkStage, network_snapshot::Stage,
{ NotConfigured Configured Invalid TornDown } }
stages! { save_container_stage, restore_container_stage, ContainerStage, container_snapshot::Stage,
{ NotCreated Created Running Stopped Invalid Migrating } }
stages! { save_process_stage, restore_process_stage, ProcessStage, process_snapshot::Stage,
{ NotCreated Created Running Terminated } }

pub(super) fn save_sandbox(state: &Sandbox) -> Result<pb::SandboxSnapshot> {
    let mut pods = Vec::with_capacity(state.pods.len());
    for pod in &state.pods {
        pods.push(to_any(&save_pod(pod)?)?);
    }
    Ok(pb::SandboxSnapshot {
        schema_version: 1,
        vm: set(Some(to_any(&save_vm(&state.vm)?)?)),
        pods,
    })
}

pub(super) fn restore_sandbox(message: pb::SandboxSnapshot) -> Result<Sandbox> {
    check_version("sandbox", message.schema_version)?;
    let vm = restore_vm(from_any(&required("vm", get(message.vm))?)?)?;
    let mut pods = Vec::with_capacity(message.pods.len());
    for pod in &message.pods {
        pods.push(restore_pod(from_any(pod)?)?);
    }
    Ok(Sandbox { vm, pods })
}

fn save_vm(state: &Vm) -> Result<pb::VmSnapshot> {
    Ok(pb::VmSnapshot {
        schema_version: 1,
        vm_id: state.vm_id.clone(),
        state: number(save_vm_stage(state.stage)),
        sandbox_options: set(state.sandbox_options.as_ref().map(save_options).transpose()?),
        scsi: set(state.scsi.as_ref().map(|scsi| to_any(&save_scsi(scsi)?)).transpose()?),
        vpci: set(state.vpci.as_ref().map(|vpci| to_any(&save_vpci(vpci))).transpose()?),
        plan9: set(state.plan9.as_ref().map(|plan9| to_any(&save_plan9(plan9))).transpose()?),
        gcs_next_port: state.gcs_next_port,
        compat_info: state.compat_info.clone(),
        hcs_document: state.hcs_document.clone(),
        bridge_next_id: state.bridge_next_id,
    })
}

fn restore_vm(message: pb::VmSnapshot) -> Result<Vm> {
    check_version("vm", message.schema_version)?;
    Ok(Vm {
        vm_id: message.vm_id,
        stage: restore_vm_stage(stage(message.state)?),
        sandbox_options: get(message.sandbox_options).map(restore_options),
        scsi: get(message.scsi).map(|any| restore_scsi(from_any(&any)?)).transpose()?,
        vpci: get(message.vpci).map(|any| restore_vpci(from_any(&any)?)).transpose()?,
        plan9: get(message.plan9).map(|any| restore_plan9(from_any(&any)?)).transpose()?,
        gcs_next_port: message.gcs_next_port,
        compat_info: message.compat_info,
        hcs_document: message.hcs_document,
        bridge_next_id: message.bridge_next_id,
    })
}

fn save_options(state: &SandboxOptions) -> Result<vm_snapshot::SandboxOptions> {
    let confidential = match &state.confidential {
        Some(state) => Some(vm_snapshot::ConfidentialConfig {
            security_policy: state.security_policy.clone(),
            security_policy_enforcer: state.security_policy_enforcer.clone(),
            uvm_reference_info_file: path_text(
                "uvm_reference_info_file",
                &state.uvm_reference_info_file,
            )?,
        }),
        None => None,
    };
    Ok(vm_snapshot::SandboxOptions {
        no_writable_file_shares: state.no_writable_file_shares,
        enable_scratch_encryption: state.enable_scratch_encryption,
        policy_based_routing: state.policy_based_routing,
        architecture: state.architecture.clone(),
        fully_physically_backed: state.fully_physically_backed,
        confidential: set(confidential),
    })
}

fn restore_options(message: vm_snapshot::SandboxOptions) -> SandboxOptions {
    SandboxOptions {
        no_writable_file_shares: message.no_writable_file_shares,
        enable_scratch_encryption: message.enable_scratch_encryption,
        policy_based_routing: message.policy_based_routing,
        architecture: message.architecture,
        fully_physically_backed: message.fully_physically_backed,
        confidential: get(message.confidential).map(|message| Confidential {
            security_policy: message.security_policy,
            security_policy_enforcer: message.security_policy_enforcer,
            uvm_reference_info_file: message.uvm_reference_info_file.into(),
        }),
    }
}

fn save_scsi(state: &Scsi) -> Result<pb::ScsiSnapshot> {
    let mut disks = BTreeMap::new();
    for (&slot, disk) in &state.disks {
        disks.insert(slot, save_disk(disk)?);
    }
    let reservations = state.reservations.iter().map(|(id, held)| {
        let held = scsi_snapshot::Reservation { slot: held.slot, partition: held.partition };
        (id.to_string(), held)
    });
    Ok(pb::ScsiSnapshot {
        schema_version: 1,
        num_controllers: state.num_controllers.into(),
        disks,
        reservations: reservations.collect(),
    })
}

fn restore_scsi(message: pb::ScsiSnapshot) -> Result<Scsi> {
    check_version("scsi", message.schema_version)?;
    let num_controllers = match u8::try_from(message.num_controllers) {
        Ok(count @ 0..=4) => count,
        _ => return Err(error("num_controllers", "is more than 4")),
    };
    let mut disks = BTreeMap::new();
    for (slot, disk) in message.disks {
        disks.insert(slot, restore_disk(disk)?);
    }
    let mut reservations = HashMap::with_capacity(message.reservations.len());
    for (id, held) in message.reservations {
        let held = Reservation { slot: held.slot, partition: held.partition };
        reservations.insert(uuid("reservations", &id)?, held);
    }
    Ok(Scsi { num_controllers, disks, reservations })
}

fn save_disk(state: &Disk) -> Result<scsi_snapshot::DiskState> {
    Ok(scsi_snapshot::DiskState {
        config: set(Some(scsi_snapshot::DiskConfig {
            host_path: path_text("host_path", &state.config.host_path)?,
            read_only: state.config.read_only,
            r#type: state.config.kind.clone(),
            evd_type: state.config.evd_type.clone(),
        })),
        state: number(save_disk_stage(state.stage)),
        mounts: state.mounts.iter().map(|(&number, mount)| (number, save_mount(mount))).collect(),
    })
}

fn restore_disk(message: scsi_snapshot::DiskState) -> Result<Disk> {
    let config = required("config", get(message.config))?;
    let mut mounts = BTreeMap::new();
    for (number, mount) in message.mounts {
        mounts.insert(number, restore_mount(mount)?);
    }
    Ok(Disk {
        config: DiskConfig {
            host_path: config.host_path.into(),
            read_only: config.read_only,
            kind: config.r#type,
            evd_type: config.evd_type,
        },
        stage: restore_disk_stage(stage(message.state)?),
        mounts,
    })
}

fn save_mount(state: &Mount) -> scsi_snapshot::MountState {
    scsi_snapshot::MountState {
        config: set(Some(scsi_snapshot::MountConfig {
            read_only: state.config.read_only,
            encrypted: state.config.encrypted,
            options: state.config.options.clone(),
            ensure_filesystem: state.config.ensure_filesystem,
            filesystem: state.config.filesystem.clone(),
            block_dev: state.config.block_dev,
        })),
        state: number(save_mount_stage(state.stage)),
        ref_count: state.ref_count,
        guest_path: state.guest_path.clone(),
    }
}

fn restore_mount(message: scsi_snapshot::MountState) -> Result<Mount> {
    let config = required("config", get(message.config))?;
    Ok(Mount {
        config: MountConfig {
            read_only: config.read_only,
            encrypted: config.encrypted,
            options: config.options,
            ensure_filesystem: config.ensure_filesystem,
            filesystem: config.filesystem,
            block_dev: config.block_dev,
        },
        stage: restore_mount_stage(stage(message.state)?),
        ref_count: message.ref_count,
        guest_path: message.guest_path,
    })
}

fn save_vpci(state: &Vpci) -> pb::VpciSnapshot {
    let devices = state.devices.iter().map(|(id, device)| {
        let device = vpci_snapshot::DeviceState {
            device_instance_id: device.device_instance_id.clone(),
            virtual_function_index: device.virtual_function_index,
            state: number(save_device_stage(device.stage)),
            ref_count: device.ref_count,
        };
        (id.to_string(), device)
    });
    pb::VpciSnapshot { schema_version: 1, devices: devices.collect() }
}

fn restore_vpci(message: pb::VpciSnapshot) -> Result<Vpci> {
    check_version("vpci", message.schema_version)?;
    let mut devices = HashMap::with_capacity(message.devices.len());
    for (id, device) in message.devices {
        let device = Device {
            device_instance_id: device.device_instance_id,
            virtual_function_index: device.virtual_function_index,
            stage: restore_device_stage(stage(device.state)?),
            ref_count: device.ref_count,
        };
        devices.insert(uuid("devices", &id)?, device);
    }
    Ok(Vpci { devices })
}

fn save_plan9(state: &Plan9) -> pb::Plan9Snapshot {
    let reservations = state.reservations.iter().map(|(id, path)| (id.to_string(), path.clone()));
    pb::Plan9Snapshot {
        schema_version: 1,
        no_writable_file_shares: state.no_writable_file_shares,
        name_counter: state.name_counter,
        shares: state
            .shares
            .iter()
            .map(|(path, share)| (path.clone(), save_share(share)))
            .collect(),
        reservations: reservations.collect(),
    }
}

fn restore_plan9(message: pb::Plan9Snapshot) -> Result<Plan9> {
    check_version("plan9", message.schema_version)?;
    let mut shares = BTreeMap::new();
    for (path, share) in message.shares {
        shares.insert(path, restore_share(share)?);
    }
    let mut reservations = HashMap::with_capacity(message.reservations.len());
    for (id, path) in message.reservations {
        reservations.insert(uuid("reservations", &id)?, path);
    }
    Ok(Plan9 {
        no_writable_file_shares: message.no_writable_file_shares,
        name_counter: message.name_counter,
        shares,
        reservations,
    })
}

fn save_share(state: &Share) -> plan9_snapshot::ShareState {
    plan9_snapshot::ShareState {
        name: state.name.clone(),
        config: set(Some(plan9_snapshot::ShareConfig {
            read_only: state.config.read_only,
            restrict: state.config.restrict,
            allowed_names: state.config.allowed_names.clone(),
        })),
        state: number(save_share_stage(state.stage)),
        mount: set(state.mount.as_ref().map(|mount| plan9_snapshot::MountState {
            read_only: mount.read_only,
            state: number(save_share_mount_stage(mount.stage)),
            ref_count: mount.ref_count,
            guest_path: mount.guest_path.clone(),
        })),
    }
}

fn restore_share(message: plan9_snapshot::ShareState) -> Result<Share> {
    let config = required("config", get(message.config))?;
    let mount = match get(message.mount) {
        Some(mount) => Some(ShareMount {
            read_only: mount.read_only,
            stage: restore_share_mount_stage(stage(mount.state)?),
            ref_count: mount.ref_count,
            guest_path: mount.guest_path,
        }),
        None => None,
    };
    Ok(Share {
        name: message.name,
        config: ShareConfig {
            read_only: config.read_only,
            restrict: config.restrict,
            allowed_names: config.allowed_names,
        },
        stage: restore_share_stage(stage(message.state)?),
        mount,
    })
}

fn save_pod(state: &Pod) -> Result<pb::PodSnapshot> {
    let mut containers = Vec::with_capacity(state.containers.len());
    for container in &state.containers {
        containers.push(to_any(&save_container(container)?)?);
    }
    Ok(pb::PodSnapshot {
        schema_version: 1,
        pod_id: state.pod_id.clone(),
        gcs_pod_id: state.gcs_pod_id.clone(),
        network: set(state
            .network
            .as_ref()
            .map(|network| to_any(&save_network(network)))
            .transpose()?),
        containers,
    })
}

fn restore_pod(message: pb::PodSnapshot) -> Result<Pod> {
    check_version("pod", message.schema_version)?;
    let mut containers = Vec::with_capacity(message.containers.len());
    for container in &message.containers {
        containers.push(restore_container(from_any(container)?)?);
    }
    Ok(Pod {
        pod_id: message.pod_id,
        gcs_pod_id: message.gcs_pod_id,
        network: get(message.network).map(|any| restore_network(from_any(&any)?)).transpose()?,
        containers,
    })
}

fn save_network(state: &Network) -> pb::NetworkSnapshot {
    let endpoints = state.vm_endpoints.iter().map(|(nic, endpoint)| {
        let endpoint = network_snapshot::EndpointBinding {
            endpoint_id: endpoint.endpoint_id.to_string(),
            mac_address: endpoint.mac_address.clone(),
            endpoint_name: endpoint.endpoint_name.clone(),
        };
        (nic.to_string(), endpoint)
    });
    pb::NetworkSnapshot {
        schema_version: 1,
        namespace_id: state.namespace_id.to_string(),
        policy_based_routing: state.policy_based_routing,
        is_namespace_supported_by_guest: state.is_namespace_supported_by_guest,
        state: number(save_network_stage(state.stage)),
        vm_endpoints: endpoints.collect(),
    }
}

fn restore_network(message: pb::NetworkSnapshot) -> Result<Network> {
    check_version("network", message.schema_version)?;
    let mut vm_endpoints = HashMap::with_capacity(message.vm_endpoints.len());
    for (nic, endpoint) in message.vm_endpoints {
        let endpoint = Endpoint {
            endpoint_id: uuid("endpoint_id", &endpoint.endpoint_id)?,
            mac_address: endpoint.mac_address,
            endpoint_name: endpoint.endpoint_name,
        };
        vm_endpoints.insert(uuid("vm_endpoints", &nic)?, endpoint);
    }
    Ok(Network {
        namespace_id: uuid("namespace_id", &message.namespace_id)?,
        policy_based_routing: message.policy_based_routing,
        is_namespace_supported_by_guest: message.is_namespace_supported_by_guest,
        stage: restore_network_stage(stage(message.state)?),
        vm_endpoints,
    })
}

fn save_container(state: &Container) -> Result<pb::ContainerSnapshot> {
    let mut processes = BTreeMap::new();
    for (exec_id, process) in &state.processes {
        processes.insert(exec_id.clone(), to_any(&save_process(process)?)?);
    }
    let timeout = state.io_retry_timeout;
    Ok(pb::ContainerSnapshot {
        schema_version: 1,
        container_id: state.container_id.clone(),
        gcs_container_id: state.gcs_container_id.clone(),
        state: number(save_container_stage(state.stage)),
        io_retry_timeout: set(timeout
            .map(|time| save_duration("io_retry_timeout", time))
            .transpose()?),
        layers: set(state.layers.as_ref().map(save_layers).transpose()?),
        scsi_reservation_ids: uuid_texts(&state.scsi_reservation_ids),
        plan9_reservation_ids: uuid_texts(&state.plan9_reservation_ids),
        vpci_vmbus_guids: uuid_texts(&state.vpci_vmbus_guids),
        processes,
    })
}

fn restore_container(message: pb::ContainerSnapshot) -> Result<Container> {
    check_version("container", message.schema_version)?;
    let mut processes = BTreeMap::new();
    for (exec_id, process) in message.processes {
        processes.insert(exec_id, restore_process(from_any(&process)?)?);
    }
    let timeout = get(message.io_retry_timeout);
    Ok(Container {
        container_id: message.container_id,
        gcs_container_id: message.gcs_container_id,
        stage: restore_container_stage(stage(message.state)?),
        io_retry_timeout: timeout
            .map(|time| restore_duration("io_retry_timeout", time))
            .transpose()?,
        layers: get(message.layers).map(restore_layers).transpose()?,
        scsi_reservation_ids: uuids("scsi_reservation_ids", &message.scsi_reservation_ids)?,
        plan9_reservation_ids: uuids("plan9_reservation_ids", &message.plan9_reservation_ids)?,
        vpci_vmbus_guids: uuids("vpci_vmbus_guids", &message.vpci_vmbus_guids)?,
        processes,
    })
}

fn save_layers(state: &Layers) -> Result<container_snapshot::Layers> {
    let mut ro_layers = Vec::with_capacity(state.ro_layers.len());
    for layer in &state.ro_layers {
        ro_layers.push(save_layer(layer)?);
    }
    Ok(container_snapshot::Layers {
        ro_layers,
        scratch: set(state.scratch.as_ref().map(save_layer).transpose()?),
        layers_combined: state.layers_combined,
        rootfs_path: path_text("rootfs_path", &state.rootfs_path)?,
    })
}

fn restore_layers(message: container_snapshot::Layers) -> Result<Layers> {
    let mut ro_layers = Vec::with_capacity(message.ro_layers.len());
    for layer in message.ro_layers {
        ro_layers.push(restore_layer(layer)?);
    }
    Ok(Layers {
        ro_layers,
        scratch: get(message.scratch).map(restore_layer).transpose()?,
        layers_combined: message.layers_combined,
        rootfs_path: message.rootfs_path.into(),
    })
}

fn save_layer(state: &Layer) -> Result<container_snapshot::LayerReservation> {
    Ok(container_snapshot::LayerReservation {
        reservation_id: state.reservation_id.to_string(),
        guest_path: path_text("guest_path", &state.guest_path)?,
    })
}

fn restore_layer(message: container_snapshot::LayerReservation) -> Result<Layer> {
    Ok(Layer {
        reservation_id: uuid("reservation_id", &message.reservation_id)?,
        guest_path: message.guest_path.into(),
    })
}

fn save_process(state: &Process) -> Result<pb::ProcessSnapshot> {
    let timeout = state.io_retry_timeout;
    Ok(pb::ProcessSnapshot {
        schema_version: 1,
        exec_id: state.exec_id.clone(),
        state: number(save_process_stage(state.stage)),
        pid: state.pid,
        bundle: path_text("bundle", &state.bundle)?,
        oci_process_spec_json: state.oci_process_spec_json.clone(),
        exited_at: set(state.exited_at.map(Into::into)),
        exit_code: state.exit_code,
        io_retry_timeout: set(timeout
            .map(|time| save_duration("io_retry_timeout", time))
            .transpose()?),
        stdin_port: state.stdin_port,
        stdout_port: state.stdout_port,
        stderr_port: state.stderr_port,
        wait_call_id: state.wait_call_id,
    })
}

fn restore_process(message: pb::ProcessSnapshot) -> Result<Process> {
    check_version("process", message.schema_version)?;
    let timeout = get(message.io_retry_timeout);
    let exited_at = match get(message.exited_at) {
        Some(time) => Some(SystemTime::try_from(time).map_err(|e| error("exited_at", e))?),
        None => None,
    };
    Ok(Process {
        exec_id: message.exec_id,
        stage: restore_process_stage(stage(message.state)?),
        pid: message.pid,
        bundle: message.bundle.into(),
        oci_process_spec_json: message.oci_process_spec_json,
        exited_at,
        exit_code: message.exit_code,
        io_retry_timeout: timeout
            .map(|time| restore_duration("io_retry_timeout", time))
            .transpose()?,
        stdin_port: message.stdin_port,
        stdout_port: message.stdout_port,
        stderr_port: message.stderr_port,
        wait_call_id: message.wait_call_id,
    })
}
