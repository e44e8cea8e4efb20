//! What maps are on the wire, and which entries are refused.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use prost::encoding;

use super::super::field_tests::{Probe, put, put_refusal, refusal, round_trip, take, visited};
use super::*;
use crate::schema::kind::{Bytes, Int32, Message, Sint64, String as Text, Uint32, Uint64};

type Texts = Map<Text, Text>;
type Numbers = Map<Int32, Uint32>;
type Times = Map<Text, Message<prost_types::Duration>>;

#[test]
fn maps_are_as_prost_writes_them_but_sorted() {
    let map: BTreeMap<String, u32> =
        ["b", "a", "aa", "ж", "B"].iter().zip(1..).map(|(k, v)| ((*k).to_owned(), v)).collect();
    let mut expected = Vec::new();
    encoding::btree_map::encode(
        encoding::string::encode,
        encoding::string::encoded_len,
        encoding::uint32::encode,
        encoding::uint32::encoded_len,
        1,
        &map,
        &mut expected,
    );
    round_trip::<Map<Text, Uint32>, _>(&map, &expected);
    let map: HashMap<String, u32> = map.into_iter().collect();
    round_trip::<Map<Text, Uint32>, _>(&map, &expected);
}

#[test]
fn numbers_are_sorted_by_value_whatever_the_map() {
    let expected = b"\x0a\x0d\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\x01\
                     \x0a\x04\x08\x01\x10\x02\x0a\x05\x08\xac\x02\x10\x03";
    let entries = [(300, 3), (-2, 1), (1, 2)];
    round_trip::<Numbers, _>(&BTreeMap::<i32, u8>::from(entries), expected);
    round_trip::<Numbers, _>(&HashMap::<i32, u8>::from(entries), expected);
}

#[test]
fn an_entry_always_has_its_key_and_its_value() {
    let map = BTreeMap::from([(0, String::new())]);
    round_trip::<Map<Uint32, Text>, BTreeMap<u32, String>>(&map, b"\x0a\x04\x08\0\x12\0");
    let map = BTreeMap::from([(String::new(), Duration::ZERO)]);
    round_trip::<Times, _>(&map, b"\x0a\x04\x0a\0\x12\0");
    round_trip::<Texts, BTreeMap<String, String>>(&BTreeMap::new(), b"");
}

#[test]
fn a_key_or_value_that_is_left_out_is_the_default() {
    for (bytes, key, value) in
        [(&b"\x0a\0"[..], 0, ""), (b"\x0a\x02\x08\x05", 5, ""), (b"\x0a\x03\x12\x01x", 0, "x")]
    {
        let map: BTreeMap<u8, String> = take::<Map<Uint32, Text>, _>(bytes).unwrap();
        assert_eq!(map, BTreeMap::from([(key, value.to_owned())]));
    }
    let map: HashMap<String, Duration> = take::<Times, _>(b"\x0a\x03\x0a\x01k").unwrap();
    assert_eq!(map["k"], Duration::ZERO);
    assert_eq!(
        refusal::<Map<Text, Uint32>, BTreeMap<IpAddr, u8>>(b"\x0a\x02\x10\x01"),
        "key: \"\" is not an IP address (byte 1 of 4)"
    );
    assert_eq!(
        refusal::<Map<Uint32, Text>, BTreeMap<u8, char>>(b"\x0a\x02\x08\x01"),
        "[\"1\"]: \"\" is not a single character (byte 1 of 4)"
    );
}

#[test]
fn the_value_may_come_before_the_key() {
    let bytes = b"\x0a\x05\x12\x01x\x08\x05";
    let map: BTreeMap<u8, String> = take::<Map<Uint32, Text>, _>(bytes).unwrap();
    assert_eq!(map[&5], "x");
}

#[test]
fn a_wrong_value_is_told_under_its_key_wherever_the_key_is() {
    for (bytes, place) in [
        (&b"\x0a\x05\x0a\x01k\x10\xac"[..], "[\"k\"]"),
        (b"\x0a\x06\x10\xac\x02\x0a\x01k", "[\"k\"]"),
        (b"\x0a\x03\x10\xac\x02", "[\"\"]"),
    ] {
        let refused = refusal::<Map<Text, Uint32>, BTreeMap<String, u8>>(bytes);
        assert!(refused.starts_with(&format!("{place}: ")), "{bytes:?}: {refused}");
    }
}

