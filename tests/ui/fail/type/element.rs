//! Collections whose elements, keys or values do not fit.

use std::collections::{BTreeMap, HashMap};

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1)]
#[snapshot(ignore(mac, mtu, link, timeout, driver_settings))]
struct Nic {
    addresses: Vec<u32>,
}

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1)]
#[snapshot(ignore(mac, mtu, link, timeout, driver_settings))]
struct Sparse {
    addresses: Vec<Option<String>>,
}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, ignore(name, count))]
struct Keys {
    announced: BTreeMap<u32, u64>,
}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, ignore(name, count))]
struct Values {
    announced: HashMap<String, String>,
}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, ignore(name, count))]
struct Lists {
    announced: HashMap<String, Vec<u64>>,
}

fn main() {}
