//! `defines` and `refers` on values that have no name.

use std::collections::HashMap;

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;
use snapshot_proto::lcow::v1 as lcow;

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1, ignore(mac, link, driver_settings))]
struct Nic {
    #[snapshot(defines(values = "mtu"))]
    mtu: u16,
    #[snapshot(refers(values = "address"))]
    addresses: Vec<String>,
    #[snapshot(refers = "timeout")]
    timeout: std::time::Duration,
}

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1)]
#[snapshot(ignore(mac, mtu, addresses, link, timeout))]
struct Bytes {
    #[snapshot(refers = "settings")]
    driver_settings: Vec<u8>,
}

#[derive(Snapshot)]
#[snapshot(message = lcow::Plan9Snapshot, version = 1)]
#[snapshot(ignore(no_writable_file_shares, name_counter, reservations))]
struct Plan9 {
    #[snapshot(defines(keys = "share", values = "share.name"))]
    shares: HashMap<String, Share>,
}

#[derive(Snapshot)]
#[snapshot(message = lcow::plan9_snapshot::ShareState, ignore(config, state, mount))]
struct Share {
    name: String,
}

fn main() {}