#[test]
fn a_map_key_twice_is_refused() {
    let bytes = b"\x0a\x05\x0a\x01k\x10\x01\x0a\x05\x0a\x01k\x10\x01";
    let expected = "[\"k\"]: occurs twice (byte 8 of 14)";
    assert_eq!(refusal::<Map<Text, Uint32>, BTreeMap<String, u8>>(bytes), expected);
    assert_eq!(refusal::<Map<Text, Uint32>, HashMap<String, u8>>(bytes), expected);
    // Two texts of one path.
    let bytes = b"\x0a\x07\x0a\x03a/b\x10\x01\x0a\x08\x0a\x04a//b\x10\x01";
    assert_eq!(
        refusal::<Map<Text, Uint32>, BTreeMap<PathBuf, u8>>(bytes),
        "[\"a/b\"]: occurs twice (byte 10 of 19)"
    );
}

#[test]
fn a_key_or_value_twice_in_an_entry_is_refused() {
    assert_eq!(
        refusal::<Numbers, BTreeMap<i32, u8>>(b"\x0a\x06\x08\x01\x08\x01\x10\x01"),
        "key: occurs twice (byte 5 of 8)"
    );
    assert_eq!(
        refusal::<Numbers, HashMap<i32, u8>>(b"\x0a\x06\x08\x01\x10\x01\x10\x01"),
        "[\"1\"]: occurs twice (byte 7 of 8)"
    );
}

#[test]
fn an_unknown_field_in_an_entry_is_refused() {
    assert_eq!(
        refusal::<Numbers, BTreeMap<i32, u8>>(b"\x0a\x06\x08\x01\x10\x01\x18\x01"),
        "[\"1\"]: a map entry has no field 3 (byte 7 of 8)"
    );
}

#[test]
fn an_error_in_a_value_names_its_key() {
    assert_eq!(
        refusal::<Numbers, BTreeMap<i32, u8>>(b"\x0a\x05\x08\x07\x10\x80\x02"),
        "[\"7\"]: 256 does not fit in u8, which holds 0 to 255 (byte 5 of 7)"
    );
    // The key comes after the value.
    assert_eq!(
        refusal::<Numbers, BTreeMap<i32, u8>>(b"\x0a\x05\x10\x80\x02\x08\x07"),
        "[\"7\"]: 256 does not fit in u8, which holds 0 to 255 (byte 3 of 7)"
    );
    assert_eq!(
        refusal::<Numbers, BTreeMap<i32, u8>>(b"\x0a\x06\x08\x07\x15\0\0\0"),
        "[\"7\"]: has wire type 32-bit, expected varint (byte 5 of 8)"
    );
    assert_eq!(
        refusal::<Numbers, BTreeMap<i32, u8>>(b"\x0a\x03\x08\x07\x13"),
        "[\"7\"]: groups are not supported (byte 4 of 5)"
    );
    assert_eq!(
        put_refusal::<Numbers, BTreeMap<i32, i8>>(&BTreeMap::from([(7, -1)])),
        "[\"7\"]: -1 does not fit in uint32, which holds 0 to 4294967295"
    );
}

#[test]
fn an_error_in_a_key_is_told_as_such() {
    assert_eq!(
        refusal::<Numbers, BTreeMap<u8, u8>>(b"\x0a\x05\x08\x80\x02\x10\x01"),
        "key: 256 does not fit in u8, which holds 0 to 255 (byte 3 of 7)"
    );
    assert_eq!(
        refusal::<Texts, BTreeMap<String, String>>(b"\x0a\x03\x0a\x01\xff"),
        "key: is not valid UTF-8 (byte 4 of 5)"
    );
    assert_eq!(
        put_refusal::<Numbers, BTreeMap<u64, u8>>(&BTreeMap::from([(1 << 40, 1)])),
        "[\"1099511627776\"]: 1099511627776 does not fit in int32, which holds -2147483648 to \
         2147483647"
    );
}

#[test]
fn an_entry_is_a_message_and_nothing_else() {
    assert_eq!(
        refusal::<Numbers, BTreeMap<i32, u8>>(&[0x08, 1]),
        "has wire type varint, expected length-delimited (byte 1 of 2)"
    );
    assert_eq!(
        refusal::<Numbers, BTreeMap<i32, u8>>(&[0x0a, 4, 0x08, 1]),
        "needs 4 bytes, but has 2 left (byte 2 of 4)"
    );
}

#[test]
fn keys_that_rust_orders_otherwise_are_sorted_by_their_text() {
    let addresses = ["9.0.0.1", "10.0.0.1", "::1"].map(|a| (a.parse::<IpAddr>().unwrap(), 1));
    let bytes = put::<Map<Text, Uint32>, BTreeMap<_, u8>>(&addresses.into()).unwrap();
    assert_eq!(
        bytes,
        b"\x0a\x0c\x0a\x0810.0.0.1\x10\x01\x0a\x0b\x0a\x079.0.0.1\x10\x01\
          \x0a\x07\x0a\x03::1\x10\x01"
    );
    let hashed = put::<Map<Text, Uint32>, HashMap<_, u8>>(&addresses.into()).unwrap();
    assert_eq!(hashed, bytes);
    let read: BTreeMap<IpAddr, u8> = take::<Map<Text, Uint32>, _>(&bytes).unwrap();
    assert_eq!(read, addresses.into());
}

