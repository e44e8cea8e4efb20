//! Values outside of a type, in every kind of field of the type.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::num::NonZero;
use std::time::Duration;

use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1::{self as pb, choice, enums};
use uuid::Uuid;

use super::states::{Counter, Stage, field, refusal};

#[derive(Clone, Copy, Debug, Default, PartialEq, Snapshot)]
#[snapshot(enumeration = pb::Signed)]
enum Signed {
    #[default]
    Zero = 0,
    MinusOne = -1,
    PlusOne = 1,
    Min = -2_147_483_648,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Snapshot)]
#[snapshot(enumeration = enums::inner::Level)]
enum Level {
    #[default]
    Low = 0,
    High = 3,
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Enums, ignore(sparse, color, level, inner_level))]
struct Enums {
    signed: Signed,
    maybe: Option<Signed>,
    list: Vec<Signed>,
    by_number: BTreeMap<i32, Signed>,
    inner: Option<Inner>,
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = enums::Inner, ignore(outer_level))]
struct Inner {
    level: Level,
}

const SIGNED: &str =
    "is not a value of Signed, which has Zero (0), MinusOne (-1), PlusOne (1), Min (-2147483648)";

#[test]
fn an_unknown_enum_value_is_refused_with_the_known_ones() {
    let refusal = refusal::<Enums>;
    assert_eq!(refusal(b"\x10\x02"), format!("signed: 2 {SIGNED} (byte 0 of 2)"));
    assert_eq!(refusal(b"\x30\x07"), format!("maybe: 7 {SIGNED} (byte 0 of 2)"));
    assert_eq!(refusal(b"\x3a\x03\x01\x05\x00"), format!("list[1]: 5 {SIGNED} (byte 3 of 5)"));
    // Unpacked.
    assert_eq!(refusal(b"\x38\x01\x38\x05"), format!("list[1]: 5 {SIGNED} (byte 3 of 4)"));
    assert_eq!(
        refusal(b"\x42\x04\x08\x09\x10\x02"),
        format!("by_number[\"9\"]: 2 {SIGNED} (byte 5 of 6)")
    );
    assert_eq!(
        refusal(b"\x4a\x02\x08\x01"),
        "inner.level: 1 is not a value of Level, which has Low (0), High (3) (byte 2 of 4)"
    );
}

#[test]
fn an_enum_value_of_more_than_32_bits_is_not_cut_off() {
    // prost and others read both as 1.
    assert_eq!(
        refusal::<Enums>(b"\x10\x81\x80\x80\x80\x10"),
        format!("signed: 4294967297 {SIGNED} (byte 0 of 6)")
    );
    // -1 with 32 bits instead of the required 64.
    assert_eq!(
        refusal::<Enums>(b"\x10\xff\xff\xff\xff\x0f"),
        format!("signed: 4294967295 {SIGNED} (byte 0 of 6)")
    );
}

#[test]
fn a_transient_stage_is_never_read() {
    assert_eq!(
        refusal::<Counter>(b"\x08\x02\x20\x09"),
        "stage: 9 is not a value of Stage, which has Idle (0), Counting (1), Done (2) (byte 2 of 4)"
    );
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Choice, ignore(before, between, interleaved, after, last))]
struct Choice {
    kind: Option<Kind>,
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(oneof = choice::Kind, ignore(Message, Sparse, Raw, Ratio, Local))]
enum Kind {
    Number(u8),
    Text(Uuid),
    Nothing,
    Zigzag(i8),
    Fixed(NonZero<u64>),
    Flag(bool),
    Any(Counter),
    Duration(Duration),
    Wrapped(IpAddr2),
}

/// A checked newtype.
#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(transparent, validate = is_local)]
struct IpAddr2(String);

fn is_local(address: &IpAddr2) -> Result<(), String> {
    match address.0.parse::<IpAddr>() {
        Ok(address) if address.is_loopback() => Ok(()),
        _ => Err(format!("{} is not this host", address.0)),
    }
}

