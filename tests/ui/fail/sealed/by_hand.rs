// The traits of the codec, of states and of schemas are for the derives alone.

use snapshot_core::codec::{Reader, Single, Wire};
use snapshot_core::schema::{MessageDescriptor, kind};
use snapshot_core::{ChildTarget, Error, Schema, Stage};

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

struct Message;

impl Schema for Message {
    type Fields = ();
    const FIELDS: () = ();
    const DESCRIPTOR: &'static MessageDescriptor = &MessageDescriptor {
        name: "Message",
        full_name: || "example.Message".to_owned(),
        fields: &[],
    };
}

impl ChildTarget for Message {
    type Handle = ();
    type Loaded = ();
}

fn main() {}
