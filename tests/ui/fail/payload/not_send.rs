//! A payload that cannot go to another thread.

use std::cell::Cell;
use std::rc::Rc;

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, ignore(count, announced))]
struct Counter {
    name: String,
    #[snapshot(skip)]
    listeners: Rc<Cell<u32>>,
}

fn main() {}
