//! Fields are written in the order of their numbers, in any order of declaration.

use snapshot_core::Snapshot;
use snapshot_core::codec::{from_bytes, to_bytes};
use snapshot_proto::fixture::v1 as pb;

use super::{assert_saved_as, encoded};

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Gaps)]
struct Misordered {
    three_bytes_first: u32,
    one_byte_last: u32,
    five_bytes_last: String,
    one_byte_first: u32,
    two_bytes_last: u32,
    two_bytes_first: u32,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Gaps)]
struct Ordered {
    one_byte_first: u32,
    one_byte_last: u32,
    two_bytes_first: u32,
    two_bytes_last: u32,
    three_bytes_first: u32,
    five_bytes_last: String,
}

fn message() -> pb::Gaps {
    pb::Gaps {
        three_bytes_first: 6,
        one_byte_last: 5,
        five_bytes_last: "last".into(),
        one_byte_first: 1,
        two_bytes_last: 300,
        two_bytes_first: 2,
    }
}

#[test]
fn misordered_fields_are_written_in_the_order_of_their_numbers() {
    let state = Misordered::try_from(message()).unwrap();
    assert_eq!(state.two_bytes_last, 300);
    assert_saved_as(&state, &message());
}

#[test]
fn both_declared_orders_have_one_encoding() {
    let ordered = Ordered::try_from(message()).unwrap();
    assert_saved_as(&ordered, &message());
    let misordered = Misordered::try_from(message()).unwrap();
    assert_eq!(to_bytes(&ordered).unwrap(), to_bytes(&misordered).unwrap());
}

#[test]
fn fields_at_their_default_are_also_omitted_from_a_misordered_struct() {
    let sparse = pb::Gaps { one_byte_last: 7, ..pb::Gaps::default() };
    assert_saved_as(&Misordered::try_from(sparse.clone()).unwrap(), &sparse);
    let nothing = pb::Gaps::default();
    assert_saved_as(&Misordered::try_from(nothing.clone()).unwrap(), &nothing);
}

/// Misordered fields inside misordered fields, with a oneof between them by number.
#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Choice, ignore(kind))]
struct Choice {
    last: u32,
    interleaved: Option<Interleaved>,
    after: String,
    between: u32,
    before: String,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(oneof = pb::choice::Interleaved)]
enum Interleaved {
    Low(u32),
    Middle(String),
    High(bool),
}

#[test]
fn a_oneof_is_written_where_its_member_belongs() {
    for member in [
        None,
        Some(pb::choice::Interleaved::Low(0)),
        Some(pb::choice::Interleaved::Middle("m".into())),
        Some(pb::choice::Interleaved::High(true)),
    ] {
        let message = pb::Choice {
            before: "b".into(),
            between: 17,
            after: "a".into(),
            last: 21,
            kind: None,
            interleaved: member,
        };
        let state = Choice::try_from(message.clone()).unwrap();
        let bytes = to_bytes(&state).unwrap();
        assert_eq!(from_bytes::<Choice>(&bytes).unwrap(), state);
        let numbers = numbers(&bytes);
        assert!(numbers.is_sorted(), "{numbers:?}");
        // prost writes a oneof at its first number, so only the content is the same.
        let again: pb::Choice = prost::Message::decode(bytes.as_slice()).unwrap();
        assert_eq!(again, message);
        assert_eq!(encoded(&again).len(), bytes.len());
        snapshot_core::testing::contract([state]);
    }
}

/// The field numbers of a message, in the order of the bytes.
fn numbers(mut bytes: &[u8]) -> Vec<u32> {
    use prost::encoding::{DecodeContext, decode_key, skip_field};
    let mut numbers = Vec::new();
    while !bytes.is_empty() {
        let (number, wire_type) = decode_key(&mut bytes).unwrap();
        skip_field(wire_type, number, &mut bytes, DecodeContext::default()).unwrap();
        numbers.push(number);
    }
    numbers
}

#[test]
fn fields_are_read_in_any_order() {
    let mut bytes = Vec::new();
    for part in [
        pb::Gaps { five_bytes_last: "x".into(), ..Default::default() },
        pb::Gaps { one_byte_first: 1, ..Default::default() },
        pb::Gaps { two_bytes_first: 9, ..Default::default() },
    ] {
        bytes.extend(encoded(&part));
    }
    let state: Ordered = from_bytes(&bytes).unwrap();
    assert_eq!((state.one_byte_first, state.two_bytes_first), (1, 9));
    assert_eq!(state.five_bytes_last, "x");
}
