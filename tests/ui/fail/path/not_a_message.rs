//! A message that is an enum, a Rust struct, a prost message without the derive of its schema.

use snapshot_core::Snapshot;
use snapshot_proto::example::v1::disk_snapshot;

#[derive(Snapshot)]
#[snapshot(message = disk_snapshot::Stage)]
struct OfAnEnum {
    name: String,
}

struct Plain {
    name: String,
}

#[derive(Snapshot)]
#[snapshot(message = Plain)]
struct OfAPlainStruct {
    name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Underived {
    #[prost(string, tag = "1")]
    pub name: String,
}

#[derive(Snapshot)]
#[snapshot(message = Underived)]
struct OfAnUnderivedMessage {
    name: String,
}

fn main() {}
