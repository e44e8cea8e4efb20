//! A controller whose state derives nothing, or has no version.

use std::ops::DerefMut;

use snapshot_core::{Controller, Error, Snapshot};
use snapshot_proto::example::v1 as pb;

struct Plain {}

struct OfAPlainStruct;

impl Controller for OfAPlainStruct {
    type State = Plain;

    fn state(&self) -> impl DerefMut<Target = Plain> + '_ {
        Box::new(Plain {})
    }

    fn import(_: Plain) -> Result<Self, Error> {
        Ok(Self)
    }
}

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, ignore(schema_version, name, count, announced))]
struct Unversioned {}

struct OfAnUnversionedOne;

impl Controller for OfAnUnversionedOne {
    type State = Unversioned;

    fn state(&self) -> impl DerefMut<Target = Unversioned> + '_ {
        Box::new(Unversioned {})
    }

    fn import(_: Unversioned) -> Result<Self, Error> {
        Ok(Self)
    }
}

fn main() {}
