//! Attributes of a payload on a struct that has no version.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, controller = Counter, after(Network))]
#[snapshot(type_url = "example.com/example.v1.CounterSnapshot")]
#[snapshot(ignore(schema_version, count, announced))]
struct CounterState {
    #[snapshot(id)]
    name: String,
}

fn main() {}
