//! Type URLs that name no message.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, type_url = "example.v1.CounterSnapshot")]
#[snapshot(ignore(name, count, announced))]
struct NoSlash {}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, type_url = "example.com/")]
#[snapshot(ignore(name, count, announced))]
struct NoName {}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1)]
#[snapshot(type_url = "example.com/example.v1.DiskSnapshot", ignore(name, count, announced))]
struct OfAnotherMessage {}

fn main() {}
