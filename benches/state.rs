//! The native state of a sandbox, as a shim would hold it: ids that were parsed, paths, durations,
//! maps by key, and the children of each controller as plain structs.
//!
//! It has the payloads of `examples/lcow`, in the same messages. It differs in what has nothing to
//! do with the encoding and that no peer could do: there are no controllers and no locks, the OCI
//! spec is carried as bytes and not parsed, and no references between payloads are followed. The
//! benchmarks of the template's own tree have all of that.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rkyv::with::{AsString, AsUnixTime, Map};
use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::{
    self as pb, container_snapshot, network_snapshot, process_snapshot, scsi_snapshot, vm_snapshot,
};
use uuid::Uuid;

/// Gives a type of the state what the peers without a message of their own need.
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
        /// Where it is in its life.
        #[snapshot(stage, field = state)]
        pub stage: VmStage,
        /// How it was created.
        pub sandbox_options: Option<SandboxOptions>,
        /// Its disks.
        pub scsi: Option<Scsi>,
        /// Its devices.
        pub vpci: Option<Vpci>,
        /// Its shares.
        pub plan9: Option<Plan9>,
        /// The next vsock port.
        pub gcs_next_port: u32,
        /// What its host needs.
        pub compat_info: Vec<u8>,
        /// What it was created from, JSON.
        pub hcs_document: Vec<u8>,
        /// The next message id.
        pub bridge_next_id: i64,
    }

    /// How a VM was created.
    #[snapshot(message = vm_snapshot::SandboxOptions)]
    pub struct SandboxOptions {
        /// Shares are read-only.
        pub no_writable_file_shares: bool,
        /// Scratch disks are encrypted.
        pub enable_scratch_encryption: bool,
        /// The guest routes by policy.
        pub policy_based_routing: bool,
        /// Processor architecture.
        pub architecture: String,
        /// Memory is backed by the host's.
        pub fully_physically_backed: bool,
        /// Settings of a confidential VM.
        pub confidential: Option<Confidential>,
    }

    /// What a confidential VM enforces.
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
        /// How many controllers there are.
        #[snapshot(range = 0..=4)]
        pub num_controllers: u8,
        /// The disks by slot.
        pub disks: BTreeMap<u32, Disk>,
        /// Who holds which mount.
        pub reservations: HashMap<Uuid, Reservation>,
    }

    /// One disk.
    #[snapshot(message = scsi_snapshot::DiskState)]
    pub struct Disk {
        /// What it is.
        pub config: DiskConfig,
        /// How far it is.
        #[snapshot(stage, field = state)]
        pub stage: DiskStage,
        /// Its mounts by partition.
        pub mounts: BTreeMap<u64, Mount>,
    }

    /// What a disk is.
    #[snapshot(message = scsi_snapshot::DiskConfig)]
    pub struct DiskConfig {
        /// Where it is on the host.
        #[rkyv(with = AsString)]
        pub host_path: PathBuf,
        /// Read-only.
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
        /// How it is mounted.
        pub config: MountConfig,
        /// How far it is.
        #[snapshot(stage, field = state)]
        pub stage: MountStage,
        /// How many hold it.
        pub ref_count: u32,
        /// Where it is in the guest.
        pub guest_path: String,
    }

    /// How a partition is mounted.
    #[snapshot(message = scsi_snapshot::MountConfig)]
    pub struct MountConfig {
        /// Read-only.
        pub read_only: bool,
        /// Encrypted.
        pub encrypted: bool,
        /// Options of the mount call.
        pub options: Vec<String>,
        /// Format it if it is empty.
        pub ensure_filesystem: bool,
        /// The file system.
        pub filesystem: String,
        /// A block device.
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
        /// How far it is.
        #[snapshot(stage, field = state)]
        pub stage: DeviceStage,
        /// How many hold it.
        pub ref_count: u32,
    }

    /// A VM's shares.
    #[snapshot(message = pb::Plan9Snapshot, version = 1)]
    pub struct Plan9 {
        /// Shares are read-only.
        pub no_writable_file_shares: bool,
        /// What names are made from.
        pub name_counter: u64,
        /// The shares by folder.
        pub shares: BTreeMap<String, Share>,
        /// Who holds which.
        pub reservations: HashMap<Uuid, String>,
    }

    /// One share.
    #[snapshot(message = pb::plan9_snapshot::ShareState)]
    pub struct Share {
        /// Its name.
        pub name: String,
        /// How it is shared.
        pub config: ShareConfig,
        /// How far it is.
        #[snapshot(stage, field = state)]
        pub stage: ShareStage,
        /// Its mount.
        pub mount: Option<ShareMount>,
    }

    /// How a folder is shared.
    #[snapshot(message = pb::plan9_snapshot::ShareConfig)]
    pub struct ShareConfig {
        /// Read-only.
        pub read_only: bool,
        /// Only some files.
        pub restrict: bool,
        /// Their names.
        pub allowed_names: Vec<String>,
    }

    /// A share's mount.
    #[snapshot(message = pb::plan9_snapshot::MountState)]
    pub struct ShareMount {
        /// Read-only.
        pub read_only: bool,
        /// How far it is.
        #[snapshot(stage, field = state)]
        pub stage: ShareMountStage,
        /// How many hold it.
        pub ref_count: u32,
        /// Where it is in the guest.
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
        /// The guest routes by policy.
        pub policy_based_routing: bool,
        /// The guest has namespaces.
        pub is_namespace_supported_by_guest: bool,
        /// Where it is in its life.
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
        /// Where it is in its life.
        #[snapshot(stage, field = state)]
        pub stage: ContainerStage,
        /// How long lost IO is tried again.
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
        /// They were put together.
        pub layers_combined: bool,
        /// Where.
        #[rkyv(with = AsString)]
        pub rootfs_path: PathBuf,
    }

    /// One layer.
    #[snapshot(message = container_snapshot::LayerReservation)]
    pub struct Layer {
        /// The reservation of its mount.
        pub reservation_id: Uuid,
        /// Where it is mounted.
        #[rkyv(with = AsString)]
        pub guest_path: PathBuf,
    }

    /// A process.
    #[snapshot(message = pb::ProcessSnapshot, version = 1, save_from(Running))]
    pub struct Process {
        /// Its exec id.
        pub exec_id: String,
        /// Where it is in its life.
        #[snapshot(stage, field = state)]
        pub stage: ProcessStage,
        /// Its id in the guest.
        pub pid: i32,
        /// The bundle on the host.
        #[rkyv(with = AsString)]
        pub bundle: PathBuf,
        /// The OCI spec, JSON.
        pub oci_process_spec_json: Vec<u8>,
        /// When it exited.
        #[rkyv(with = Map<AsUnixTime>)]
        pub exited_at: Option<SystemTime>,
        /// Its exit code.
        pub exit_code: u32,
        /// How long lost IO is tried again.
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

    /// Where a VM is in its life.
    #[derive(Copy, Default)]
    #[snapshot(stage = vm_snapshot::Stage)]
    pub enum VmStage {
        /// Only an id.
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

    /// How far a disk is.
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
        /// Gone.
        Detached,
    }

    /// How far a mount is.
    #[derive(Copy, Default)]
    #[snapshot(stage = scsi_snapshot::MountStage)]
    pub enum MountStage {
        /// Planned.
        #[default]
        Reserved,
        /// Mounted.
        Mounted,
        /// Gone.
        Unmounted,
    }

    /// How far a device is.
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
        /// Gone.
        Removed,
    }

    /// How far a share is.
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
        /// Gone.
        Removed,
    }

    /// How far a share's mount is.
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
        /// Gone.
        Unmounted,
    }

    /// Where a network is in its life.
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
        /// Gone.
        TornDown,
    }

    /// Where a container is in its life.
    #[derive(Copy, Default)]
    #[snapshot(stage = container_snapshot::Stage)]
    pub enum ContainerStage {
        /// Only an id.
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

    /// Where a process is in its life.
    #[derive(Copy, Default)]
    #[snapshot(stage = process_snapshot::Stage)]
    pub enum ProcessStage {
        /// Only an id.
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
