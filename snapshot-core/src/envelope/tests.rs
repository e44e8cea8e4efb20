//! The byte format, and every damage to it.

use super::*;
use crate::Code;

mod damage;
mod files;
mod incremental;
mod provenance;

fn any() -> prost_types::Any {
    prost_types::Any { type_url: "type.test/a.B".to_owned(), value: b"\x08\x01".to_vec() }
}

fn snapshot() -> Snapshot {
    Snapshot::from_any(&any()).unwrap()
}

#[track_caller]
fn refused(bytes: impl Into<Bytes>, code: Code, reason: &str) {
    let error = Snapshot::from_bytes(bytes).unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), (code, reason));
}

#[test]
fn the_bytes_are_those_of_the_documented_format() {
    let body = [&[0x0a, 13][..], b"type.test/a.B", &[0x12, 2, 8, 1]].concat();
    let mut digest = crc32fast::Hasher::new();
    digest.update(&[1, 0, 0, 0, 19, 0, 0, 0, 0, 0, 0, 0]);
    digest.update(&body);
    let expected = [
        &[0x89, b'S', b'N', b'P', 0x0d, 0x0a, 0x1a, 0x0a][..],
        &[1, 0, 0, 0],
        &[19, 0, 0, 0, 0, 0, 0, 0],
        &digest.finalize().to_le_bytes(),
        &body,
    ]
    .concat();
    assert_eq!(snapshot().as_bytes(), expected);
    assert_eq!(snapshot().len(), expected.len());
}

#[test]
fn a_snapshot_comes_back_from_its_bytes_and_from_its_any() {
    let snapshot = snapshot();
    assert_eq!(Snapshot::from_bytes(snapshot.as_bytes().to_vec()).unwrap(), snapshot);
    assert_eq!(Snapshot::from_bytes(snapshot.clone()).unwrap(), snapshot);
    assert_eq!((snapshot.type_url(), snapshot.payload()), ("type.test/a.B", &b"\x08\x01"[..]));
    assert_eq!(snapshot.into_any(), any());
    let empty = prost_types::Any { value: Vec::new(), ..any() };
    let snapshot = Snapshot::from_any(&empty).unwrap();
    assert_eq!((snapshot.type_url(), snapshot.payload()), ("type.test/a.B", &b""[..]));
    assert_eq!(snapshot.into_any(), empty);
}

#[test]
fn an_any_without_a_type_url_is_no_snapshot() {
    let error = Snapshot::from_any(&prost_types::Any::default()).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
}

#[test]
fn what_is_not_a_snapshot_is_told_apart_from_what_was_one() {
    refused(&b""[..], Code::DataLoss, "not a snapshot: 0 bytes, but a header alone has 24");
    refused(
        &b"PK\x03\x04 and more"[..],
        Code::DataLoss,
        "not a snapshot: the magic number is missing",
    );
    // What a transfer in text mode makes of line ends: CR LF to LF, and LF to CR LF.
    for (from, to) in [(&b"\r\n"[..], &b"\n"[..]), (b"\x1a\n", b"\x1a\r\n")] {
        let bytes = snapshot().as_bytes().to_vec();
        let at = bytes.windows(2).position(|pair| pair == from).unwrap();
        let changed = [&bytes[..at], to, &bytes[at + 2..]].concat();
        let reason = "line endings were changed in transit: transfer the snapshot as binary";
        refused(changed, Code::DataLoss, reason);
    }
    let mut seven_bits = snapshot().as_bytes().to_vec();
    seven_bits.iter_mut().for_each(|byte| *byte &= 0x7f);
    let reason =
        "the high bit of each byte was cleared in transit: transfer the snapshot as binary";
    refused(seven_bits, Code::DataLoss, reason);
}

#[test]
fn each_kind_of_damage_has_its_own_error() {
    let bytes = snapshot().as_bytes().to_vec();
    let whole = bytes.len();
    for length in [8, 11, 12, 20, 23] {
        let reason = format!("truncated in the header, after {length} bytes");
        refused(bytes[..length].to_vec(), Code::DataLoss, &reason);
    }
    refused(bytes[..whole - 1].to_vec(), Code::DataLoss, "truncated: the body has 18 of 19 bytes");
    refused([&bytes[..], b"xyz"].concat(), Code::DataLoss, "3 bytes too many after a body of 19");
    let mut damaged = bytes.clone();
    damaged[whole - 1] ^= 1;
    let error = Snapshot::from_bytes(damaged).unwrap_err();
    assert_eq!(error.code(), Code::DataLoss);
    assert!(error.to_string().starts_with("damaged"), "{error}");
    let mut newer = bytes;
    newer[8] = 3;
    // Before the length and the digest, which another version may have elsewhere.
    newer.truncate(12);
    refused(newer, Code::Unimplemented, "format version 3, but this build reads 1 and 2");
}

#[test]
fn a_body_that_is_no_any_is_refused_with_its_place() {
    let mut buffer = SaveBuffer::new();
    buffer.writer.raw(&[0x1a, 0x00]);
    let body = buffer.writer.as_bytes().to_vec();
    let bytes = [&Header::before(Stored::Plain, &[], &body)[..], &body].concat();
    let error = Snapshot::from_bytes(bytes).unwrap_err().to_string();
    assert!(error.contains("google.protobuf.Any has no field 3"), "{error}");
    assert!(error.ends_with("of 26)"), "{error}");
}

#[test]
fn a_buffer_can_be_filled_again_and_is_empty_before() {
    let mut buffer = SaveBuffer::with_capacity(1);
    assert!(buffer.as_bytes().is_empty());
    let error = SaveBuffer::new().into_snapshot().unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    for _ in 0..2 {
        buffer.clear();
        buffer.writer.raw(b"\x08\x01");
        buffer.close("type.test/a.B");
        assert_eq!(buffer.as_bytes(), snapshot().as_bytes());
    }
    assert_eq!(buffer.into_snapshot().unwrap(), snapshot());
}
