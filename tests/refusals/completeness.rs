//! All problems of a message are reported together, and each only once.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use snapshot_core::codec::from_bytes;
use snapshot_core::{Code, Error, Snapshot};
use snapshot_proto::fixture::v1 as pb;
use uuid::Uuid;

use super::states::{Node, field, refusal};

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::OptionalScalars, ignore(double, float, message, mode))]
struct Required {
    int32: i8,
    int64: i16,
    uint32: u8,
    uint64: u16,
    #[snapshot(range = 1..=9)]
    sint32: i32,
    sint64: i64,
    fixed32: u16,
    fixed64: u64,
    sfixed32: i32,
    sfixed64: i64,
    bool: bool,
    #[snapshot(max = 3)]
    string: String,
    bytes: [u8; 2],
}

#[test]
fn all_problems_of_a_message_are_reported_together() {
    let bytes = [
        &b"\x18\x80\x01"[..], // 0: int32 = 128
        b"\x90\x03\x01",      // 3: field 50
        b"\x20\x01",          // 6: int64 = 1, which is right
        b"\x20\x01",          // 8: and again
        b"\x2d\0\0\0\0",      // 10: uint32 as 32 bits
        b"\x38\x2e",          // 15: sint32 = 23, out of its range
        b"\x72\x04abcd",      // 17: string, too long
        b"\x7a\x03abc",       // 23: bytes, one too many
        b"\x68\x02",          // 28: bool = 2
        b"\x4d\0\0\x01\0",    // 30: fixed32 = 65536
    ]
    .concat();
    let unknown = "unknown field 50 (varint) in fixture.v1.OptionalScalars";
    assert_eq!(
        refusal::<Required>(&bytes),
        format!(
            "int32: 128 does not fit in i8, which holds -128 to 127 (byte 0 of 35)\n\
             {unknown} (byte 3 of 35)\n\
             int64: occurs twice (byte 8 of 35)\n\
             uint32: has wire type 32-bit, expected varint (byte 10 of 35)\n\
             bytes: has 3 bytes, expected 2 (byte 23 of 35)\n\
             bool: 2 does not fit in bool, which holds 0 to 1 (byte 28 of 35)\n\
             fixed32: 65536 does not fit in u16, which holds 0 to 65535 (byte 30 of 35)\n\
             uint64: is missing\n\
             sint64: is missing\n\
             fixed64: is missing\n\
             sfixed32: is missing\n\
             sfixed64: is missing\n\
             sint32: is 23, which is not in 1..=9 (byte 15 of 35)\n\
             string: has 4 bytes, but the maximum is 3 (byte 17 of 35)"
        )
    );
}

#[test]
fn every_missing_field_is_reported() {
    let error = from_bytes::<Required>(b"").unwrap_err();
    let paths: Vec<String> = error.findings().map(|finding| finding.path().to_string()).collect();
    assert_eq!(
        paths,
        [
            "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64",
            "sfixed32", "sfixed64", "bool", "string", "bytes"
        ]
    );
    assert!(error.findings().all(|finding| finding.reason() == "is missing"));
    assert!(error.findings().all(|finding| finding.code() == Code::InvalidArgument));
}

#[test]
fn after_damage_no_field_is_reported_as_missing() {
    // Errors before the damage are reported; errors after it are not guessed.
    assert_eq!(
        refusal::<Required>(b"\x18\x80\x01\x0b\x20\x01"),
        "int32: 128 does not fit in i8, which holds -128 to 127 (byte 0 of 6)\n\
         groups are not supported (byte 3 of 6)"
    );
    assert_eq!(
        refusal::<Required>(b"\x18\x80\x01\x72\x09abc"),
        "int32: 128 does not fit in i8, which holds -128 to 127 (byte 0 of 8)\n\
         string: needs 9 bytes, but has 3 left (byte 5 of 8)"
    );
}

