//! A read has a budget of memory: the bound that `ReadOptions::default_memory` documents is measured
//! with inputs that are short on the wire and large in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;

use allocation_counter::measure;
use snapshot_core::codec::{from_any_bytes, from_bytes};
use snapshot_core::{Code, Error, ReadOptions, Schema, Snapshot, State};
use snapshot_proto::fixture::v1 as pb;

use super::allocation::ALL_ERRORS;
use super::states::{Node, field, varint};

/// Reads these bytes within the budget. Returns the reason of a failure.
#[track_caller]
fn bounded<S: State + Debug>(bytes: &[u8]) -> Option<Error> {
    let mut result = None;
    let peak = measure(|| result = Some(from_bytes::<S>(bytes).map(drop))).bytes_max;
    let budget = ReadOptions::default_memory(bytes.len());
    assert!(peak <= budget + ALL_ERRORS, "{} bytes took {peak}, more than {budget}", bytes.len());
    result.and_then(Result::err)
}

/// Reads these bytes within the budget, which must be too small.
#[track_caller]
fn exhausted<S: State + Debug>(bytes: &[u8], path: &str) {
    let Some(error) = bounded::<S>(bytes) else { panic!("not what the test is about: it fits") };
    assert_eq!((error.code(), error.findings().count()), (Code::ResourceExhausted, 1), "{error}");
    let text = error.to_string();
    assert!(text.starts_with(path) && text.contains("`ReadOptions::memory`"), "{text}");
}

/// A node that is large in memory and has two bytes on the wire.
#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::recursive::Node, ignore(next, children, by_name, link))]
struct Wide {
    name: String,
    #[snapshot(skip = [0; 100])]
    room: [u64; 100],
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::recursive::Node, ignore(name, next, link))]
struct Wides {
    children: Vec<Wide>,
    by_name: BTreeMap<String, Wide>,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Repeats, ignore(
    float, int32, sint32, sint64, fixed64, sfixed32, sfixed64, bool, message, r#enum,
    unpacked_sint64, unpacked_fixed32, unpacked_double, unpacked_bool, unpacked_enum, packed_int32,
    double, uint64, fixed32, bytes, unpacked_uint32, string
))]
struct Sets {
    int64: BTreeSet<i64>,
    uint32: HashSet<u32>,
}

/// The shortest possible distinct keys.
fn keys(count: u32) -> impl Iterator<Item = [u8; 4]> {
    // Seven bits per byte, so that they are ASCII.
    (0..count).map(|n| [n >> 21, n >> 14, n >> 7, n].map(|bits| bits as u8 & 0x7f))
}

#[test]
fn two_bytes_that_make_a_kilobyte_end_at_the_budget() {
    exhausted::<Wides>(&b"\x1a\0".repeat(200_000), "children[");
    // The elements are not consecutive, so that no memory is reserved ahead.
    let mixed =
        keys(200_000).flat_map(|key| [b"\x1a\0".to_vec(), field(4, &field(1, &key))].concat());
    let error = bounded::<Wides>(&mixed.collect::<Vec<_>>()).unwrap();
    assert_eq!(error.code(), Code::ResourceExhausted);
}

#[test]
fn maps_in_every_kind_of_field_end_at_the_budget() {
    let entries =
        |count| -> Vec<u8> { keys(count).flat_map(|key| field(4, &field(1, &key))).collect() };
    exhausted::<Wides>(&entries(200_000), "by_name");
    exhausted::<Node>(&entries(1_000_000), "by_name");
}

#[test]
fn lists_in_lists_share_one_budget() {
    // There are many small lists.
    let node = field(3, &b"\x1a\0".repeat(50));
    exhausted::<Node>(&node.repeat(10_000), "children[");
}

#[test]
fn boxes_in_a_oneof_share_the_budget_of_the_list_around_them() {
    // A list of nodes that are linked to nodes.
    exhausted::<Node>(&b"\x1a\x02\x32\0".repeat(300_000), "children[");
}

#[test]
fn sets_take_no_more_than_the_budget() {
    let numbers: Vec<u8> = (1 << 14..1 << 18).flat_map(varint).collect();
    for number in [4, 5] {
        assert!(bounded::<Sets>(&field(number, &numbers)).is_none(), "field {number}");
    }
}

