//! An older payload is read as strictly as the current one.

use prost::Message;
use snapshot_core::codec::from_bytes;
use snapshot_core::{Code, Snapshot};

use super::states::{DiskState, pb};

fn v1() -> Vec<u8> {
    let message = pb::DiskV1 {
        schema_version: 1,
        path: "/a".into(),
        size_mib: 5,
        cache: 1,
        users: [("u".to_owned(), 1)].into(),
        offsets: vec![-1, 2],
        queues: vec![pb::Queue { depth: 1, weight: 0 }],
        sparse: Some(false),
        place: Some(pb::Place::Slot(1)),
        shift: -3,
    };
    message.encode_to_vec()
}

/// The refusal of a version 1 payload with these additional bytes, without the byte offset.
fn refusal(more: &[u8]) -> String {
    let error = from_bytes::<DiskState>(&[&v1()[..], more].concat()).unwrap_err().to_string();
    error.split(" (byte").next().unwrap().to_owned()
}

#[test]
fn every_kind_of_field_is_read_if_it_is_right() {
    assert_eq!(from_bytes::<DiskState>(&v1()).unwrap(), DiskState::of_size(5 << 20));
    // An unpacked element, an explicit default, an entry without key and value.
    let more = [0x30, 1, 0x58, 0, 0x2a, 0];
    let mut bytes = pb::DiskV1 { shift: 0, ..pb::DiskV1::decode(&*v1()).unwrap() }.encode_to_vec();
    bytes.extend(more);
    assert_eq!(from_bytes::<DiskState>(&bytes).unwrap(), DiskState::of_size(5 << 20));
}

#[test]
fn whatever_prost_would_pass_over_is_refused() {
    for (more, expected) in [
        (&[0x60, 1][..], "unknown field 12 (varint) in versions.v1.DiskV1"),
        (&[0x12, 1, b'b'], "path: occurs twice"),
        (&[0x08, 1], "schema_version: occurs twice"),
        (&[0x2a, 3, 0x0a, 1, b'u'], "users: occurs twice"),
        (&[0x2a, 0, 0x2a, 2, 0x0a, 0], "users: occurs twice"),
        (&[0x2a, 4, 0x10, 1, 0x10, 1], "users: occurs twice"),
        (&[0x2a, 2, 0x18, 1], "users: a map entry has no field 3"),
        (&[0x2a, 3, 0x0a, 1, 0xff], "users.key: is not valid UTF-8"),
        (&[0x3a, 2, 0x18, 1], "queues[1]: unknown field 3 (varint) in versions.v1.Queue"),
        (&[0x3a, 4, 0x08, 1, 0x08, 1], "queues[1].depth: occurs twice"),
        (&[0x3a, 1, 0x08], "queues[1].depth: ends within a varint"),
        (&[0x4a, 0], "shelf: another member of the same oneof is already set"),
        (&[0x50, 1], "slot: another member of the same oneof is already set"),
        (&[0x40, 1], "sparse: occurs twice"),
        (
            &[0x32, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x01],
            "offsets[2]: 4294967295 does not fit int32",
        ),
        (&[0x35, 0, 0, 0, 0], "offsets: has wire type 32-bit, expected varint"),
        (&[0x0b], "groups are not supported"),
        (&[0x3a, 0x7f], "queues[1]: needs 127 bytes, but has 0 left"),
    ] {
        assert_eq!(refusal(more), expected, "{more:02x?}");
    }
}

#[test]
fn values_that_do_not_fit_their_kind_are_refused() {
    for (message, expected) in [
        (&[0x08, 1, 0x20, 2][..], "cache: 2 is not a value of Cache"),
        (
            &[0x08, 1, 0x20, 0xff, 0xff, 0xff, 0xff, 0x1f],
            "cache: 8589934591 is not a value of Cache",
        ),
        (&[0x08, 1, 0x40, 2], "sparse: 2 does not fit in bool, which holds 0 to 1"),
        (
            &[0x08, 1, 0x18, 0x80, 0x80, 0x80, 0x80, 0x10],
            "size_mib: 4294967296 does not fit uint32",
        ),
        (&[0x08, 1, 0x58, 0x80, 0x80, 0x80, 0x80, 0x20], "shift: 4294967296 does not fit sint32"),
        (&[0x08, 1, 0x12, 1, 0xff], "path: is not valid UTF-8"),
        (&[0x08, 1, 0x10, 1], "path: has wire type varint, expected length-delimited"),
        (&[0x08, 1, 0x18, 0x81, 0x00], "size_mib: varint is longer than it needs to be"),
    ] {
        let error = from_bytes::<DiskState>(message).unwrap_err().to_string();
        assert_eq!(error.split(" (byte").next().unwrap(), expected);
    }
}

#[test]
fn the_place_in_bytes_is_that_of_the_payload() {
    let error = from_bytes::<DiskState>(&[0x08, 1, 0x12, 2, b'a', 0xff]).unwrap_err();
    assert_eq!(error.to_string(), "path: is not valid UTF-8 (byte 5 of 6)");
    assert_eq!(error.code(), Code::DataLoss);
}

#[test]
fn every_truncation_of_an_older_payload_is_refused_or_read_without_a_panic() {
    let whole = v1();
    for length in 0..whole.len() {
        let _ = from_bytes::<DiskState>(&whole[..length]);
    }
    for index in 0..whole.len() {
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[index] ^= 1 << bit;
            let _ = from_bytes::<DiskState>(&damaged);
        }
    }
}

/// A payload with an older version that contains the next one.
#[derive(Debug, Snapshot)]
#[snapshot(message = pb::Deep, version = 2)]
#[snapshot(accept(version = 1, message = pb::Deep, upgrade = deeper))]
struct Deep {
    next: Option<Box<Deep>>,
}

fn deeper(old: pb::Deep) -> Result<pb::Deep, std::convert::Infallible> {
    Ok(pb::Deep { schema_version: 0, ..old })
}

fn nested(levels: usize) -> Vec<u8> {
    let mut message = pb::Deep { schema_version: 1, next: None };
    for _ in 0..levels {
        let type_url = "type.googleapis.com/versions.v1.Deep".to_owned();
        let next = Some(prost_types::Any { type_url, value: message.encode_to_vec() });
        message = pb::Deep { schema_version: 1, next };
    }
    message.encode_to_vec()
}

#[test]
fn nested_older_payloads_beyond_the_limit_are_refused_without_a_stack_overflow() {
    assert!(from_bytes::<Deep>(&nested(50)).is_ok());
    snapshot_core::testing::contract::<Deep>([from_bytes(&nested(2)).unwrap()]);
    let error = from_bytes::<Deep>(&nested(51)).unwrap_err().to_string();
    assert!(error.contains("messages are nested too deep"), "{error}");
    let error = from_bytes::<Deep>(&nested(2000)).unwrap_err().to_string();
    assert!(error.contains("messages are nested too deep"), "{error}");
}
