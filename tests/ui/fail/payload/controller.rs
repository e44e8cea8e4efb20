//! A controller that stands on another state, one that is none, one that is not there.

use std::ops::DerefMut;

use snapshot_core::{Controller, Error, Snapshot};
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, controller = Counter)]
#[snapshot(ignore(name, count, announced))]
struct CounterState {}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, controller = Counter)]
#[snapshot(ignore(image, stage, size))]
struct DiskState {}

#[derive(Snapshot)]
#[snapshot(message = pb::MachineSnapshot, version = 1, controller = Machine)]
#[snapshot(ignore(name, stage, disks, nic))]
struct MachineState {}

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1, controller = Nci)]
#[snapshot(ignore(mac, mtu, addresses, link, timeout, driver_settings))]
struct NicState {}

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

struct Machine;

fn main() {}
