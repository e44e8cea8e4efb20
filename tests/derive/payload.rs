//! The effects of a version: `Payload`, the place in an `Any`, the registration, names in errors.

use std::ops::DerefMut;
use std::sync::{Mutex, PoisonError};

use snapshot_core::codec::{from_bytes, to_bytes};
use snapshot_core::testing::contract;
use snapshot_core::{Child, Code, Controller, Error, Payload, Snapshot, registry};
use snapshot_proto::fixture::v1 as pb;

use super::{assert_saved_as, encoded, findings, refusal};

/// A controller of any state.
struct Locked<S>(Mutex<S>);

impl<S: Payload> Controller for Locked<S> {
    type State = S;

    fn state(&self) -> impl DerefMut<Target = S> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: S) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

type Counter = Locked<CounterState>;
type Group = Locked<GroupState>;

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(
    message = pb::CounterSnapshot, version = 2, controller = Counter, validate = small, ignore(stage)
)]
struct CounterState {
    #[snapshot(range = ..100)]
    value: u64,
    #[snapshot(id)]
    label: String,
}

fn small(state: &CounterState) -> Result<(), Error> {
    match state.value {
        99 => Err(Error::new(Code::FailedPrecondition, "99 is too near").in_field("value")),
        _ => Ok(()),
    }
}

#[derive(Debug, Snapshot)]
#[snapshot(message = pb::GroupSnapshot, version = 1, controller = Group, after(Counter))]
struct GroupState {
    name: String,
    members: Vec<Child<Counter>>,
    named: std::collections::BTreeMap<String, Child<dyn Controller>>,
    leader: Option<Child<Counter>>,
}

fn counter(value: u64, label: &str) -> pb::CounterSnapshot {
    pb::CounterSnapshot { schema_version: 2, value, label: label.into(), stage: 0 }
}

fn any(message: &impl prost::Name) -> prost_types::Any {
    prost_types::Any::from_msg(message).unwrap()
}

#[test]
fn a_payload_carries_its_version() {
    let state = CounterState { value: 3, label: "x".into() };
    assert_saved_as(&state, &counter(3, "x"));
    assert_eq!(CounterState::TYPE_URL, "type.googleapis.com/fixture.v1.CounterSnapshot");
    assert_eq!(CounterState::MESSAGE_NAME, "fixture.v1.CounterSnapshot");
    assert_eq!((CounterState::VERSION, CounterState::VERSION_FIELD), (2, 1));
    assert_eq!(state.own_name().as_deref(), Some("x"));
    assert_eq!((state.stage_number(), CounterState::STAGE_RULES), (None, None));
    assert!(CounterState { ..state }.set_stage_number(0).is_err());
    assert_eq!(CounterState::AFTER.len(), 0);
    assert_eq!(GroupState::AFTER.len(), 1);
    assert_eq!(GroupState::AFTER[0].id(), std::any::TypeId::of::<Counter>());
}

#[test]
fn a_foreign_version_is_the_only_reported_error() {
    let foreign = pb::CounterSnapshot { schema_version: 7, value: 1000, ..counter(0, "x") };
    let error = from_bytes::<CounterState>(&encoded(&foreign)).unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    assert_eq!(
        findings(&error),
        ["schema_version: schema version 7, but this build reads version 2 (byte 1 of 8)"]
    );
    let mut late = encoded(&pb::CounterSnapshot { schema_version: 0, ..counter(1000, "") });
    // Unknown fields before the version do not hide it.
    late.extend([0x78, 1, 0x08, 9]);
    let error = from_bytes::<CounterState>(&late).unwrap_err();
    assert_eq!(error.findings().count(), 1, "{error}");
    assert_eq!(error.code(), Code::Unimplemented);
}

#[test]
fn a_missing_or_duplicate_version_is_refused() {
    let error = from_bytes::<CounterState>(&encoded(&pb::CounterSnapshot::default())).unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    assert!(error.to_string().contains("has no schema version"), "{error}");
    let error = from_bytes::<CounterState>(&[8, 2, 8, 2]).unwrap_err();
    assert!(error.to_string().starts_with("schema_version: occurs twice"), "{error}");
}

