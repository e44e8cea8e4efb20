//! One value where the proto field has many, many where it has one, a list for a map.

use std::collections::{BTreeMap, HashMap, HashSet};

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;
use snapshot_proto::lcow::v1::scsi_snapshot::Reservation;

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1)]
#[snapshot(ignore(mtu, link, timeout, driver_settings))]
struct Nic {
    mac: Vec<String>,
    addresses: String,
}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, ignore(name))]
struct Counter {
    count: HashMap<String, u64>,
    announced: Vec<(String, u64)>,
}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, ignore(name, count))]
struct Names {
    announced: HashSet<String>,
}

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1)]
#[snapshot(ignore(mac, mtu, link, timeout, driver_settings))]
struct ByPlace {
    addresses: BTreeMap<u32, String>,
}

#[derive(Snapshot)]
#[snapshot(message = Reservation)]
struct Slot {
    slot: [u8; 4],
    partition: (u32, u32),
}

fn main() {}