/// Version 1 of a payload of [`Counted`], with two bytes for each part.
#[derive(Clone, PartialEq, Schema, prost::Message)]
struct Parts {
    #[prost(uint32, tag = "1")]
    schema_version: u32,
    #[prost(message, repeated, tag = "3")]
    parts: Vec<Part>,
    #[prost(map = "string, message", tag = "4")]
    by_name: HashMap<String, Part>,
}

#[derive(Clone, PartialEq, Schema, prost::Message)]
struct Part {
    #[prost(message, optional, tag = "1")]
    texts: Option<Texts>,
    #[prost(message, optional, tag = "2")]
    others: Option<Texts>,
}

#[derive(Clone, PartialEq, Schema, prost::Message)]
struct Texts {
    #[prost(string, tag = "1")]
    one: String,
    #[prost(string, tag = "2")]
    two: String,
    #[prost(string, repeated, tag = "3")]
    rest: Vec<String>,
}

impl prost::Name for Parts {
    const NAME: &'static str = "Parts";
    const PACKAGE: &'static str = "budget.v1";
}

impl prost::Name for Part {
    const NAME: &'static str = "Part";
    const PACKAGE: &'static str = "budget.v1";
}

impl prost::Name for Texts {
    const NAME: &'static str = "Texts";
    const PACKAGE: &'static str = "budget.v1";
}

#[derive(Debug, Snapshot)]
#[snapshot(
    message = pb::CounterSnapshot,
    version = 2,
    accept(version = 1, message = Parts, upgrade = count_parts),
    ignore(label, stage)
)]
struct Counted {
    value: u64,
}

fn count_parts(old: Parts) -> Result<pb::CounterSnapshot, Error> {
    let value = old.parts.len() as u64;
    Ok(pb::CounterSnapshot { schema_version: 2, value, ..Default::default() })
}

/// Reads an older payload of these fields within the budget.
#[track_caller]
fn upgraded(fields: &[u8]) -> Result<u64, Error> {
    let payload = [b"\x08\x01", fields].concat();
    let bytes = [field(1, COUNTER), field(2, &payload)].concat();
    let mut result = None;
    let peak = measure(|| result = Some(from_any_bytes::<Counted>(&bytes))).bytes_max;
    let budget = ReadOptions::default_memory(bytes.len());
    assert!(peak <= budget + ALL_ERRORS, "{} bytes took {peak}, more than {budget}", bytes.len());
    let Some(result) = result else { unreachable!("the closure was run") };
    result.map(|counted| counted.value)
}

const COUNTER: &[u8] = b"type.googleapis.com/fixture.v1.CounterSnapshot";

#[test]
fn an_older_message_ends_at_the_budget_before_prost_decodes_it() {
    assert_eq!(upgraded(&b"\x1a\0".repeat(10_000)).unwrap(), 10_000);
    let entries: Vec<u8> = keys(300_000).flat_map(|key| field(4, &field(1, &key))).collect();
    let texts = field(3, &field(1, &b"\x1a\0".repeat(2_000_000)));
    for bytes in [b"\x1a\0".repeat(1_000_000), entries, texts] {
        let error = upgraded(&bytes).unwrap_err();
        assert_eq!(error.code(), Code::ResourceExhausted, "{error}");
    }
}

#[test]
fn the_errors_of_an_older_message_keep_their_limit() {
    const COUNT: usize = 500_000;
    for fields in [b"\x48\0".repeat(COUNT), b"\x1a\x02\x48\0".repeat(COUNT / 2)] {
        let error = upgraded(&fields).unwrap_err();
        assert_eq!(error.findings().count(), Error::LIMIT);
        assert!(error.dropped() >= COUNT / 2 - Error::LIMIT, "{}", error.dropped());
    }
}

#[test]
fn an_input_within_the_budget_is_read() {
    assert!(bounded::<Wides>(&b"\x1a\0".repeat(10_000)).is_none());
    assert!(bounded::<Node>(&b"\x1a\0".repeat(100_000)).is_none());
}

#[test]
fn the_types_keep_the_contract() {
    use snapshot_core::testing::contract;

    let wide = |name: &str| Wide { name: name.to_owned(), room: [0; 100] };
    contract([wide("w")]);
    let by_name = [("k".to_owned(), wide(""))].into();
    contract([Wides { children: vec![wide("a"), wide("")], by_name }]);
    contract([Sets { int64: [-1, 7].into(), uint32: [1, 2].into() }]);
}
