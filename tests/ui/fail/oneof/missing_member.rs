//! Members that no variant is for.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::nic_snapshot;
use snapshot_proto::fixture::v1::choice;

#[derive(Snapshot)]
#[snapshot(oneof = nic_snapshot::Link)]
enum Link {
    Bridge(String),
}

#[derive(Snapshot)]
#[snapshot(oneof = choice::Interleaved)]
enum Interleaved {
    High(bool),
}

fn main() {}
