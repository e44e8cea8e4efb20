//! `Json` of a type that is not JSON, or in a field that holds no text.

use snapshot_core::{Snapshot, codec::Json};
use snapshot_proto::example::v1 as pb;

struct Settings;

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1, ignore(mac, mtu, addresses, link, timeout))]
struct Unknown {
    driver_settings: Json<Settings>,
}

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1)]
#[snapshot(ignore(mac, addresses, link, timeout, driver_settings))]
struct InANumber {
    mtu: Json<u32>,
}

fn main() {}