#[test]
fn a_controller_is_registered_with_its_state() {
    let registry = registry::registry().unwrap();
    let info = registry.get(CounterState::TYPE_URL).unwrap().info();
    assert_eq!(info.controller.id(), std::any::TypeId::of::<Counter>());
    assert_eq!((info.version, info.message_name), (2, "fixture.v1.CounterSnapshot"));
    registry::require![Counter, Group].unwrap();
}

fn group() -> pb::GroupSnapshot {
    pb::GroupSnapshot {
        schema_version: 1,
        name: "g".into(),
        members: vec![any(&counter(1, "one")), any(&counter(2, "two"))],
        named: [("n".into(), any(&counter(3, "three")))].into(),
        leader: Some(any(&counter(4, "four"))),
    }
}

#[test]
fn children_are_saved_in_place() {
    let state: GroupState = from_bytes(&encoded(&group())).unwrap();
    let values: Vec<_> =
        state.members.iter().map(|child| child.with_state(|state| state.value)).collect();
    assert_eq!(values, [Some(1), Some(2)]);
    assert_eq!(to_bytes(&state).unwrap(), encoded(&group()));
    contract([state]);
}

#[test]
fn errors_use_the_own_name_of_a_child() {
    let mut broken = group();
    broken.members[1] = any(&counter(100, "two"));
    broken.named.insert("n".into(), any(&counter(99, "three")));
    broken.leader = Some(any(&pb::CounterSnapshot { schema_version: 3, ..counter(4, "four") }));
    let error = from_bytes::<GroupState>(&encoded(&broken)).unwrap_err();
    let texts = findings(&error);
    assert_eq!(texts.len(), 3, "{error}");
    let expected = [
        "members/two: fixture.v1.CounterSnapshot.value: is 100, which is not in ..100",
        "named/three: fixture.v1.CounterSnapshot.value: 99 is too near",
        "leader: fixture.v1.CounterSnapshot.schema_version: schema version 3, but this build reads \
         version 2",
    ];
    for (text, expected) in texts.iter().zip(expected) {
        assert!(text.starts_with(expected), "{text}");
    }
    let codes: Vec<_> = error.findings().map(|finding| finding.code()).collect();
    assert_eq!(codes, [Code::InvalidArgument, Code::FailedPrecondition, Code::Unimplemented]);
}

#[test]
fn an_error_before_the_name_is_read_is_placed_by_index() {
    let mut broken = group();
    // The value has the wrong wire type, and the label is missing.
    broken.members[0].value = vec![8, 2, 0x12, 0];
    let error = refusal::<GroupState>(&broken);
    assert!(error.starts_with("members/0: fixture.v1.CounterSnapshot.value: has wire"), "{error}");
}

#[test]
fn a_child_of_another_type_is_refused() {
    let mut broken = group();
    broken.leader = Some(any(&group()));
    let error = refusal::<GroupState>(&broken);
    assert!(
        error.starts_with(
            "leader: has type URL \"type.googleapis.com/fixture.v1.GroupSnapshot\", expected \
             \"type.googleapis.com/fixture.v1.CounterSnapshot\""
        ),
        "{error}"
    );
}

/// prost has no constant for the `type_url` of a nested message or of a custom domain.
#[derive(Debug, Snapshot)]
#[snapshot(
    message = pb::CounterSnapshot,
    version = 1,
    type_url = "example.com/fixture.v1.Outer.Counter",
    ignore(value, label, stage)
)]
struct Elsewhere {}

#[test]
fn a_custom_type_url_also_determines_the_name_of_the_message() {
    assert_eq!(Elsewhere::TYPE_URL, "example.com/fixture.v1.Outer.Counter");
    assert_eq!(Elsewhere::MESSAGE_NAME, "fixture.v1.Outer.Counter");
    assert_eq!(Elsewhere {}.own_name(), None);
    contract([Elsewhere {}]);
}
