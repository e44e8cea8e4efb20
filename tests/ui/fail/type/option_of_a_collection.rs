//! `Option` of a collection: on the wire an empty one is an absent one.

use std::collections::BTreeMap;

use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1 as pb;
use snapshot_proto::lcow::v1::scsi_snapshot::MountConfig;

#[derive(Snapshot)]
#[snapshot(message = MountConfig)]
#[snapshot(ignore(read_only, encrypted, ensure_filesystem, filesystem, block_dev))]
struct Config {
    options: Option<Vec<String>>,
}

#[derive(Snapshot)]
#[snapshot(message = pb::SortedMaps)]
#[snapshot(ignore(string_key, message_value, enum_value, any_value))]
struct Maps {
    uint32_key: Option<BTreeMap<u32, String>>,
}

fn main() {}
