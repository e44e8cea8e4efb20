//! A state that borrows cannot be restored.

use std::borrow::Cow;

use snapshot_core::Snapshot;
use snapshot_proto::lcow::v1::scsi_snapshot::DiskConfig;

#[derive(Snapshot)]
#[snapshot(message = DiskConfig, ignore(read_only, r#type, evd_type))]
struct Config<'a> {
    host_path: &'a str,
}

#[derive(Snapshot)]
#[snapshot(transparent)]
struct Name<'a>(Cow<'a, str>);

fn main() {}
