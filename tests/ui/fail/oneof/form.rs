//! Variants that are not one value each, and enums without any.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::nic_snapshot;

#[derive(Snapshot)]
#[snapshot(oneof = nic_snapshot::Link)]
enum Link {
    Bridge(String, u32),
    PassThrough { pci_address: String, virtual_function: u8 },
}

#[derive(Snapshot)]
#[snapshot(oneof = nic_snapshot::Link, ignore(Bridge, PassThrough))]
enum Empty {}

fn main() {}
