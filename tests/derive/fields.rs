//! `field`, `skip`, `ignore`, `with`, and names that Rust reserves.

use std::collections::BTreeMap;
use std::time::Duration;

use snapshot_core::codec::{self, from_bytes, to_bytes};
use snapshot_core::{Error, Snapshot};
use snapshot_proto::fixture::v1 as pb;
use snapshot_proto::lcow::v1 as lcow;

use super::{assert_saved_as, encoded, refusal};

fn seven() -> u8 {
    7
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = lcow::scsi_snapshot::Reservation)]
struct Skips {
    #[snapshot(skip)]
    handle: Option<u8>,
    #[snapshot(field = slot)]
    place: u16,
    #[snapshot(skip = seven())]
    count: u8,
    #[snapshot(field = partition)]
    part: u64,
    #[snapshot(skip = std::collections::HashMap::<u8, u8>::from([(1, 2)]))]
    table: std::collections::HashMap<u8, u8>,
}

#[test]
fn a_skipped_field_comes_back_as_its_default_or_its_expression() {
    let table = [(9, 9)].into();
    let state = Skips { handle: Some(1), place: 300, count: 1, part: 9, table };
    let bytes = to_bytes(&state).unwrap();
    assert_eq!(bytes, encoded(&lcow::scsi_snapshot::Reservation { slot: 300, partition: 9 }));
    let table = [(1, 2)].into();
    let restored = Skips { handle: None, place: 300, count: 7, part: 9, table };
    assert_eq!(from_bytes::<Skips>(&bytes).unwrap(), restored);
    snapshot_core::testing::contract([restored]);
}

#[test]
fn a_renamed_field_is_named_as_in_the_proto_file() {
    let error = refusal::<Skips>(&lcow::scsi_snapshot::Reservation { slot: 70_000, partition: 0 });
    assert!(error.starts_with("slot: "), "{error}");
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Choice, discard(kind, interleaved, after, last))]
struct Discards {
    before: String,
    between: u32,
}

#[test]
fn a_discarded_field_is_not_written_and_passed_over_when_read() {
    let full = pb::Choice {
        before: "b".into(),
        between: 2,
        after: "lost on purpose".into(),
        last: 3,
        kind: Some(pb::choice::Kind::Message(pb::Scalars { int32: 3, ..Default::default() })),
        interleaved: Some(pb::choice::Interleaved::High(true)),
    };
    let state: Discards = from_bytes(&encoded(&full)).unwrap();
    let mapped = pb::Choice { before: "b".into(), between: 2, ..Default::default() };
    assert_saved_as(&state, &mapped);
}

#[test]
fn a_discarded_field_must_still_be_well_formed() {
    let mut bytes = encoded(&pb::Choice { last: 3, ..Default::default() });
    bytes.pop();
    let error = from_bytes::<Discards>(&bytes).unwrap_err().to_string();
    assert!(error.contains("ends within a varint"), "{error}");
}