#[test]
fn a_member_of_a_oneof_is_refused_by_its_name() {
    let refusal = refusal::<Choice>;
    let cases: [(&[u8], &str); 12] = [
        (b"\x10\x80\x02", "number: 256 does not fit in u8, which holds 0 to 255 (byte 0 of 3)"),
        (b"\x1a\x02zz", "text: \"zz\" is not a UUID (byte 0 of 4)"),
        (b"\x22\0", "message: is a member that this build does not map (byte 0 of 2)"),
        (b"\x32\x02\x08\x01", "nothing: google.protobuf.Empty has no field 1 (byte 3 of 4)"),
        (b"\x40\xff\x02", "zigzag: -192 does not fit in i8, which holds -128 to 127 (byte 0 of 3)"),
        (b"\x49\0\0\0\0\0\0\0\0", "fixed: is 0, but this field must not be 0 (byte 0 of 9)"),
        (b"\x50\x02", "flag: 2 does not fit in bool, which holds 0 to 1 (byte 0 of 2)"),
        (
            b"\x6a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            "duration.seconds: -1 is not in 0 to 315576000000 (byte 0 of 13)",
        ),
        (
            b"\x6a\x06\x10\x80\x94\xeb\xdc\x03",
            "duration.nanos: 1000000000 is not in 0 to 999999999 (byte 0 of 8)",
        ),
        (b"\x72\x02\x10\x01", "wrapped: google.protobuf.StringValue has no field 2 (byte 3 of 4)"),
        (b"\x72\x05\x0a\x03abc", "wrapped: abc is not this host (byte 0 of 7)"),
        (
            b"\x62\x02\x0a\0",
            "any: has no type URL, expected \"type.googleapis.com/fixture.v1.CounterSnapshot\" \
             (byte 0 of 4)",
        ),
    ];
    for (bytes, expected) in cases {
        assert_eq!(refusal(bytes), expected);
    }
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Repeats, ignore(
    double, float, int64, uint64, sint32, sint64, fixed64, sfixed32, sfixed64, bytes, message,
    r#enum, unpacked_uint32, unpacked_sint64, unpacked_fixed32, unpacked_double, unpacked_bool,
    unpacked_enum
))]
struct Lists {
    int32: [i8; 2],
    uint32: BTreeSet<u8>,
    fixed32: Vec<NonZero<u16>>,
    bool: Vec<bool>,
    string: Vec<char>,
    packed_int32: Vec<i32>,
}

#[test]
fn an_element_is_refused_by_its_index() {
    let refusal = |bytes: &[u8]| refusal::<Lists>(&[b"\x1a\x02\x01\x02", bytes].concat());
    let cases: [(&[u8], &str); 8] = [
        (b"\x2a\x03\x01\x02\x02", "uint32[2]: \"2\" is in the set twice (byte 8 of 9)"),
        (
            b"\x2a\x03\x01\x80\x02",
            "uint32[1]: 256 does not fit in u8, which holds 0 to 255 (byte 7 of 9)",
        ),
        (b"\x4a\x04\0\0\0\0", "fixed32[0]: is 0, but this field must not be 0 (byte 6 of 10)"),
        (b"\x4a\x05\x01\0\0\0\0", "fixed32[1]: needs 4 bytes, but has 1 left (byte 10 of 11)"),
        (b"\x6a\x02\x01\x02", "bool[1]: 2 does not fit in bool, which holds 0 to 1 (byte 7 of 8)"),
        (b"\x72\x01a\x72\x02bc", "string[1]: \"bc\" is not a single character (byte 8 of 11)"),
        (b"\xc2\x01\x02\x01\x80", "packed_int32[1]: ends within a varint (byte 8 of 9)"),
        (
            b"\xc2\x01\x03\x81\x00\x01",
            "packed_int32[0]: varint is longer than it needs to be (byte 7 of 10)",
        ),
    ];
    for (bytes, expected) in cases {
        assert_eq!(refusal(bytes), expected);
    }
    let count = self::refusal::<Lists>(b"\x1a\x03\x01\x02\x03");
    assert_eq!(count, "int32: has 3 elements, expected 2");
}

#[test]
fn long_text_is_quoted_in_part() {
    let long = "ж".repeat(10_000);
    let error = refusal::<Choice>(&field(3, long.as_bytes()));
    assert_eq!(error, format!("text: \"{}\"... is not a UUID (byte 0 of 20004)", "ж".repeat(80)));
}

#[test]
fn the_types_keep_the_contract() {
    use snapshot_core::testing::{Contract, contract};

    contract([Enums {
        signed: Signed::MinusOne,
        maybe: Some(Signed::Zero),
        list: vec![Signed::Min, Signed::PlusOne],
        by_number: [(-5, Signed::Min)].into(),
        inner: Some(Inner { level: Level::High }),
    }]);
    contract([Inner { level: Level::High }]);
    let lists = |text| Lists {
        int32: [-1, 2],
        uint32: [1, 2].into(),
        fixed32: vec![NonZero::<u16>::MIN],
        bool: vec![true],
        string: vec![text],
        packed_int32: vec![3],
    };
    contract([lists('x'), lists('y')]);
    let counter = Counter { value: 1, label: "c".to_owned(), stage: Stage::Counting };
    let kinds = [
        Kind::Any(counter),
        Kind::Wrapped(IpAddr2("127.0.0.1".to_owned())),
        Kind::Wrapped(IpAddr2("::1".to_owned())),
        Kind::Text(Uuid::from_u128(1)),
        Kind::Fixed(NonZero::<u64>::MIN),
    ];
    let choice = Contract::new().samples(kinds.map(|kind| Choice { kind: Some(kind) }));
    let unmapped = ["message", "sparse", "raw", "ratio", "local"];
    unmapped.iter().fold(choice, |choice, member| choice.fixed(*member)).run();
}
