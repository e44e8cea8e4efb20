//! One state has one encoding. The bytes do not depend on the type or hasher of a map, on the order of
//! insertion or declaration, or on whether a child is live.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::net::Ipv4Addr;
use std::ops::DerefMut;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use proptest::prelude::*;
use prost::Message;
use snapshot_core::codec::{from_bytes, to_bytes};
use snapshot_core::testing::contract;
use snapshot_core::{Child, Controller, Error, Snapshot, State};
use snapshot_proto::fixture::v1 as pb;

/// Gives all keys the same hash, so that a map keeps the order of insertion.
#[derive(Clone, Default)]
struct Alike;

impl Hasher for Alike {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, _bytes: &[u8]) {}
}

#[track_caller]
fn assert_written<S: State + PartialEq + Debug>(state: &S, expected: &[u8]) {
    let bytes = to_bytes(state).unwrap();
    assert_eq!(bytes, expected, "{}", bytes.escape_ascii());
    let restored = from_bytes::<S>(&bytes).unwrap();
    assert_eq!(restored, *state);
    contract([restored]);
}

#[derive(Clone, Debug, Default, PartialEq, Snapshot)]
#[snapshot(message = pb::Scalars)]
struct Scalars {
    double: f64,
    float: f32,
    int32: i32,
    int64: i64,
    uint32: u32,
    uint64: u64,
    sint32: i32,
    sint64: i64,
    fixed32: u32,
    fixed64: u64,
    sfixed32: i32,
    sfixed64: i64,
    bool: bool,
    string: String,
    bytes: Vec<u8>,
}

/// Compares with the bytes of protobuf-go's deterministic mode for the same message, field by field
/// according to the specification: <https://protobuf.dev/programming-guides/encoding/>.
#[test]
fn scalars_are_written_as_specified() {
    assert_written(&Scalars::default(), b"");
    let scalars = Scalars {
        double: 1.0,
        float: -2.0,
        int32: -1,
        int64: 300,
        uint32: u32::MAX,
        uint64: 1 << 63,
        sint32: -1,
        sint64: 150,
        fixed32: 1,
        fixed64: 2,
        sfixed32: -1,
        sfixed64: -2,
        bool: true,
        string: "ж".into(),
        bytes: vec![0, 255],
    };
    let expected = [
        &b"\x09\0\0\0\0\0\0\xf0\x3f"[..],
        b"\x15\0\0\0\xc0",
        b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x20\xac\x02",
        b"\x28\xff\xff\xff\xff\x0f",
        b"\x30\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
        b"\x38\x01",
        b"\x40\xac\x02",
        b"\x4d\x01\0\0\0",
        b"\x51\x02\0\0\0\0\0\0\0",
        b"\x5d\xff\xff\xff\xff",
        b"\x61\xfe\xff\xff\xff\xff\xff\xff\xff",
        b"\x68\x01",
        b"\x72\x02\xd0\xb6",
        b"\x7a\x02\x00\xff",
    ]
    .concat();
    assert_written(&scalars, &expected);
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Gaps)]
struct Ascending {
    one_byte_first: u32,
    one_byte_last: u32,
    two_bytes_first: u32,
    two_bytes_last: u32,
    three_bytes_first: u32,
    five_bytes_last: String,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Gaps)]
struct Descending {
    five_bytes_last: String,
    three_bytes_first: u32,
    two_bytes_last: u32,
    two_bytes_first: u32,
    one_byte_last: u32,
    one_byte_first: u32,
}

#[test]
fn fields_are_written_by_number_in_any_order_of_declaration() {
    let expected =
        b"\x08\x01\x78\x02\x80\x01\x03\xf8\x7f\x04\x80\x80\x01\x05\xfa\xff\xff\xff\x0f\x01x";
    let (one_byte_first, one_byte_last, two_bytes_first) = (1, 2, 3);
    let (two_bytes_last, three_bytes_first, five_bytes_last) = (4, 5, "x".to_owned());
    let descending = Descending {
        five_bytes_last: five_bytes_last.clone(),
        three_bytes_first,
        two_bytes_last,
        two_bytes_first,
        one_byte_last,
        one_byte_first,
    };
    assert_written(&descending, expected);
    let ascending = Ascending {
        one_byte_first,
        one_byte_last,
        two_bytes_first,
        two_bytes_last,
        three_bytes_first,
        five_bytes_last,
    };
    assert_written(&ascending, expected);
}

