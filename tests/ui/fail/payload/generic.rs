//! A generic state cannot name its controller.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, controller = Counter<T>)]
#[snapshot(ignore(name, count, announced))]
struct CounterState<T: Default + Send + 'static> {
    #[snapshot(skip)]
    source: T,
}

fn main() {}
