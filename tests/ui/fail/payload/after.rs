//! `after` of a state instead of its controller.

use std::ops::DerefMut;

use snapshot_core::{Controller, Error, Snapshot};
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, controller = Counter, after(DiskState))]
#[snapshot(ignore(name, count, announced))]
struct CounterState {}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, ignore(image, stage, size))]
struct DiskState {}

struct Counter;

impl Controller for Counter {
    type State = CounterState;

    fn state(&self) -> impl DerefMut<Target = CounterState> + '_ {
        Box::new(CounterState {})
    }

    fn import(_: CounterState) -> Result<Self, Error> {
        Ok(Self)
    }
}

fn main() {}
