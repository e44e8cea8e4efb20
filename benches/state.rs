//! The native state of a sandbox, as a shim would hold it: parsed ids, paths, durations, maps by key,
//! and the children of each controller as plain structs.
//!
//! It has the payloads of `examples/lcow` in the same messages, without the parts that do not
//! concern the encoding and that no peer could do: it has no controllers and no locks, the OCI spec
//! stays bytes and is not parsed, and references between payloads are not checked. The benchmarks
//! of the template's own tree include all of these.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rkyv::with::{AsString, AsUnixTime, Map};
use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::{
    self as pb, container_snapshot, network_snapshot, process_snapshot, scsi_snapshot, vm_snapshot,
};
use uuid::Uuid;

/// Adds the derives of the peers without their own messages to a type of the state.
macro_rules! states {
    ($($(#[$attribute:meta])* pub $kind:ident $name:ident $body:tt)*) => {$(
        #[derive(Snapshot, Clone, Debug, PartialEq)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[derive(rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
        $(#[$attribute])*
        pub $kind $name $body
    )*};
}

states! {
    /// The whole sandbox.
    #[snapshot(message = pb::SandboxSnapshot, version = 1)]
    pub struct Sandbox {
        /// The VM.
        pub vm: Vm,
        /// The pods in it.
        pub pods: Vec<Pod>,
    }

    /// The VM.
    #[snapshot(message = pb::VmSnapshot, version = 1, save_from(Running))]
    pub struct Vm {
        /// Its id on the host.
        pub vm_id: String,
        /// Its stage.
        #[snapshot(stage, field = state)]
        pub stage: VmStage,
        /// Its options.
        pub sandbox_options: Option<SandboxOptions>,
        /// Its disks.
        pub scsi: Option<Scsi>,
        /// Its devices.
        pub vpci: Option<Vpci>,
        /// Its shares.
        pub plan9: Option<Plan9>,
        /// The next vsock port.
        pub gcs_next_port: u32,
        /// The features that its host must support.
        pub compat_info: Vec<u8>,
        /// The document that it was created from, as JSON.
        pub hcs_document: Vec<u8>,
        /// The next message id.
        pub bridge_next_id: i64,
    }

    /// The options of a VM.
    #[snapshot(message = vm_snapshot::SandboxOptions)]
    pub struct SandboxOptions {
        /// Whether shares are read-only.
        pub no_writable_file_shares: bool,
        /// Whether scratch disks are encrypted.
        pub enable_scratch_encryption: bool,
        /// Whether the guest routes by policy.
        pub policy_based_routing: bool,
        /// Processor architecture.
        pub architecture: String,
        /// Whether memory of the host backs it.
        pub fully_physically_backed: bool,
        /// Settings of a confidential VM.
        pub confidential: Option<Confidential>,
    }

    /// The rules that a confidential VM enforces.
    #[snapshot(message = vm_snapshot::ConfidentialConfig)]
    pub struct Confidential {
        /// The policy.
        pub security_policy: String,
        /// Its enforcer.
        pub security_policy_enforcer: String,
        /// The measurements of the image.
        #[rkyv(with = AsString)]
        pub uvm_reference_info_file: PathBuf,
    }

    /// A VM's disks.
    #[snapshot(message = pb::ScsiSnapshot, version = 1)]
    pub struct Scsi {
        /// The number of controllers.
        #[snapshot(range = 0..=4)]
        pub num_controllers: u8,
        /// The disks by slot.
        pub disks: BTreeMap<u32, Disk>,
        /// The mount that each reservation holds.
        pub reservations: HashMap<Uuid, Reservation>,
    }

    /// One disk.
    #[snapshot(message = scsi_snapshot::DiskState)]
    pub struct Disk {
        /// Its configuration.
        pub config: DiskConfig,
        /// Its stage.
        #[snapshot(stage, field = state)]
        pub stage: DiskStage,
        /// Its mounts by partition.
        pub mounts: BTreeMap<u64, Mount>,
    }

    /// The configuration of a disk.
    #[snapshot(message = scsi_snapshot::DiskConfig)]
    pub struct DiskConfig {
        /// Its path on the host.
        #[rkyv(with = AsString)]
        pub host_path: PathBuf,
        /// Whether it is read-only.
        pub read_only: bool,
        /// The kind of attachment.
        #[snapshot(field = type)]
        pub kind: String,
        /// The provider of an extensible disk.
        pub evd_type: String,
    }

    /// One mount.
    #[snapshot(message = scsi_snapshot::MountState)]
    pub struct Mount {
        /// Its configuration.
        pub config: MountConfig,
        /// Its stage.
        #[snapshot(stage, field = state)]
        pub stage: MountStage,
        /// The number of its holders.
        pub ref_count: u32,
        /// Its path in the guest.
        pub guest_path: String,
    }

    /// The configuration of a mount.
    #[snapshot(message = scsi_snapshot::MountConfig)]
    pub struct MountConfig {
        /// Whether it is read-only.
        pub read_only: bool,
        /// Whether it is encrypted.
        pub encrypted: bool,
        /// Options of the mount call.
        pub options: Vec<String>,
        /// Whether to format it if it is empty.
        pub ensure_filesystem: bool,
        /// The file system.
        pub filesystem: String,
        /// Whether it is a block device.
        pub block_dev: bool,
    }

    /// One holder of a mount.
    #[derive(Copy)]
    #[snapshot(message = scsi_snapshot::Reservation)]
    pub struct Reservation {
        /// The disk.
        pub slot: u32,
        /// The mount on it.
        pub partition: u64,
    }

    /// A VM's devices.
    #[snapshot(message = pb::VpciSnapshot, version = 1)]
    pub struct Vpci {
        /// The devices by channel.
        pub devices: HashMap<Uuid, Device>,
    }

    /// One device.
    #[snapshot(message = pb::vpci_snapshot::DeviceState)]
    pub struct Device {
        /// Its instance id.
        pub device_instance_id: String,
        /// Its virtual function.
        pub virtual_function_index: u32,
        /// Its stage.
        #[snapshot(stage, field = state)]
        pub stage: DeviceStage,
        /// The number of its holders.
        pub ref_count: u32,
    }

    /// A VM's shares.
    #[snapshot(message = pb::Plan9Snapshot, version = 1)]
    pub struct Plan9 {
        /// Whether shares are read-only.
        pub no_writable_file_shares: bool,
        /// The counter that names are made from.
        pub name_counter: u64,
        /// The shares by folder.
        pub shares: BTreeMap<String, Share>,
        /// The share that each reservation holds.
        pub reservations: HashMap<Uuid, String>,
    }

    /// One share.
    #[snapshot(message = pb::plan9_snapshot::ShareState)]
    pub struct Share {
        /// Its name.
        pub name: String,
        /// Its configuration.
        pub config: ShareConfig,
        /// Its stage.
        #[snapshot(stage, field = state)]
        pub stage: ShareStage,
        /// Its mount.
        pub mount: Option<ShareMount>,
    }

    /// The configuration of a share.
    #[snapshot(message = pb::plan9_snapshot::ShareConfig)]
    pub struct ShareConfig {
        /// Whether it is read-only.
        pub read_only: bool,
        /// Whether only some files are visible.
        pub restrict: bool,
        /// Their names.
        pub allowed_names: Vec<String>,
    }

    /// A share's mount.
    #[snapshot(message = pb::plan9_snapshot::MountState)]
    pub struct ShareMount {
        /// Whether it is read-only.
        pub read_only: bool,
        /// Its stage.
        #[snapshot(stage, field = state)]
        pub stage: ShareMountStage,
        /// The number of its holders.
        pub ref_count: u32,
        /// Its path in the guest.
        pub guest_path: String,
    }

    /// A pod.
    #[snapshot(message = pb::PodSnapshot, version = 1)]
    pub struct Pod {
        /// Its id on the host.
        pub pod_id: String,
        /// Its id in the guest.
        pub gcs_pod_id: String,
        /// Its network.
        pub network: Option<Network>,
        /// Its containers.
        pub containers: Vec<Container>,
    }

    /// A pod's network.
    #[snapshot(message = pb::NetworkSnapshot, version = 1, save_from(Configured))]
    pub struct Network {
        /// The namespace on the host.
        pub namespace_id: Uuid,
        /// Whether the guest routes by policy.
        pub policy_based_routing: bool,
        /// Whether the guest has namespaces.
        pub is_namespace_supported_by_guest: bool,
        /// Its stage.
        #[snapshot(stage, field = state)]
        pub stage: NetworkStage,
        /// The endpoints by adapter.
        pub vm_endpoints: HashMap<Uuid, Endpoint>,
    }

    /// One endpoint.
    #[snapshot(message = network_snapshot::EndpointBinding)]
    pub struct Endpoint {
        /// Its id on the host.
        pub endpoint_id: Uuid,
        /// Its hardware address.
        pub mac_address: String,
        /// Its name.
        pub endpoint_name: String,
    }

    /// A container.
    #[snapshot(message = pb::ContainerSnapshot, version = 1, save_from(Running))]
    pub struct Container {
        /// Its id on the host.
        pub container_id: String,
        /// Its id in the guest.
        pub gcs_container_id: String,
        /// Its stage.
        #[snapshot(stage, field = state)]
        pub stage: ContainerStage,
        /// The time during which lost IO is retried.
        pub io_retry_timeout: Option<Duration>,
        /// Its root file system.
        pub layers: Option<Layers>,
        /// Its mounts beside the layers.
        pub scsi_reservation_ids: Vec<Uuid>,
        /// Its shares.
        pub plan9_reservation_ids: Vec<Uuid>,
        /// Its devices.
        pub vpci_vmbus_guids: Vec<Uuid>,
        /// Its processes by exec id.
        pub processes: BTreeMap<String, Process>,
    }

    /// The layers of a root file system.
    #[snapshot(message = container_snapshot::Layers)]
    pub struct Layers {
        /// The read-only ones.
        pub ro_layers: Vec<Layer>,
        /// The writable one.
        pub scratch: Option<Layer>,
        /// Whether they are combined.
        pub layers_combined: bool,
        /// Their path in the guest.
        #[rkyv(with = AsString)]
        pub rootfs_path: PathBuf,
    }

    /// One layer.
    #[snapshot(message = container_snapshot::LayerReservation)]
    pub struct Layer {
        /// The reservation of its mount.
        pub reservation_id: Uuid,
        /// Its path in the guest.
        #[rkyv(with = AsString)]
        pub guest_path: PathBuf,
    }

    /// A process.
    #[snapshot(message = pb::ProcessSnapshot, version = 1, save_from(Running))]
    pub struct Process {
        /// Its exec id.
        pub exec_id: String,
        /// Its stage.
        #[snapshot(stage, field = state)]
        pub stage: ProcessStage,
        /// Its id in the guest.
        pub pid: i32,
        /// The bundle on the host.
        #[rkyv(with = AsString)]
        pub bundle: PathBuf,
        /// The OCI spec, JSON.
        pub oci_process_spec_json: Vec<u8>,
        /// The time of its exit.
        #[rkyv(with = Map<AsUnixTime>)]
        pub exited_at: Option<SystemTime>,
        /// Its exit code.
        pub exit_code: u32,
        /// The time during which lost IO is retried.
        pub io_retry_timeout: Option<Duration>,
        /// Port of its standard input.
        pub stdin_port: u32,
        /// Port of its standard output.
        pub stdout_port: u32,
        /// Port of its standard error.
        pub stderr_port: u32,
        /// The call that waits for its exit.
        pub wait_call_id: i64,
    }

    /// The stage of a VM.
    #[derive(Copy, Default)]
    #[snapshot(stage = vm_snapshot::Stage)]
    pub enum VmStage {
        /// Only its id is known.
        #[default]
        NotCreated,
        /// Created.
        Created,
        /// Running.
        Running,
        /// Stopped.
        Terminated,
        /// Failed.
        Invalid,
        /// In a migration.
        Migrating,
    }

    /// The stage of a disk.
    #[derive(Copy, Default)]
    #[snapshot(stage = scsi_snapshot::DiskStage)]
    pub enum DiskStage {
        /// Planned.
        #[default]
        Reserved,
        /// Attached.
        Attached,
        /// Ejected.
        Ejected,
        /// Removed.
        Detached,
    }

    /// The stage of a mount.
    #[derive(Copy, Default)]
    #[snapshot(stage = scsi_snapshot::MountStage)]
    pub enum MountStage {
        /// Planned.
        #[default]
        Reserved,
        /// Mounted.
        Mounted,
        /// Removed.
        Unmounted,
    }

    /// The stage of a device.
    #[derive(Copy, Default)]
    #[snapshot(stage = pb::vpci_snapshot::DeviceStage)]
    pub enum DeviceStage {
        /// Planned.
        #[default]
        Reserved,
        /// Assigned.
        Assigned,
        /// Usable.
        Ready,
        /// Assigned and unusable.
        AssignedInvalid,
        /// Removed.
        Removed,
    }

    /// The stage of a share.
    #[derive(Copy, Default)]
    #[snapshot(stage = pb::plan9_snapshot::ShareStage)]
    pub enum ShareStage {
        /// Planned.
        #[default]
        Reserved,
        /// Added.
        Added,
        /// Unusable.
        Invalid,
        /// Removed.
        Removed,
    }

    /// The stage of a share's mount.
    #[derive(Copy, Default)]
    #[snapshot(stage = pb::plan9_snapshot::MountStage)]
    pub enum ShareMountStage {
        /// Planned.
        #[default]
        Reserved,
        /// Mounted.
        Mounted,
        /// Unusable.
        Invalid,
        /// Removed.
        Unmounted,
    }

    /// The stage of a network.
    #[derive(Copy, Default)]
    #[snapshot(stage = network_snapshot::Stage)]
    pub enum NetworkStage {
        /// Nothing is set up.
        #[default]
        NotConfigured,
        /// Set up.
        Configured,
        /// Failed.
        Invalid,
        /// Removed.
        TornDown,
    }

    /// The stage of a container.
    #[derive(Copy, Default)]
    #[snapshot(stage = container_snapshot::Stage)]
    pub enum ContainerStage {
        /// Only its id is known.
        #[default]
        NotCreated,
        /// Created.
        Created,
        /// Running.
        Running,
        /// Stopped.
        Stopped,
        /// Failed.
        Invalid,
        /// In a migration.
        Migrating,
    }

    /// The stage of a process.
    #[derive(Copy, Default)]
    #[snapshot(stage = process_snapshot::Stage)]
    pub enum ProcessStage {
        /// Only its id is known.
        #[default]
        NotCreated,
        /// Created.
        Created,
        /// Running.
        Running,
        /// Exited.
        Terminated,
    }
}
