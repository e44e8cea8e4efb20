//! Keys and elements of sets that have no order on the wire.

use std::collections::{BTreeSet, HashMap};

use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::SortedMaps)]
#[snapshot(ignore(string_key, message_value, enum_value, any_value))]
struct Maps {
    uint32_key: HashMap<f32, String>,
}

#[derive(Snapshot)]
#[snapshot(message = pb::SortedMaps)]
#[snapshot(ignore(uint32_key, message_value, enum_value, any_value))]
struct Names {
    string_key: HashMap<Name, String>,
}

#[derive(PartialEq, Eq, Hash)]
struct Name(String);

#[derive(Snapshot)]
#[snapshot(message = pb::Maps)]
#[snapshot(ignore(
    int32_key, int64_key, uint32_key, uint64_key, sint32_key, sint64_key, fixed32_key, fixed64_key,
    sfixed32_key, sfixed64_key, bool_key, string_key, message_value, enum_value, bytes_value,
    any_value, bool_value, sint64_value, fixed32_value, duration_value, empty_value
))]
struct Doubles {
    double_value: BTreeSet<u32>,
}

fn main() {}
