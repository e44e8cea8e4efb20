//! `oneof`: enums with data.

use std::time::Duration;

use snapshot_core::Snapshot;
use snapshot_core::codec::{from_bytes, to_bytes};
use snapshot_proto::fixture::v1 as pb;

use super::{assert_saved_as, assert_saved_as_but, encoded, refusal};

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Choice, ignore(interleaved))]
struct Choice {
    before: String,
    kind: Kind,
    between: u32,
    after: String,
    last: u32,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(oneof = pb::choice::Kind, ignore(Any, Message))]
enum Kind {
    Number(u8),
    Text(String),
    Sparse(Sparse),
    Nothing,
    Raw(Vec<u8>),
    Zigzag(i32),
    Fixed(u64),
    Flag(bool),
    Ratio(f64),
    Duration(Duration),
    Wrapped(String),
    #[snapshot(rename = Local)]
    Here(Local),
}

#[derive(Clone, Copy, Debug, PartialEq, Snapshot)]
#[snapshot(enumeration = pb::Sparse)]
enum Sparse {
    Zero,
    Seven = 7,
    Two = 2,
    TwoBytes = 128,
    Max = 2_147_483_647,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::choice::Local)]
struct Local {
    value: u32,
}

fn message(kind: pb::choice::Kind) -> pb::Choice {
    pb::Choice {
        before: "b".into(),
        between: 17,
        after: "a".into(),
        last: 21,
        kind: Some(kind),
        interleaved: None,
    }
}

/// The members that the enum omits.
const UNMAPPED: &[&str] = &["message", "any"];

fn state(kind: Kind) -> Choice {
    Choice { before: "b".into(), kind, between: 17, after: "a".into(), last: 21 }
}

#[test]
fn every_member_comes_back_as_its_variant() {
    use pb::choice::Kind as Member;
    for (kind, member) in [
        (Kind::Number(200), Member::Number(200)),
        (Kind::Text("t".into()), Member::Text("t".into())),
        (Kind::Sparse(Sparse::TwoBytes), Member::Sparse(128)),
        (Kind::Nothing, Member::Nothing(())),
        (Kind::Raw(vec![0]), Member::Raw(vec![0])),
        (Kind::Zigzag(-1), Member::Zigzag(-1)),
        (Kind::Fixed(u64::MAX), Member::Fixed(u64::MAX)),
        (Kind::Flag(true), Member::Flag(true)),
        (Kind::Ratio(0.5), Member::Ratio(0.5)),
        (
            Kind::Duration(Duration::from_millis(1)),
            Member::Duration(prost_types::Duration { seconds: 0, nanos: 1_000_000 }),
        ),
        (Kind::Wrapped("w".into()), Member::Wrapped("w".into())),
        (Kind::Here(Local { value: 1 }), Member::Local(pb::choice::Local { value: 1 })),
    ] {
        assert_saved_as_but(&state(kind), &message(member), UNMAPPED);
    }
}

#[test]
fn a_member_with_its_default_is_written() {
    use pb::choice::Kind as Member;
    for (kind, member) in [
        (Kind::Number(0), Member::Number(0)),
        (Kind::Text(String::new()), Member::Text(String::new())),
        (Kind::Sparse(Sparse::Zero), Member::Sparse(0)),
        (Kind::Flag(false), Member::Flag(false)),
        (Kind::Here(Local { value: 0 }), Member::Local(pb::choice::Local { value: 0 })),
    ] {
        assert_saved_as_but(&state(kind), &message(member), UNMAPPED);
    }
}

#[test]
fn a_oneof_that_is_absent_is_missing_unless_it_is_optional() {
    assert_eq!(refusal::<Choice>(&pb::Choice::default()), "kind: is missing");
}

#[test]
fn errors_name_the_member() {
    let error = refusal::<Choice>(&message(pb::choice::Kind::Number(300)));
    assert!(error.starts_with("number: "), "{error}");
    let error = refusal::<Choice>(&message(pb::choice::Kind::Sparse(3)));
    assert!(error.starts_with("sparse: 3 is not a value of Sparse, which has Zero (0), Seven (7)"));
    let error = refusal::<Choice>(&message(pb::choice::Kind::Any(Default::default())));
    assert_eq!(error, "any: is a member that this build does not map (byte 3 of 15)");
    let save = to_bytes(&state(Kind::Duration(Duration::MAX))).unwrap_err().to_string();
    assert!(save.starts_with("duration.seconds: "), "{save}");
}

#[test]
fn two_members_exclude_each_other() {
    let mut bytes = encoded(&message(pb::choice::Kind::Flag(true)));
    let length = bytes.len();
    let other = pb::Choice { kind: Some(pb::choice::Kind::Text("t".into())), ..Default::default() };
    bytes.extend(encoded(&other));
    let error = from_bytes::<Choice>(&bytes).unwrap_err().to_string();
    let total = bytes.len();
    assert_eq!(
        error,
        format!(
            "text: cannot be set together with flag, which is already set (byte {length} of \
             {total})"
        )
    );
    bytes.truncate(length);
    bytes.extend(encoded(&pb::Choice {
        kind: Some(pb::choice::Kind::Flag(false)),
        ..Default::default()
    }));
    let error = from_bytes::<Choice>(&bytes).unwrap_err().to_string();
    assert!(error.starts_with("flag: occurs twice"), "{error}");
}

#[test]
fn a_member_with_another_wire_type_is_refused() {
    // Field 2, `number`, as text.
    let error = from_bytes::<Choice>(&[0x12, 0x00]).unwrap_err().to_string();
    assert!(
        error.starts_with("number: has wire type length-delimited, expected varint"),
        "{error}"
    );
}

/// All members are `google.protobuf.Empty`: an enum without data.
#[derive(Clone, Copy, Debug, PartialEq, Snapshot)]
#[snapshot(oneof = pb::signal::Signal)]
enum Signal {
    Start,
    Stop,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Signal)]
struct Signals {
    signal: Option<Signal>,
}

#[test]
fn variants_without_data_are_empty_messages() {
    for (signal, member) in [
        (None, None),
        (Some(Signal::Start), Some(pb::signal::Signal::Start(()))),
        (Some(Signal::Stop), Some(pb::signal::Signal::Stop(()))),
    ] {
        assert_saved_as(&Signals { signal }, &pb::Signal { signal: member });
    }
    // An `Empty` with a field.
    let error = from_bytes::<Signals>(&[0x0a, 2, 8, 1]).unwrap_err().to_string();
    assert!(error.starts_with("start: "), "{error}");
}
