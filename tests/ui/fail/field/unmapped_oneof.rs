//! A oneof that no struct field maps.

use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::Signal)]
struct Signal {}

fn main() {}
