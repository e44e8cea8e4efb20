//! `Child` for a proto field that is not a `google.protobuf.Any`, or of a type that is not a controller.

use std::collections::BTreeMap;
use std::ops::DerefMut;

use snapshot_core::{Child, Controller, Error, Snapshot};
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::MachineSnapshot, version = 1, ignore(stage, nic))]
struct InAString {
    name: Child<Counter>,
    disks: BTreeMap<u32, Child<Counter>>,
}

#[derive(Snapshot)]
#[snapshot(message = pb::MachineSnapshot, version = 1, ignore(name, stage, disks))]
struct OfAState {
    nic: Child<CounterState>,
}

#[derive(Snapshot)]
#[snapshot(message = pb::MachineSnapshot, version = 1, ignore(name, stage, disks))]
struct OfAnother {
    nic: Option<Child<String>>,
}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, controller = Counter)]
#[snapshot(ignore(name, count, announced))]
struct CounterState {}

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
