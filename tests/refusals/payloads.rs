//! Payloads in an `Any`: their errors name the controller, and the version is checked first.

use snapshot_core::Code;
use snapshot_core::codec::from_bytes;

use super::states::{Choice, Counter, Group, field, refusal};

const URL: &[u8] = b"type.googleapis.com/fixture.v1.CounterSnapshot";

/// An `Any` of a counter with these bytes.
fn any(value: &[u8]) -> Vec<u8> {
    [field(1, URL), field(2, value)].concat()
}

/// A counter's bytes in every kind of field that can hold an `Any`: the whole, the id of the
/// counter, and where its bytes begin.
fn counters(value: &[u8]) -> [(Vec<u8>, &'static str, usize); 3] {
    let any = any(value);
    let group = |fields: &[Vec<u8>]| [vec![0x08, 0x01], fields.concat()].concat();
    let good = self::any(b"\x08\x02");
    [
        (group(&[field(5, &any)]), "leader"),
        (group(&[field(3, &good), field(3, &any)]), "members/1"),
        (group(&[field(4, &[field(1, b"a/b"), field(2, &any)].concat())]), "named/a%2Fb"),
    ]
    .map(|(bytes, id)| {
        let at = bytes.len() - value.len();
        (bytes, id, at)
    })
}

/// Asserts the same reason for every place of the payload, with the respective path.
#[track_caller]
fn assert_refused(value: &[u8], path: &str, reason: &str, byte: usize) {
    let top = refusal::<Counter>(value);
    let dot = if path.is_empty() { "" } else { "." };
    let colon = if path.is_empty() { "" } else { ": " };
    assert_eq!(top, format!("{path}{colon}{reason} (byte {byte} of {})", value.len()));
    for (bytes, id, at) in counters(value) {
        let (byte, total) = (at + byte, bytes.len());
        let expected = format!(
            "{id}: fixture.v1.CounterSnapshot{dot}{path}: {reason} (byte {byte} of {total})"
        );
        assert_eq!(refusal::<Group>(&bytes), expected);
    }
    let choice = field(12, &any(value));
    let (byte, total) = (choice.len() - value.len() + byte, choice.len());
    let expected =
        format!("any: fixture.v1.CounterSnapshot{dot}{path}: {reason} (byte {byte} of {total})");
    assert_eq!(refusal::<Choice>(&choice), expected);
}

#[test]
fn every_row_is_refused_in_a_payload() {
    let unknown = "unknown field 9 (varint) in fixture.v1.CounterSnapshot";
    assert_refused(b"\x08\x02\x48\x01", "", unknown, 2);
    let wire_type = "has wire type 32-bit, expected varint";
    assert_refused(b"\x08\x02\x15\0\0\0\0", "value", wire_type, 2);
    assert_refused(b"\x08\x02\x10\x01\x10\x01", "value", "occurs twice", 4);
    assert_refused(b"\x08\x02\x08\x02", "schema_version", "occurs twice", 2);
    let stage = "7 is not a value of Stage, which has Idle (0), Counting (1), Done (2)";
    assert_refused(b"\x08\x02\x20\x07", "stage", stage, 2);
    assert_refused(b"\x08\x02\x1a\x02a\xff", "label", "is not valid UTF-8", 5);
    let range = "65536 does not fit in u16, which holds 0 to 65535";
    assert_refused(b"\x08\x02\x10\x80\x80\x04", "value", range, 2);
    let long = "varint is longer than it needs to be";
    assert_refused(b"\x08\x02\x10\x80\x00", "value", long, 3);
    assert_refused(b"\x08\x02\x90\x00\x01", "", long, 2);
    assert_refused(b"\x08\x02\x1a\x80\x00", "label", long, 3);
    assert_refused(b"\x08\x02\x13\x14", "", "groups are not supported", 2);
    assert_refused(b"\x08\x02\x1a\x05abc", "label", "needs 5 bytes, but has 3 left", 4);
    assert_refused(b"\x08\x02\x1a", "label", "ends within a varint", 3);
}

#[test]
fn a_foreign_version_is_reported_before_anything_else() {
    let foreign = "schema version 7, but this build reads version 2";
    // After the version: an unknown field, a wrong wire type, a stage of another build, a group.
    assert_refused(b"\x08\x07\x48\x01\x12\0\x20\x63\x0b\x0c", "schema_version", foreign, 1);
    // Before the version, because fields can have any order.
    assert_refused(b"\x48\x01\x12\0\x20\x63\x08\x07\x0b\x0c", "schema_version", foreign, 7);
    // An unreasonable number.
    let large = "schema version 18446744073709551615, but this build reads version 2";
    let bytes = b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x48\x01";
    assert_refused(bytes, "schema_version", large, 1);

    let error = from_bytes::<Counter>(b"\x08\x07").unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
}

#[test]
fn a_missing_version_is_reported_before_anything_else() {
    let missing = "has no schema version, but this build reads version 2";
    assert_refused(b"\x48\x01\x20\x63", "schema_version", missing, 0);
    // An explicit default.
    let zero = refusal::<Counter>(b"\x08\0\x48\x01");
    assert_eq!(zero, format!("schema_version: {missing} (byte 1 of 4)"));
    assert_eq!(refusal::<Counter>(b""), format!("schema_version: {missing} (byte 0 of 0)"));
}

#[test]
fn damage_before_the_version_is_reported_as_damage() {
    // The position of the version is unknown.
    assert_refused(b"\x0b\x0c\x08\x07", "", "groups are not supported", 0);
    assert_refused(b"\x0b", "", "groups are not supported", 0);
    assert_refused(b"\x1a\x7fabc\x08\x07", "label", "needs 127 bytes, but has 5 left", 2);
    assert_refused(b"\x08", "schema_version", "ends within a varint", 1);
    let wire_type = "has wire type length-delimited, expected varint";
    assert_refused(b"\x0a\x01\x02", "schema_version", wire_type, 0);
}

#[test]
fn the_versions_of_all_payloads_are_reported_together() {
    let bytes = [
        vec![0x08, 0x01],
        field(3, &any(b"\x08\x07")),
        field(3, &any(b"\x08\x02")),
        field(3, &any(b"")),
        field(5, &any(b"\x08\x01\x48\x01")),
    ]
    .concat();
    let total = bytes.len();
    let version = "fixture.v1.CounterSnapshot.schema_version";
    assert_eq!(
        refusal::<Group>(&bytes),
        format!(
            "members/0: {version}: schema version 7, but this build reads version 2 (byte 55 of \
             {total})\n\
             members/2: {version}: has no schema version, but this build reads version 2 (byte 162 \
             of {total})\n\
             leader: {version}: schema version 1, but this build reads version 2 (byte 215 of \
             {total})"
        )
    );
}

#[test]
fn an_any_is_read_strictly() {
    let refusal = |any: &[u8]| refusal::<Group>(&[vec![0x08, 0x01], field(5, any)].concat());
    let expected = "expected \"type.googleapis.com/fixture.v1.CounterSnapshot\"";
    assert_eq!(refusal(b""), format!("leader: has no type URL, {expected} (byte 2 of 4)"));
    // Other readers only compare the text after the last slash; this one compares the whole text.
    assert_eq!(
        refusal(&[field(1, b"x/fixture.v1.CounterSnapshot"), field(2, b"\x08\x02")].concat()),
        format!("leader: has type URL \"x/fixture.v1.CounterSnapshot\", {expected} (byte 2 of 38)")
    );
    assert_eq!(
        refusal(&[any(b"\x08\x02"), vec![0x18, 1]].concat()),
        "leader: google.protobuf.Any has no field 3 (byte 57 of 58)"
    );
    assert_eq!(
        refusal(&[any(b"\x08\x02"), field(2, b"")].concat()),
        "leader.value: occurs twice (byte 57 of 58)"
    );
    assert_eq!(
        refusal(&[field(1, URL), any(b"")].concat()),
        "leader.type_url: occurs twice (byte 53 of 102)"
    );
    assert_eq!(
        refusal(b"\x08\x01"),
        "leader.type_url: has wire type varint, expected length-delimited (byte 5 of 6)"
    );
    assert_eq!(refusal(b"\x0a\x01\xff"), "leader.type_url: is not valid UTF-8 (byte 6 of 7)");
    assert_eq!(refusal(b"\x12\x03a"), "leader.value: needs 3 bytes, but has 1 left (byte 6 of 7)");
    assert_eq!(refusal(b"\x0b\x0c"), "leader: groups are not supported (byte 4 of 6)");
}

#[test]
fn the_value_of_an_any_can_come_before_its_type_url() {
    let any = [field(2, b"\x08\x02\x10\x07"), field(1, URL)].concat();
    let bytes = [vec![0x08, 0x01], field(5, &any)].concat();
    let group: Group = from_bytes(&bytes).unwrap();
    assert_eq!(group.leader.map(|leader| leader.value), Some(7));
}
