//! A field with a `'static` borrow cannot be restored either.

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::DiskConfig;

#[derive(Snapshot)]
#[snapshot(message = DiskConfig, ignore(read_only, r#type, evd_type))]
struct Config {
    host_path: &'static str,
}

fn main() {}