/// Maps of different types with the same entries.
macro_rules! maps {
    ($($name:ident $map:ident [$($hasher:ty)?];)*) => {$(
        #[derive(Debug, Default, PartialEq, Snapshot)]
        #[snapshot(message = pb::Maps, ignore(
            int64_key, uint32_key, sint32_key, sint64_key, fixed32_key, sfixed32_key,
            sfixed64_key, message_value, enum_value, bytes_value, any_value, bool_value,
            sint64_value, fixed32_value, duration_value, empty_value
        ))]
        struct $name {
            int32_key: $map<i32, String $(, $hasher)?>,
            uint64_key: $map<u64, String $(, $hasher)?>,
            fixed64_key: $map<u64, String $(, $hasher)?>,
            bool_key: $map<bool, String $(, $hasher)?>,
            string_key: $map<String, String $(, $hasher)?>,
            double_value: $map<String, f64 $(, $hasher)?>,
        }

        impl $name {
            /// The value of an entry depends only on its key, so that no value depends on the order.
            fn of<'a>(keys: impl Iterator<Item = &'a i32>) -> Self {
                let mut maps = Self::default();
                for key in keys {
                    let text = format!("{key:x}ж");
                    let number = u64::from(*key as u32) << 7;
                    maps.int32_key.insert(*key, text.clone());
                    maps.uint64_key.insert(number, text.clone());
                    maps.fixed64_key.insert(!number, text.clone());
                    maps.bool_key.insert(*key < 0, String::new());
                    maps.string_key.insert(text.clone(), String::new());
                    maps.double_value.insert(text, f64::from(*key));
                }
                maps
            }
        }
    )*};
}

maps! {
    Sorted BTreeMap [];
    Random HashMap [RandomState];
    InOrder HashMap [BuildHasherDefault<Alike>];
}

proptest! {
    #[test]
    fn neither_map_nor_hasher_nor_order_of_insertion_matters(
        keys in prop::collection::hash_set(any::<i32>(), 0..12).prop_map(Vec::from_iter),
        seed in any::<u64>(),
    ) {
        let mut shuffled = keys.clone();
        shuffled.sort_by_key(|key| (*key as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let expected = to_bytes(&Sorted::of(keys.iter())).unwrap();
        prop_assert_eq!(&to_bytes(&Random::of(keys.iter())).unwrap(), &expected);
        prop_assert_eq!(&to_bytes(&Random::of(shuffled.iter())).unwrap(), &expected);
        prop_assert_eq!(&to_bytes(&InOrder::of(keys.iter())).unwrap(), &expected);
        prop_assert_eq!(&to_bytes(&InOrder::of(keys.iter().rev())).unwrap(), &expected);
        prop_assert_eq!(&to_bytes(&InOrder::of(shuffled.iter())).unwrap(), &expected);
    }

    /// Every bit pattern of a float comes back, at every place of a float. prost's encoding of the
    /// same values is the same, except that it omits -0.0.
    #[test]
    fn every_float_keeps_its_bits(
        bits in prop_oneof![
            any::<u64>(),
            Just((-0.0f64).to_bits()),
            Just(f64::NAN.to_bits()),
            (0x7ff0_0000_0000_0001u64..0x7fff_ffff_ffff_ffff),
        ],
        small in prop_oneof![any::<u32>(), Just((-0.0f32).to_bits()), 0x7f80_0001u32..0x7fff_ffff],
    ) {
        let (double, float) = (f64::from_bits(bits), f32::from_bits(small));
        let scalars = Scalars { double, float, ..Scalars::default() };
        let bytes = to_bytes(&scalars).unwrap();
        let twin: Scalars = from_bytes(&bytes).unwrap();
        prop_assert_eq!((twin.double.to_bits(), twin.float.to_bits()), (bits, small));
        if double != 0.0 && float != 0.0 {
            let message = pb::Scalars { double, float, ..Default::default() };
            prop_assert_eq!(message.encode_to_vec(), bytes);
        }

        let floats = Floats {
            double: vec![double, 0.0, double],
            float: vec![float],
            unpacked_double: [double],
        };
        let bytes = to_bytes(&floats).unwrap();
        let twin: Floats = from_bytes(&bytes).unwrap();
        let twin_bits = twin.double.iter().chain(&twin.unpacked_double).map(|f| f.to_bits());
        prop_assert_eq!(twin_bits.collect::<Vec<_>>(), [bits, 0, bits, bits]);
        let message = pb::Repeats {
            double: vec![double, 0.0, double],
            float: vec![float],
            unpacked_double: vec![double],
            ..Default::default()
        };
        prop_assert_eq!(message.encode_to_vec(), bytes);
    }
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Repeats, ignore(
    int32, int64, uint32, uint64, sint32, sint64, fixed32, fixed64, sfixed32, sfixed64, bool,
    string, bytes, message, r#enum, unpacked_uint32, unpacked_sint64, unpacked_fixed32,
    unpacked_bool, unpacked_enum, packed_int32
))]
struct Floats {
    double: Vec<f64>,
    float: Vec<f32>,
    unpacked_double: [f64; 1],
}

#[test]
fn negative_zero_is_kept_where_prost_loses_it() {
    let scalars = Scalars { double: -0.0, float: -0.0, ..Scalars::default() };
    assert_written(&scalars, b"\x09\0\0\0\0\0\0\0\x80\x15\0\0\0\x80");
    let message = pb::Scalars { double: -0.0, float: -0.0, ..Default::default() };
    assert_eq!(message.encode_to_vec(), b"");
    let twin: Scalars = from_bytes(&to_bytes(&scalars).unwrap()).unwrap();
    assert!(twin.double.is_sign_negative() && twin.float.is_sign_negative());

    let map = || [("k".to_owned(), -0.0)].into();
    let maps = Sorted { double_value: map(), ..Sorted::default() };
    assert_written(&maps, b"\x8a\x01\x0c\x0a\x01k\x11\0\0\0\0\0\0\0\x80");
    let message = pb::Maps { double_value: [("k".to_owned(), -0.0)].into(), ..Default::default() };
    assert_eq!(message.encode_to_vec(), b"\x8a\x01\x03\x0a\x01k");
}

#[test]
fn an_entry_has_its_key_and_value_where_prost_leaves_them_out() {
    let maps = Sorted {
        int32_key: [(0, String::new())].into(),
        bool_key: [(false, "f".into())].into(),
        string_key: [(String::new(), String::new())].into(),
        ..Sorted::default()
    };
    assert_written(&maps, b"\x0a\x04\x08\0\x12\0\x5a\x05\x08\0\x12\x01f\x62\x04\x0a\0\x12\0");
    let message = pb::Maps {
        int32_key: [(0, String::new())].into(),
        bool_key: [(false, "f".into())].into(),
        string_key: [(String::new(), String::new())].into(),
        ..Default::default()
    };
    assert_eq!(message.encode_to_vec(), b"\x0a\0\x5a\x03\x12\x01f\x62\0");
    // The values that prost omits are still read.
    assert_eq!(Sorted::try_from(message).unwrap(), maps);
}

/// The keys of a map in the order of the wire, which prost's `BTreeMap` would change.
fn keys(bytes: &[u8]) -> Vec<String> {
    let message = pb::Maps::decode(bytes).unwrap();
    let mut keys: Vec<_> = message.string_key.into_keys().collect();
    keys.sort_by_key(|key| {
        let entry = [&[0x0a, key.len() as u8], key.as_bytes()].concat();
        bytes.windows(entry.len()).position(|window| window == entry)
    });
    keys
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Maps, ignore(
    int32_key, int64_key, uint32_key, uint64_key, sint32_key, sint64_key, fixed32_key, fixed64_key,
    sfixed32_key, sfixed64_key, bool_key, message_value, enum_value, bytes_value, any_value,
    double_value, bool_value, sint64_value, fixed32_value, duration_value, empty_value
))]
struct Keyed<K: snapshot_core::__private::WireKey<snapshot_core::schema::kind::String> + Ord> {
    string_key: BTreeMap<K, String>,
}