/// A number with a part that is not saved, but that its comparison in Rust includes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Marked {
    mark: u8,
    number: u32,
}

impl crate::codec::Sealed for Marked {}

impl Wire<Uint32> for Marked {
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        Wire::<Uint32>::put(&self.number, w)
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self { mark: 0, number: <u32 as Wire<Uint32>>::take(r)? })
    }

    fn is_default(&self) -> bool {
        self.number == 0
    }
}

impl WireKey<Uint32> for Marked {
    fn wire_cmp(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }

    fn key_text(&self) -> String {
        self.number.to_string()
    }
}

#[test]
fn two_keys_that_are_one_on_the_wire_are_not_saved() {
    let twins = [(0, 5), (1, 4), (2, 5)].map(|(mark, number)| (Marked { mark, number }, 1));
    let expected = "[\"5\"]: two keys of the map are the same on the wire";
    let map: BTreeMap<_, u8> = twins.clone().into();
    assert_eq!(put_refusal::<Map<Uint32, Uint32>, _>(&map), expected);
    let map: HashMap<_, u8> = twins.into();
    assert_eq!(put_refusal::<Map<Uint32, Uint32>, _>(&map), expected);
    let neighbours = [(0, 5), (1, 5)].map(|(mark, number)| (Marked { mark, number }, 1));
    let map: BTreeMap<_, u8> = neighbours.into();
    assert_eq!(put_refusal::<Map<Uint32, Uint32>, _>(&map), expected);
}

#[test]
fn a_map_may_have_any_hasher_and_nested_values() {
    type Fixed = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;
    let map: HashMap<i64, Box<[u8]>, Fixed> =
        [(-1, Box::from(*b"x")), (0, Box::from(*b""))].into_iter().collect();
    round_trip::<Map<Sint64, Bytes>, _>(&map, b"\x0a\x05\x08\x01\x12\x01x\x0a\x04\x08\0\x12\0");
}

#[test]
fn entries_out_of_order_are_read_into_either_map() {
    let mut bytes = Vec::new();
    for key in [5, 1, 9, 3, 7, 8, 2] {
        bytes.extend_from_slice(&[0x0a, 4, 0x08, key, 0x10, key]);
    }
    let tree: BTreeMap<u64, u8> = take::<Map<Uint64, Uint32>, _>(&bytes).unwrap();
    assert_eq!(tree.into_values().collect::<Vec<_>>(), [1, 2, 3, 5, 7, 8, 9]);
    let hash: HashMap<u64, u8> = take::<Map<Uint64, Uint32>, _>(&bytes).unwrap();
    assert_eq!(hash.len(), 7);
    bytes.extend_from_slice(&[0x0a, 4, 0x08, 9, 0x10, 1]);
    assert_eq!(
        refusal::<Map<Uint64, Uint32>, BTreeMap<u64, u8>>(&bytes),
        "[\"9\"]: occurs twice (byte 43 of 48)"
    );
}

#[test]
fn room_is_made_for_no_more_than_the_input_justifies() {
    let bytes = b"\0".iter().chain(b"\x0a\0".repeat(1_000).iter()).copied().collect::<Vec<_>>();
    assert_eq!(Reader::new(&bytes).count_ahead::<(u8, u8)>(1), 1_001);
    assert_eq!(Reader::new(&bytes).count_ahead::<(u64, u64)>(1), 501);
    assert_eq!(Reader::new(&bytes).count_ahead::<(u64, [u64; 511])>(1), 2);
    assert_eq!(Reader::new(&bytes).count_ahead::<(u8, u8)>(2), 1);
    assert_eq!(Reader::new(b"\x05").count_ahead::<(u8, u8)>(1), 0);
}

#[test]
fn a_visit_goes_into_every_value_in_the_order_of_the_wire() {
    let keys = ["b/1", "a", "c", "B"];
    let expected = ["f/B", "f/a", "f/b%2F1", "f/c"];
    let tree: BTreeMap<_, _> = keys.map(|key| (key.to_owned(), Probe(0))).into();
    assert_eq!(visited::<Map<Text, Uint32>, _>(&tree), expected);
    let hash: HashMap<_, _> = keys.map(|key| (key.to_owned(), Probe(0))).into();
    assert_eq!(visited::<Map<Text, Uint32>, _>(&hash), expected);
}
