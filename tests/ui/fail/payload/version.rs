//! Versions that are none.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 0, ignore(name, count, announced))]
struct Zero {}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 4294967296, ignore(name, count, announced))]
struct TooLarge {}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = -1, ignore(name, count, announced))]
struct Negative {}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1.2, ignore(name, count, announced))]
struct Fraction {}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1u64, ignore(name, count, announced))]
struct OfAnotherType {}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = VERSION, ignore(name, count, announced))]
struct Constant {}

const VERSION: u32 = 1;

fn main() {}
