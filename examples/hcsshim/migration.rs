//! A whole sandbox: package `hcsshim.controller.migration.save.v1`.

use snapshot_core::Snapshot;
use snapshot_proto::hcsshim::migration as pb;

use super::pod::PodState;
use super::ports;
use super::vm::VmState;

/// A whole sandbox, as it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(
    message = pb::Payload,
    version = 1,
    type_url = "type.microsoft.com/hcsshim.controller.migration.save.v1.Payload",
    validate = ports::check
)]
pub struct MigrationState {
    /// The VM.
    pub vm: VmState,
    /// The pods, in the order of the payload, which has no meaning.
    pub pods: Vec<PodState>,
}
