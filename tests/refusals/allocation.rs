//! A read takes only as much memory as its result, and never allocates memory for a claimed length.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Debug;

use allocation_counter::measure;
use snapshot_core::codec::{Reader, from_bytes};
use snapshot_core::{Error, Segment, Snapshot, State};
use snapshot_proto::fixture::v1 as pb;

use super::states::{Group, Node, field, varint};

/// The memory of one small error.
const ONE_ERROR: u64 = 2 << 10;

/// The maximum memory of the findings of one error, each with a path of the maximum depth, for an input of
/// any size. Vectors grow by doubling, and the old vector exists until the new one is filled.
pub(crate) const ALL_ERRORS: u64 =
    (Error::LIMIT * (512 + 3 * Reader::DEPTH_LIMIT as usize * size_of::<Segment>())) as u64;

/// The maximum memory during the read of these bytes, including the result.
fn peak<S: State + Debug>(bytes: &[u8], is_right: bool) -> u64 {
    let mut was_right = false;
    let info = measure(|| was_right = from_bytes::<S>(bytes).is_ok());
    assert_eq!(was_right, is_right, "not what the test is about");
    assert_eq!(info.bytes_current, 0, "something is kept");
    info.bytes_max
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Repeats, ignore(
    float, int32, sint32, sint64, fixed64, sfixed32, sfixed64, bool, message, r#enum,
    unpacked_sint64, unpacked_fixed32, unpacked_double, unpacked_bool, unpacked_enum, packed_int32
))]
struct Lists {
    double: Vec<f64>,
    int64: BTreeSet<i64>,
    uint32: HashSet<u32>,
    uint64: Box<[u64]>,
    fixed32: Vec<u8>,
    string: Vec<Box<str>>,
    bytes: Vec<Vec<u8>>,
    unpacked_uint32: [u64; 4],
}

#[test]
fn a_length_is_not_believed() {
    for length in [1 << 20, 1 << 31, 1 << 40, u64::MAX] {
        for number in [1, 4, 5, 6, 9, 14, 15, 18] {
            // Some content after the length.
            let tag = varint(number << 3 | 2);
            let bytes = [tag, varint(length), vec![1; 100]].concat();
            assert!(peak::<Lists>(&bytes, false) <= ONE_ERROR, "field {number}: {length}");
        }
        for number in [1, 2, 3, 4, 5, 7] {
            let tag = varint(number << 3 | 2);
            let bytes = [tag, varint(length), vec![1; 100]].concat();
            assert!(peak::<Node>(&bytes, false) <= ONE_ERROR, "field {number}: {length}");
        }
    }
}

#[test]
fn a_list_takes_as_much_as_its_elements() {
    const COUNT: usize = 100_000;
    // A growing vector has room for up to twice its elements, and the old one exists for half of them.
    let most = |size: usize| (3 * COUNT * size) as u64 + ONE_ERROR;

    // Two bytes of input become one node, the largest value for the fewest bytes.
    let nodes = b"\x1a\0".repeat(COUNT);
    assert!(peak::<Node>(&nodes, true) <= most(size_of::<Node>()));

    let rest = b"\x92\x01\x04\0\0\0\0";
    let packed =
        |number: u32, value: &[u8]| [field(number, &value.repeat(COUNT)), rest.to_vec()].concat();
    assert!(peak::<Lists>(&packed(6, &[0]), true) <= most(8));
    assert!(peak::<Lists>(&packed(1, &[0; 8]), true) <= most(8));
    assert!(peak::<Lists>(&packed(9, &[0; 4]), true) <= most(1));
    let texts = [b"\x72\0".repeat(COUNT), rest.to_vec()].concat();
    assert!(peak::<Lists>(&texts, true) <= most(size_of::<Box<str>>()));
    // An array is collected before it is counted.
    let array = field(18, &vec![0; COUNT]);
    assert!(peak::<Lists>(&array, false) <= most(8));
}

#[test]
fn bytes_and_text_are_copied_once() {
    let text = "ж".repeat(500_000);
    assert!(peak::<Node>(&field(1, text.as_bytes()), true) <= text.len() as u64 + ONE_ERROR);
}

#[test]
fn the_same_again_and_again_takes_nothing() {
    const COUNT: usize = 100_000;
    // A singular field, a map key, an element of a set, an unknown field.
    let failed = |bytes: &[u8]| (3 * 4 * COUNT + bytes.len()) as u64 + ALL_ERRORS;
    for bytes in [b"\x0a\0", b"\x12\0", b"\x22\0", b"\x2a\0", b"\x48\0"] {
        let bytes = bytes.repeat(COUNT);
        assert!(peak::<Node>(&bytes, false) <= failed(&bytes), "{:02x?}", &bytes[..2]);
    }
    let set = field(5, &vec![7; COUNT]);
    assert!(peak::<Lists>(&set, false) <= failed(&set));
}

