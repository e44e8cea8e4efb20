//! prost with its own messages and without conversions: ids stay text, and only the wire format and
//! UTF-8 are checked.
//!
//! An `Any` whose payload is a typed message instead of bytes has the same encoding and saves prost
//! the copies through `prost_types::Any`.

use std::collections::BTreeMap;

use prost::{DecodeError, Message};
use snapshot_proto::lcow::v1::{
    NetworkSnapshot, Plan9Snapshot, ProcessSnapshot, ScsiSnapshot, VpciSnapshot,
    container_snapshot, vm_snapshot,
};

macro_rules! typed_anys {
    ($($(#[$doc:meta])* $any:ident of $payload:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Message)]
        pub struct $any {
            /// The type URL of the payload.
            #[prost(string, tag = "1")]
            pub type_url: String,
            /// The payload.
            #[prost(message, optional, tag = "2")]
            pub value: Option<$payload>,
        }
    )*};
}

typed_anys! {
    /// An `Any` with a VM.
    AnyVm of Vm
    /// An `Any` with a pod.
    AnyPod of Pod
    /// An `Any` with disks.
    AnyScsi of ScsiSnapshot
    /// An `Any` with devices.
    AnyVpci of VpciSnapshot
    /// An `Any` with shares.
    AnyPlan9 of Plan9Snapshot
    /// An `Any` with a network.
    AnyNetwork of NetworkSnapshot
    /// An `Any` with a container.
    AnyContainer of Container
    /// An `Any` with a process.
    AnyProcess of ProcessSnapshot
}

/// `lcow.v1.SandboxSnapshot`.
#[derive(Clone, PartialEq, Message)]
pub struct Sandbox {
    #[prost(uint32, tag = "1")]
    schema_version: u32,
    #[prost(message, optional, tag = "2")]
    vm: Option<AnyVm>,
    #[prost(message, repeated, tag = "3")]
    pods: Vec<AnyPod>,
}

/// `lcow.v1.VmSnapshot`.
#[derive(Clone, PartialEq, Message)]
pub struct Vm {
    #[prost(uint32, tag = "1")]
    schema_version: u32,
    #[prost(string, tag = "2")]
    vm_id: String,
    #[prost(enumeration = "vm_snapshot::Stage", tag = "3")]
    state: i32,
    #[prost(message, optional, tag = "4")]
    sandbox_options: Option<vm_snapshot::SandboxOptions>,
    #[prost(message, optional, tag = "5")]
    scsi: Option<AnyScsi>,
    #[prost(message, optional, tag = "6")]
    vpci: Option<AnyVpci>,
    #[prost(message, optional, tag = "7")]
    plan9: Option<AnyPlan9>,
    #[prost(uint32, tag = "8")]
    gcs_next_port: u32,
    #[prost(bytes = "vec", tag = "9")]
    compat_info: Vec<u8>,
    #[prost(bytes = "vec", tag = "10")]
    hcs_document: Vec<u8>,
    #[prost(int64, tag = "11")]
    bridge_next_id: i64,
}

/// `lcow.v1.PodSnapshot`.
#[derive(Clone, PartialEq, Message)]
pub struct Pod {
    #[prost(uint32, tag = "1")]
    schema_version: u32,
    #[prost(string, tag = "2")]
    pod_id: String,
    #[prost(string, tag = "3")]
    gcs_pod_id: String,
    #[prost(message, optional, tag = "4")]
    network: Option<AnyNetwork>,
    #[prost(message, repeated, tag = "5")]
    containers: Vec<AnyContainer>,
}

/// `lcow.v1.ContainerSnapshot`.
#[derive(Clone, PartialEq, Message)]
pub struct Container {
    #[prost(uint32, tag = "1")]
    schema_version: u32,
    #[prost(string, tag = "2")]
    container_id: String,
    #[prost(string, tag = "3")]
    gcs_container_id: String,
    #[prost(enumeration = "container_snapshot::Stage", tag = "4")]
    state: i32,
    #[prost(message, optional, tag = "5")]
    io_retry_timeout: Option<prost_types::Duration>,
    #[prost(message, optional, tag = "6")]
    layers: Option<container_snapshot::Layers>,
    #[prost(string, repeated, tag = "7")]
    scsi_reservation_ids: Vec<String>,
    #[prost(string, repeated, tag = "8")]
    plan9_reservation_ids: Vec<String>,
    #[prost(string, repeated, tag = "9")]
    vpci_vmbus_guids: Vec<String>,
    #[prost(btree_map = "string, message", tag = "10")]
    processes: BTreeMap<String, AnyProcess>,
}

/// Encodes the message.
pub fn save(message: &Sandbox) -> Vec<u8> {
    message.encode_to_vec()
}

/// Decodes a message.
///
/// # Errors
///
/// Fails if prost finds the bytes invalid.
pub fn restore(bytes: &[u8]) -> Result<Sandbox, DecodeError> {
    Sandbox::decode(bytes)
}
