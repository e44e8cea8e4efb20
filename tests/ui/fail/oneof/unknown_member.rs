//! Variants that no member is for, by their own name, another, or as ignored.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::nic_snapshot;
use snapshot_proto::fixture::v1::choice;

#[derive(Snapshot)]
#[snapshot(oneof = choice::Interleaved)]
enum Interleaved {
    Low(u32),
    Midle(String),
    High(bool),
}

#[derive(Snapshot)]
#[snapshot(oneof = nic_snapshot::Link, ignore(PassTrough))]
enum Link {
    #[snapshot(rename = bridge)]
    Switch(String),
}

fn main() {}