#[test]
fn many_errors_deep_inside_take_no_more_than_their_limit() {
    // 1,000 unknown fields, each in as many messages as can be.
    let mut bytes = b"\x48\0".repeat(1_000);
    for _ in 0..Reader::DEPTH_LIMIT {
        bytes = field(2, &bytes);
    }
    assert!(peak::<Node>(&bytes, false) <= ALL_ERRORS);
}

#[test]
fn a_long_key_is_not_repeated_in_full_for_each_error() {
    const LENGTH: usize = 1 << 20;
    let key = "k".repeat(LENGTH);
    let node = b"\x48\0".repeat(1_000);
    let bytes = field(4, &[field(1, key.as_bytes()), field(2, &node)].concat());
    // The key and its text.
    let most = 3 * LENGTH as u64 + ALL_ERRORS;
    assert!(peak::<Node>(&bytes, false) <= most);
    let error = from_bytes::<Node>(&bytes).unwrap_err();
    let expected = format!("by_name[\"{}...\"]: unknown field 9", "k".repeat(80));
    assert!(error.to_string().starts_with(&expected), "{error}");

    // The same for a controller's id.
    let counter = [&b"\x08\x02"[..], &b"\x48\0".repeat(1_000)].concat();
    let url = field(1, b"type.googleapis.com/fixture.v1.CounterSnapshot");
    let any = [url, field(2, &counter)].concat();
    let named = field(4, &[field(1, key.as_bytes()), field(2, &any)].concat());
    let bytes = [vec![0x08, 0x01], named].concat();
    assert!(peak::<Group>(&bytes, false) <= most);
    let error = from_bytes::<Group>(&bytes).unwrap_err();
    let expected = format!("named/{}...: fixture.v1.CounterSnapshot: unknown", "k".repeat(80));
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[derive(Debug, Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 2, ignore(value, stage))]
struct Labeled {
    #[snapshot(id)]
    label: String,
}

#[derive(Debug, Snapshot)]
#[snapshot(message = pb::GroupSnapshot, version = 1, ignore(name, named, leader))]
struct Crowd {
    members: Vec<Labeled>,
}

#[test]
fn a_long_name_is_not_repeated_in_full_for_each_error_of_its_owner() {
    const LENGTH: usize = 1 << 20;
    let label = field(3, "n".repeat(LENGTH).as_bytes());
    let counter = [vec![0x08, 0x02], label, b"\x48\0".repeat(1_000)].concat();
    let url = field(1, b"type.googleapis.com/fixture.v1.CounterSnapshot");
    let member = field(3, &[url, field(2, &counter)].concat());
    let bytes = [vec![0x08, 0x01], member].concat();
    assert!(peak::<Crowd>(&bytes, false) <= 3 * LENGTH as u64 + ALL_ERRORS);
    let error = from_bytes::<Crowd>(&bytes).unwrap_err();
    let expected = format!("members/{}...: fixture.v1.CounterSnapshot: unknown", "n".repeat(80));
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[derive(Debug, Snapshot)]
#[snapshot(message = pb::SortedMaps, ignore(uint32_key, message_value, enum_value, any_value))]
struct Texts {
    string_key: HashMap<String, String>,
}

#[test]
fn a_map_takes_as_much_as_its_entries() {
    const COUNT: u32 = 50_000;
    let entry = |index: u32| field(12, &field(1, &index.to_be_bytes().map(|byte| byte & 0x7f)));
    let mut bytes: Vec<u8> = Vec::new();
    for index in 0..COUNT {
        // Seven bits per byte, so that the key is ASCII.
        bytes.extend(entry(index >> 14 << 16 | (index >> 7 & 0x7f) << 8 | index & 0x7f));
    }
    // A table doubles when it is 7/8 full, and the old one exists until then.
    let slot = size_of::<(String, String)>() + 1;
    let most = (COUNT as usize * (4 + 4 * slot)) as u64;
    assert!(peak::<Texts>(&bytes, true) <= most);
}

#[test]
fn the_types_keep_the_contract() {
    use snapshot_core::testing::contract;

    contract([Lists {
        double: vec![0.5],
        int64: [-1, 7].into(),
        uint32: [1, 2].into(),
        uint64: [3].into(),
        fixed32: vec![4, 255],
        string: vec!["s".into()],
        bytes: vec![vec![1]],
        unpacked_uint32: [1, 2, 3, 4],
    }]);
    let labeled = |label: &str| Labeled { label: label.to_owned() };
    contract([labeled("l")]);
    contract([Crowd { members: vec![labeled("a"), labeled("b")] }]);
    contract([Texts { string_key: [("k".to_owned(), "v".to_owned())].into() }]);
}
