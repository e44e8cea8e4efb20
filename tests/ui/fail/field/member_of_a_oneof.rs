//! A member of a oneof as if it were a field of the message.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1)]
#[snapshot(ignore(mac, mtu, addresses, timeout, driver_settings, pass_through))]
struct Nic {
    bridge: String,
}

fn main() {}