#[test]
fn text_keys_of_every_type_are_sorted_by_their_bytes() {
    let keyed = |keys: &[&str]| -> BTreeMap<String, String> {
        keys.iter().map(|key| ((*key).to_owned(), String::new())).collect()
    };
    // UTF-16 would swap the last two.
    let sorted = ["", "B", "a", "aa", "ж", "\u{ffff}", "\u{10000}"];
    let bytes = to_bytes(&Keyed { string_key: keyed(&sorted) }).unwrap();
    assert_eq!(keys(&bytes), sorted);

    let addresses = [[9, 0, 0, 1], [10, 0, 0, 1], [10, 0, 0, 10], [100, 0, 0, 1]];
    let string_key = addresses.map(|parts| (Ipv4Addr::from(parts), String::new())).into();
    let bytes = to_bytes(&Keyed { string_key }).unwrap();
    assert_eq!(keys(&bytes), ["10.0.0.1", "10.0.0.10", "100.0.0.1", "9.0.0.1"]);

    // Rust compares paths by their components, and puts `a/b` before `a-b`.
    let string_key = ["a/b", "a-b", "a"].map(|path| (PathBuf::from(path), String::new())).into();
    let bytes = to_bytes(&Keyed { string_key }).unwrap();
    assert_eq!(keys(&bytes), ["a", "a-b", "a/b"]);
}

#[derive(Debug, Snapshot)]
#[snapshot(message = pb::Repeats, ignore(
    double, float, int64, uint32, uint64, sint32, sint64, fixed32, fixed64, sfixed32, sfixed64,
    bool, bytes, message, r#enum, unpacked_uint32, unpacked_sint64, unpacked_fixed32,
    unpacked_double, unpacked_bool, unpacked_enum, packed_int32
))]
struct Sets<S: BuildHasher + Default> {
    int32: HashSet<i32, S>,
    string: HashSet<String, S>,
}

