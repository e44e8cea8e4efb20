//! `accept` on a message inside of payloads: the payload has the versions.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::nic_snapshot::PassThrough, accept(version = 1))]
struct PassThrough {
    pci_address: String,
    #[snapshot(since = 1)]
    virtual_function: u8,
}

fn main() {}
