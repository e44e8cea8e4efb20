//! `range` on a type that cannot be compared, of another type, or without a range.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{self as pb, nic_snapshot};

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1)]
#[snapshot(ignore(addresses, timeout, driver_settings))]
struct Nic {
    #[snapshot(range = 1..=17)]
    mac: String,
    #[snapshot(range = 68..=65_536)]
    mtu: u16,
    #[snapshot(range = Link::lowest()..=Link::lowest())]
    link: Link,
}

#[derive(Snapshot)]
#[snapshot(oneof = nic_snapshot::Link, ignore(PassThrough))]
enum Link {
    Bridge(String),
}

impl Link {
    fn lowest() -> Self {
        Self::Bridge(String::new())
    }
}

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1)]
#[snapshot(ignore(mac, addresses, link, timeout, driver_settings))]
struct NoRange {
    #[snapshot(range = 1500)]
    mtu: u16,
}

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1)]
#[snapshot(ignore(mac, mtu, link, timeout, driver_settings))]
struct OfAList {
    #[snapshot(range = 1..=8)]
    addresses: Vec<String>,
}

fn main() {}
