//! The VM: package `hcsshim.controller.vm.save.v1`.

use snapshot_core::Snapshot;
use snapshot_proto::hcsshim::vm as pb;

use super::document::ComputeSystem;
use super::json::GoJson;
use super::scsi::ScsiState;

/// The VM that the containers run in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(
    message = pb::Payload,
    version = 1,
    type_url = "type.microsoft.com/hcsshim.controller.vm.save.v1.Payload"
)]
pub struct VmState {
    /// The name of its compute system on the source.
    pub vm_id: String,
    /// What it was asked to be; `None` when nobody said.
    pub sandbox_options: Option<SandboxOptions>,
    /// Its SCSI controllers; `None` when it has none.
    pub scsi: Option<ScsiState>,
    /// The vsock port that is handed out next; 0 when none was handed out.
    pub gcs_next_port: u32,
    /// What a host must know of the source's hardware, as the source's host gave it.
    pub compat_info: Vec<u8>,
    /// What it was created from; `None` when nobody said.
    pub hcs_document: Option<GoJson<ComputeSystem>>,
    /// The message id that the bridge to the guest uses next; 0 when it used none.
    pub bridge_next_id: i64,
}

/// What a VM was asked to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(message = pb::SandboxOptions)]
pub struct SandboxOptions {
    /// Folders of the host are shared for reading only.
    pub no_writable_file_shares: bool,
    /// The containers' scratch disks are encrypted.
    pub enable_scratch_encryption: bool,
    /// Each endpoint routes by the address that it sends from.
    pub policy_based_routing: bool,
    /// Processor architecture of the guest.
    pub architecture: String,
    /// All of its memory is backed by memory of the host from the start.
    pub fully_physically_backed: bool,
}
