//! Each attribute of a field or a variant in a form that it does not have: the right form is shown.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::{self as pb, scsi_snapshot};

#[derive(Snapshot)]
#[snapshot(message = pb::ProcessSnapshot, version = 1)]
struct Process {
    #[snapshot(field = "exec_id")]
    exec: String,
    #[snapshot(stage = scsi_snapshot::DiskStage)]
    state: u32,
    #[snapshot(skip(7))]
    pid: i32,
    #[snapshot(id = 7)]
    bundle: String,
    #[snapshot(with)]
    oci_process_spec_json: Vec<u8>,
    #[snapshot(range(1..=8))]
    exit_code: u32,
    #[snapshot(max =)]
    stdin_port: u32,
    #[snapshot(with = "codec::millis")]
    stdout_port: u32,
    #[snapshot(field = stderr-port)]
    stderr: u32,
}

#[derive(Snapshot)]
#[snapshot(stage = scsi_snapshot::MountStage)]
enum Stage {
    #[snapshot(rename = "Reserved")]
    Free,
    #[snapshot(rename(Mounted))]
    Taken,
    Unmounted,
    #[snapshot(transient = true)]
    Leaving,
}

fn main() {}
