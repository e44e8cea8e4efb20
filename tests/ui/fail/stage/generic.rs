//! A stage with a type parameter.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::disk_snapshot;

#[derive(Snapshot)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage<T> {
    Reserved,
    Attached,
    Ejected,
    #[snapshot(transient)]
    Held(std::marker::PhantomData<T>),
}

fn main() {}
