// The traits of the codec and of states are for the derive alone.

use snapshot_core::codec::{Reader, Single, Wire};
use snapshot_core::schema::kind;
use snapshot_core::{Error, Stage};

struct Port(u16);

impl Single for Port {}

impl Wire<kind::Uint32> for Port {
    fn put(&self, w: &mut snapshot_core::codec::Writer) -> Result<(), Error> {
        Wire::<kind::Uint32>::put(&self.0, w)
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Port(Wire::<kind::Uint32>::take(r)?))
    }

    fn is_default(&self) -> bool {
        false
    }
}

enum Phase {
    Running = 1,
}

impl Stage for Phase {
    type Proto = snapshot_proto::fixture::v1::counter_snapshot::Stage;
    const VARIANTS: &'static [snapshot_core::StageVariant] = &[];

    fn number(&self) -> i32 {
        1
    }

    fn from_number(_: i32) -> Option<Self> {
        Some(Phase::Running)
    }
}

fn main() {}
