//! Types that do not fit a `google.protobuf.Any`: a struct without a version, a controller itself.

use std::collections::BTreeMap;
use std::ops::DerefMut;

use snapshot_core::{Controller, Error, Snapshot};
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::MachineSnapshot, version = 1, ignore(name, stage))]
struct Machine {
    disks: BTreeMap<u32, Disk>,
    nic: Nic,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, ignore(schema_version, image, stage, size))]
struct Disk {}

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1, controller = Nic)]
#[snapshot(ignore(mac, mtu, addresses, link, timeout, driver_settings))]
struct NicState {}

struct Nic;

impl Controller for Nic {
    type State = NicState;

    fn state(&self) -> impl DerefMut<Target = NicState> + '_ {
        Box::new(NicState {})
    }

    fn import(_: NicState) -> Result<Self, Error> {
        Ok(Self)
    }
}

fn main() {}