#[test]
fn an_unknown_field_is_refused_by_number_wire_type_and_message() {
    let mut bytes = encoded(&pb::Choice { between: 3, ..Default::default() });
    // Field 99, fixed64.
    bytes.extend([0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8]);
    let error = from_bytes::<Discards>(&bytes).unwrap_err().to_string();
    assert_eq!(error, "unknown field 99 (64-bit) in fixture.v1.Choice (byte 3 of 13)");
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Keywords)]
struct Keywords {
    r#type: String,
    #[snapshot(field = match)]
    matched: u32,
    #[snapshot(field = self)]
    this: bool,
    #[snapshot(field = crate)]
    krate: bool,
    r#async: String,
    #[snapshot(field = r#gen)]
    generation: String,
    camel_case: u32,
    ipv4_2nd: u32,
    kind: Option<Kind>,
    r#fn: Option<Fn>,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::keywords::Type)]
struct Kind {
    r#enum: Enum,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(enumeration = pb::keywords::r#type::Enum)]
enum Enum {
    None,
    #[snapshot(rename = Self)]
    Own,
    Match,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(oneof = pb::keywords::Fn)]
enum Fn {
    Where(u32),
    Loop(String),
}

#[test]
fn keywords_are_names_like_any_other() {
    let message = pb::Keywords {
        r#type: "t".into(),
        r#match: 1,
        self_: true,
        crate_: true,
        r#async: "a".into(),
        r#gen: "g".into(),
        camel_case: 2,
        ipv4_2nd: 3,
        kind: Some(pb::keywords::Type { r#enum: pb::keywords::r#type::Enum::Self_.into() }),
        r#fn: Some(pb::keywords::Fn::Loop("l".into())),
    };
    let state = Keywords::try_from(message.clone()).unwrap();
    assert!(state.this && state.krate);
    assert_eq!(state.kind, Some(Kind { r#enum: Enum::Own }));
    assert_saved_as(&state, &message);
}

#[test]
fn errors_name_fields_without_the_prefix_of_rust() {
    // `type` and `self` with the wire type of the other.
    let error = from_bytes::<Keywords>(&[0x08, 1, 0x1a, 0]).unwrap_err();
    assert_eq!(
        super::findings(&error),
        [
            "type: has wire type varint, expected length-delimited (byte 0 of 4)",
            "self: has wire type length-delimited, expected varint (byte 2 of 4)",
        ]
    );
}

/// An adapter as a user writes it: the bits of an IPv4 address as text.
mod hexadecimal {
    pub(super) fn to_wire(value: &u32) -> Result<String, String> {
        match *value {
            u32::MAX => Err(format!("{value} is reserved")),
            value => Ok(format!("{value:x}")),
        }
    }

    pub(super) fn from_wire(text: String) -> Result<u32, std::num::ParseIntError> {
        u32::from_str_radix(&text, 16)
    }
}

/// An adapter that returns the errors of the library.
mod halved {
    use snapshot_core::{Code, Error};

    pub(super) fn to_wire(value: &u32) -> Result<u32, Error> {
        match value % 2 {
            0 => Ok(value / 2),
            _ => Err(Error::new(Code::FailedPrecondition, "is odd")),
        }
    }

    pub(super) fn from_wire(half: u32) -> Result<u32, Error> {
        half.checked_mul(2).ok_or_else(|| Error::new(Code::FailedPrecondition, "is too much"))
    }
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Choice, ignore(kind, interleaved, last))]
struct Adapted {
    #[snapshot(with = hexadecimal, range = 1..)]
    before: u32,
    #[snapshot(with = halved)]
    between: u32,
    #[snapshot(with = codec::display)]
    after: std::num::NonZeroI8,
}

fn adapted(before: &str, between: u32, after: &str) -> pb::Choice {
    pb::Choice { before: before.into(), between, after: after.into(), ..Default::default() }
}

#[test]
fn an_adapter_converts_in_both_directions() {
    let state = Adapted { before: 0xff, between: 6, after: std::num::NonZeroI8::MIN };
    assert_saved_as(&state, &adapted("ff", 3, "-128"));
}

#[test]
fn a_refusal_by_an_adapter_is_reported_with_the_field() {
    let error = from_bytes::<Adapted>(&encoded(&adapted("zz", u32::MAX, "0"))).unwrap_err();
    let texts = super::findings(&error);
    assert_eq!(texts[0], "before: invalid digit found in string (byte 0 of 15)");
    assert_eq!(texts[1], "between: is too much (byte 4 of 15)");
    assert!(texts[2].starts_with("after: "), "{}", texts[2]);
    assert_eq!(texts.len(), 3);
    let codes: Vec<_> = error.findings().map(|finding| finding.code().as_str()).collect();
    assert_eq!(codes, ["INVALID_ARGUMENT", "FAILED_PRECONDITION", "INVALID_ARGUMENT"]);

    let save = |before, between| -> Error {
        to_bytes(&Adapted { before, between, after: std::num::NonZeroI8::MIN }).unwrap_err()
    };
    assert_eq!(save(u32::MAX, 0).to_string(), "before: 4294967295 is reserved");
    assert_eq!(save(1, 7).to_string(), "between: is odd");
    assert_eq!(save(0, 0).to_string(), "before: is 0, which is not in 1..");
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = lcow::scsi_snapshot::Reservation)]
struct Times {
    #[snapshot(skip)]
    slot: u8,
    #[snapshot(field = slot, range = 1..=5)]
    seconds: u8,
    #[snapshot(with = codec::millis, range = Duration::ZERO..Duration::from_secs(60))]
    partition: Duration,
}

#[test]
fn an_adapter_of_the_crate_and_a_range_of_the_rust_type() {
    let state = Times { slot: 0, seconds: 2, partition: Duration::from_millis(1500) };
    assert_saved_as(&state, &lcow::scsi_snapshot::Reservation { slot: 2, partition: 1500 });
    let error = refusal::<Times>(&lcow::scsi_snapshot::Reservation { slot: 9, partition: 60_000 });
    assert_eq!(
        error,
        "slot: is 9, which is not in 1..=5 (byte 0 of 6)\n\
         partition: is 60s, which is not in Duration::ZERO..Duration::from_secs(60) (byte 2 of 6)"
    );
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = lcow::ScsiSnapshot, ignore(schema_version, num_controllers, disks))]
struct Holders {
    reservations: BTreeMap<String, Times>,
}

#[test]
fn a_check_of_a_read_value_fails_at_the_byte_of_its_field() {
    let wrong_slot = |bytes: &[u8]| from_bytes::<Times>(bytes).unwrap_err().to_string();
    // At another position than in the canonical encoding.
    assert_eq!(wrong_slot(&[0x10, 5, 0x08, 9]), "slot: is 9, which is not in 1..=5 (byte 2 of 4)");
    // A missing value has no position.
    assert_eq!(wrong_slot(&[0x10, 5]), "slot: is 0, which is not in 1..=5");
    // In another message, after other fields.
    let right = lcow::scsi_snapshot::Reservation { slot: 1, partition: 5 };
    let wrong = lcow::scsi_snapshot::Reservation { slot: 1, partition: 60_000 };
    let reservations = [("a", right), ("b", wrong)].map(|(id, held)| (id.to_owned(), held));
    let message = lcow::ScsiSnapshot { reservations: reservations.into(), ..Default::default() };
    let at = encoded(&message).len() - 4;
    let error = refusal::<Holders>(&message);
    assert!(
        error.starts_with("reservations[\"b\"].partition: is 60s, which is not in ")
            && error.ends_with(&format!("(byte {at} of {})", at + 4)),
        "{error}"
    );
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Blank)]
struct Blank {}

#[test]
fn a_message_without_fields_is_a_struct_without_fields() {
    assert_saved_as(&Blank {}, &pb::Blank {});
    let error = from_bytes::<Blank>(&[8, 0]).unwrap_err().to_string();
    assert_eq!(error, "unknown field 1 (varint) in fixture.v1.Blank (byte 0 of 2)");
}

/// Generic types with the bounds of the user.
#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = lcow::scsi_snapshot::Reservation)]
struct Generic<Slot, const MAX: usize>
where
    Slot: codec::Single + codec::Wire<snapshot_core::schema::kind::Uint32>,
{
    slot: Slot,
    partition: u64,
    #[snapshot(skip = [0; MAX])]
    cache: [u8; MAX],
    #[snapshot(skip)]
    marker: std::marker::PhantomData<Slot>,
}

#[test]
fn a_struct_can_be_generic() {
    let state =
        Generic::<u8, 3> { slot: 5, partition: 6, cache: [0; 3], marker: Default::default() };
    assert_saved_as(&state, &lcow::scsi_snapshot::Reservation { slot: 5, partition: 6 });
}

/// A recursive message.
#[derive(Debug, Default, PartialEq, Snapshot)]
#[snapshot(message = pb::recursive::Node)]
struct Node {
    name: String,
    next: Option<Box<Node>>,
    children: Vec<Node>,
    by_name: BTreeMap<String, Node>,
    link: Option<Link>,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(oneof = pb::recursive::node::Link)]
enum Link {
    Left(Box<Node>),
    Right(Box<Node>),
    Detour(Detour),
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::recursive::Detour)]
struct Detour {
    node: Option<Box<Node>>,
    length: u32,
}

#[test]
fn a_message_can_contain_itself() {
    let named = |name: &str| Node { name: name.into(), ..Node::default() };
    let state = Node {
        name: "root".into(),
        next: Some(Box::new(named("next"))),
        children: vec![named("a"), Node::default()],
        by_name: [("key".into(), named("value"))].into(),
        link: Some(Link::Detour(Detour { node: Some(Box::new(named("far"))), length: 3 })),
    };
    let message = pb::recursive::Node::from(&state);
    assert_saved_as(&state, &message);
    assert_eq!(message.children[0].name, "a");
}
