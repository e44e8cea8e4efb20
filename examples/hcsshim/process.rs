//! A process: package `hcsshim.controller.process.save.v1`.

use std::num::{NonZeroI64, NonZeroU32};
use std::path::PathBuf;
use std::time::Duration;

use snapshot_core::Snapshot;
use snapshot_proto::hcsshim::process as pb;

use super::json::GoJson;
use super::spec::ProcessSpec;

/// A process of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(
    message = pb::Payload,
    version = 1,
    type_url = "type.microsoft.com/hcsshim.controller.process.save.v1.Payload"
)]
pub struct ProcessState {
    /// Its exec id, which is its key in the container too; empty for the init process.
    #[snapshot(id)]
    pub exec_id: String,
    /// Its id in the guest.
    pub pid: i32,
    /// The OCI bundle on the source.
    pub bundle: PathBuf,
    /// The spec of an exec; `None` for the init process, whose spec is the container's.
    #[snapshot(field = oci_process_spec_json)]
    pub spec: Option<GoJson<ProcessSpec>>,
    /// The time during which a lost IO connection is retried. hcsshim always writes it, even if it
    /// is 0.
    pub io_retry_timeout: Option<Duration>,
    /// vsock port of its standard input; `None` if it is not connected.
    pub stdin_port: Option<NonZeroU32>,
    /// vsock port of its standard output.
    pub stdout_port: Option<NonZeroU32>,
    /// vsock port of its standard error.
    pub stderr_port: Option<NonZeroU32>,
    /// Message id of the call on the bridge that waits for its exit.
    pub wait_call_id: Option<NonZeroI64>,
}
