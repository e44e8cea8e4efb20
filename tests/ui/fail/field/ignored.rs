//! Proto fields that are ignored twice, or that are mapped nevertheless.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::DiskConfig;

#[derive(Snapshot)]
#[snapshot(message = DiskConfig, ignore(read_only, r#type, evd_type, evd_type))]
struct Twice {
    host_path: String,
}

#[derive(Snapshot)]
#[snapshot(message = DiskConfig, ignore(host_path, read_only, r#type, evd_type))]
struct Mapped {
    #[snapshot(field = host_path)]
    path: String,
}

fn main() {}
