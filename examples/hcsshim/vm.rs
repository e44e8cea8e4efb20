//! The VM: package `hcsshim.controller.vm.save.v1`.

use snapshot_core::Snapshot;
use snapshot_proto::hcsshim::vm as pb;

use super::document::ComputeSystem;
use super::json::GoJson;
use super::scsi::ScsiState;

/// The VM in which the containers run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(
    message = pb::Payload,
    version = 1,
    type_url = "type.microsoft.com/hcsshim.controller.vm.save.v1.Payload"
)]
pub struct VmState {
    /// The name of its compute system on the source.
    pub vm_id: String,
    /// Its options; `None` if none was given.
    pub sandbox_options: Option<SandboxOptions>,
    /// Its SCSI controllers; `None` if it has none.
    pub scsi: Option<ScsiState>,
    /// The next vsock port to assign; 0 if none has been assigned.
    pub gcs_next_port: u32,
    /// The description of the source's hardware, as the source's host returned it.
    pub compat_info: Vec<u8>,
    /// The document that it was created from; `None` if there is none.
    pub hcs_document: Option<GoJson<ComputeSystem>>,
    /// The next message id on the bridge to the guest; 0 if none has been used.
    pub bridge_next_id: i64,
}

/// The options of a VM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::SandboxOptions)]
pub struct SandboxOptions {
    /// Whether folders of the host are shared read-only.
    pub no_writable_file_shares: bool,
    /// Whether the containers' scratch disks are encrypted.
    pub enable_scratch_encryption: bool,
    /// Whether each endpoint routes by its source address.
    pub policy_based_routing: bool,
    /// Processor architecture of the guest.
    pub architecture: String,
    /// Whether memory of the host backs all of its memory from the start.
    pub fully_physically_backed: bool,
}
