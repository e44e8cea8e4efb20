//! `max` on a type without a length, or with a value that is not a length.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1, ignore(link, timeout, driver_settings))]
struct Nic {
    #[snapshot(max = 17)]
    mac: String,
    #[snapshot(max = 9000)]
    mtu: u16,
    #[snapshot(max = "16")]
    addresses: Vec<String>,
}

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1)]
#[snapshot(ignore(mtu, addresses, link, timeout, driver_settings))]
struct Negative {
    #[snapshot(max = -1)]
    mac: String,
}

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1)]
#[snapshot(ignore(mtu, addresses, link, timeout, driver_settings))]
struct Misspelt {
    #[snapshot(max = LIMTI)]
    mac: String,
}

const LIMIT: usize = 17;

fn main() {
    let _ = LIMIT;
}