#[test]
fn damage_in_one_message_does_not_hide_problems_of_the_next() {
    let bytes = [
        field(3, b"\x0b"),                      // a group
        field(3, b"\x0a\x01\xff"),              // not UTF-8
        field(3, b"\x0a\x01a"),                 // right
        field(3, b"\x0a\x09a"),                 // a length past its end
        field(4, b"\x0a\x01k\x12\x02\x48\x01"), // an unknown field in a map's value
        b"\x48\x01".to_vec(),                   // an unknown field
    ]
    .concat();
    assert_eq!(
        refusal::<Node>(&bytes),
        "children[0]: groups are not supported (byte 2 of 29)\n\
         children[1].name: is not valid UTF-8 (byte 7 of 29)\n\
         children[3].name: needs 9 bytes, but has 1 left (byte 17 of 29)\n\
         by_name[\"k\"]: unknown field 9 (varint) in fixture.v1.Recursive.Node (byte 25 of 29)\n\
         unknown field 9 (varint) in fixture.v1.Recursive.Node (byte 27 of 29)"
    );
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::SortedMaps, ignore(message_value, enum_value, any_value))]
struct Maps {
    uint32_key: BTreeMap<u8, Uuid>,
    string_key: BTreeMap<IpAddr, char>,
}

#[test]
fn errors_of_a_key_and_of_its_value_are_both_reported() {
    let entry = |key: &[u8], value: &[u8]| [key, value].concat();
    let bytes = [
        field(3, &entry(b"\x08\x80\x02", b"\x12\x01x")), // 256 = "x"
        field(3, &entry(b"\x12\x01y", b"\x08\x01")),     // the value first: 1 = "y"
        field(3, &entry(b"", b"\x12\x01z")),             // a key left out: 0 = "z"
        field(12, &entry(b"\x0a\x01?", b"\x12\x02ab")),
        field(12, b""), // neither
    ]
    .concat();
    assert_eq!(
        refusal::<Maps>(&bytes),
        "uint32_key.key: 256 does not fit in u8, which holds 0 to 255 (byte 3 of 31)\n\
         uint32_key: \"x\" is not a UUID (byte 6 of 31)\n\
         uint32_key[\"1\"]: \"y\" is not a UUID (byte 11 of 31)\n\
         uint32_key[\"0\"]: \"z\" is not a UUID (byte 18 of 31)\n\
         string_key.key: \"?\" is not an IP address (byte 23 of 31)\n\
         string_key: \"ab\" is not a single character (byte 26 of 31)\n\
         string_key.key: \"\" is not an IP address (byte 29 of 31)\n\
         string_key: \"\" is not a single character (byte 29 of 31)"
    );
}

#[test]
fn more_errors_than_anybody_reads_are_counted() {
    // 1,000 elements that are not UTF-8.
    let bytes: Vec<u8> = (0..1_000).flat_map(|_| field(3, b"\x0a\x01\xff")).collect();
    let error = from_bytes::<Node>(&bytes).unwrap_err();
    assert_eq!(error.findings().count(), Error::LIMIT);
    assert_eq!(error.dropped(), 1_000 - Error::LIMIT);
    assert!(error.to_string().ends_with("\nand 744 more"), "{error}");
    let paths: HashSet<String> = error.findings().map(|f| f.path().to_string()).collect();
    assert_eq!(paths.len(), Error::LIMIT, "an error is told twice");
}

#[test]
fn the_types_keep_the_contract() {
    use snapshot_core::testing::contract;

    let required = |text: &str| Required {
        int32: -1,
        int64: 2,
        uint32: 3,
        uint64: 4,
        sint32: 5,
        sint64: -6,
        fixed32: 7,
        fixed64: 8,
        sfixed32: -9,
        sfixed64: 10,
        bool: true,
        string: text.to_owned(),
        bytes: [1, 2],
    };
    contract([required("abc"), required("")]);
    contract([Maps {
        uint32_key: [(1, Uuid::from_u128(1)), (2, Uuid::from_u128(2))].into(),
        string_key: [(IpAddr::from([10, 0, 0, 1]), 'x'), (IpAddr::from([0; 16]), 'y')].into(),
    }]);
}
