//! Several proto fields that no struct field maps; one of them has a keyword for a name.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::{self as pb, scsi_snapshot::DiskConfig};

#[derive(Snapshot)]
#[snapshot(message = DiskConfig)]
struct Config {
    host_path: String,
}

#[derive(Snapshot)]
#[snapshot(message = pb::PodSnapshot)]
struct WithoutAVersion {
    pod_id: String,
    gcs_pod_id: String,
    #[snapshot(skip)]
    network: u32,
}

fn main() {}