#[test]
fn sets_with_any_hasher_are_sorted() {
    let expected = b"\x1a\x0c\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x07r\0r\x01ar\x02aa";
    fn check<S: BuildHasher + Default>(expected: &[u8]) {
        let string: HashSet<String, S> = ["aa", "", "a"].map(String::from).into_iter().collect();
        let sets = Sets { int32: [7, -1, 0].into_iter().collect(), string };
        assert_eq!(to_bytes(&sets).unwrap(), expected);
        let twin: Sets<S> = from_bytes(expected).unwrap();
        assert!(twin.int32 == sets.int32 && twin.string == sets.string);
        contract([twin]);
    }
    check::<RandomState>(expected);
    check::<BuildHasherDefault<Alike>>(expected);
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, controller = Counter, ignore(label, stage))]
struct CounterState {
    value: u64,
}

#[derive(Debug)]
struct Counter(Mutex<CounterState>);

impl Controller for Counter {
    type State = CounterState;

    fn state(&self) -> impl DerefMut<Target = CounterState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: CounterState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

/// The same message with its payloads as states, as children, and as children of any type.
macro_rules! groups {
    ($($name:ident: $member:ty;)*) => {$(
        #[derive(Debug, Snapshot)]
        #[snapshot(message = pb::GroupSnapshot, version = 1, ignore(name))]
        struct $name {
            members: Vec<$member>,
            named: HashMap<String, $member>,
            leader: Option<$member>,
        }
    )*};
}

groups! {
    States: CounterState;
    Children: Child<Counter>;
    AnyChildren: Child<dyn Controller>;
    Unread: prost_types::Any;
}

#[test]
fn a_child_is_written_as_its_payload_live_or_not() {
    let state = |value| CounterState { value };
    let states = States {
        members: vec![state(1), state(0)],
        named: [("b".into(), state(2)), ("a".into(), state(3))].into(),
        leader: Some(state(4)),
    };
    let bytes = to_bytes(&states).unwrap();

    let child = |value| Child::new(Counter(Mutex::new(state(value))));
    let children = Children {
        members: vec![child(1), child(0)],
        named: [("a".into(), child(3)), ("b".into(), child(2))].into(),
        leader: Some(child(4)),
    };
    assert_eq!(to_bytes(&children).unwrap(), bytes);

    let child = |value| Child::of(Counter(Mutex::new(state(value))));
    let any_children = AnyChildren {
        members: vec![child(1), child(0)],
        named: [("a".into(), child(3)), ("b".into(), child(2))].into(),
        leader: Some(child(4)),
    };
    assert_eq!(to_bytes(&any_children).unwrap(), bytes);

    // The payload is read, but not imported.
    assert_eq!(to_bytes(&from_bytes::<Children>(&bytes).unwrap()).unwrap(), bytes);
    assert_eq!(to_bytes(&from_bytes::<AnyChildren>(&bytes).unwrap()).unwrap(), bytes);
    assert_eq!(to_bytes(&from_bytes::<Unread>(&bytes).unwrap()).unwrap(), bytes);

    contract([states]);
    contract([from_bytes::<Children>(&bytes).unwrap(), children]);
    contract([from_bytes::<AnyChildren>(&bytes).unwrap(), any_children]);
    contract([from_bytes::<Unread>(&bytes).unwrap()]);
    contract([state(5)]);

    // Encoded with prost, which does not sort the map.
    let any = |value| prost_types::Any {
        type_url: "type.googleapis.com/fixture.v1.CounterSnapshot".into(),
        value: pb::CounterSnapshot { schema_version: 1, value, ..Default::default() }
            .encode_to_vec(),
    };
    let message = pb::GroupSnapshot {
        schema_version: 1,
        members: vec![any(1), any(0)],
        named: [("a".into(), any(3)), ("b".into(), any(2))].into(),
        leader: Some(any(4)),
        ..Default::default()
    };
    assert_eq!(pb::GroupSnapshot::decode(bytes.as_slice()).unwrap(), message);
    assert_eq!(bytes.len(), message.encoded_len());
}

#[test]
fn the_types_of_the_other_tests_keep_the_contract() {
    contract([Floats { double: vec![-0.0, 1.0], float: vec![f32::NAN], unpacked_double: [0.5] }]);
    let keys = [7, -1, i32::MAX];
    contract([Random::of(keys.iter())]);
    contract([InOrder::of(keys.iter())]);
    let entry = |text: &str| [(text.to_owned(), "value".to_owned())].into();
    contract([Keyed::<String> { string_key: entry("ж") }]);
    contract([Keyed { string_key: [(Ipv4Addr::LOCALHOST, "value".to_owned())].into() }]);
    contract([Keyed { string_key: [(PathBuf::from("a/b"), "value".to_owned())].into() }]);
}
