//! A oneof where the proto field is none, the oneof of another message, something else in a oneof.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::{self as pb, nic_snapshot};
use snapshot_proto::fixture::v1::signal;

#[derive(Snapshot)]
#[snapshot(oneof = nic_snapshot::Link, ignore(PassThrough))]
enum Link {
    Bridge(String),
}

#[derive(Snapshot)]
#[snapshot(oneof = signal::Signal)]
enum Signal {
    Start,
    Stop,
}

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1)]
#[snapshot(ignore(mtu, addresses, timeout, driver_settings))]
struct InAString {
    mac: Link,
    link: Signal,
}

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1)]
#[snapshot(ignore(mac, mtu, addresses, timeout, driver_settings))]
struct Text {
    link: String,
}

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1)]
#[snapshot(ignore(mac, mtu, addresses, timeout, driver_settings))]
struct Many {
    link: Vec<Link>,
}

fn main() {}
