//! The registry of a program: the registrations of the derive and of `register!`, the lookup by type
//! URL, and the errors of contradictions.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ops::DerefMut;
use std::sync::{Mutex, MutexGuard, PoisonError};

use snapshot_core::codec::{from_bytes, to_bytes};
use snapshot_core::registry::{Registration, Registry, TypeInfo, registry, require};
use snapshot_core::testing::contract;
use snapshot_core::{Child, Code, Controller, Error, Payload, Snapshot};
use snapshot_proto::fixture::v1 as pb;
use snapshot_proto::lcow::v1 as lcow;

/// A controller around a state, without hooks.
macro_rules! controllers {
    ($($controller:ident: $state:ident;)*) => {$(
        #[derive(Debug)]
        struct $controller(Mutex<$state>);

        impl Controller for $controller {
            type State = $state;

            fn state(&self) -> impl DerefMut<Target = $state> + '_ {
                lock(&self.0)
            }

            fn import(state: $state) -> Result<Self, Error> {
                Ok(Self(Mutex::new(state)))
            }
        }
    )*};
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

controllers! {
    Counter: CounterState;
    OtherCounter: OtherCounterState;
    AliasCounter: AliasCounterState;
    MisnamedPlan9: MisnamedPlan9State;
    Group: GroupState;
    Dependent: DependentState;
}

/// A controller that the derive registers.
#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, controller = Counter, ignore(label, stage))]
struct CounterState {
    value: u64,
}

/// A controller that `register!` registers.
#[derive(Debug, Snapshot)]
#[snapshot(message = pb::GroupSnapshot, version = 2, ignore(name, named))]
struct GroupState {
    members: Vec<Child<dyn Controller>>,
    leader: Option<Child<Counter>>,
}

snapshot_core::register!(Group);

/// A controller that claims the same message and is not registered in this program.
#[derive(Debug, Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, ignore(label, stage))]
struct OtherCounterState {
    value: u64,
}

/// A state with the same message under another type URL.
#[derive(Debug, Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, ignore(label, stage))]
#[snapshot(type_url = "example.com/fixture.v1.CounterSnapshot")]
struct AliasCounterState {
    value: u64,
}

/// A message with another type URL in prost.
#[derive(Debug, Snapshot)]
#[snapshot(message = lcow::Plan9Snapshot, version = 1, type_url = "example.com/lcow.v1.Plan9Snapshot")]
#[snapshot(ignore(no_writable_file_shares, name_counter, shares, reservations))]
struct MisnamedPlan9State {}

#[derive(Debug, Snapshot)]
#[snapshot(message = lcow::VpciSnapshot, version = 1, after(OtherCounter, Counter))]
#[snapshot(ignore(devices))]
struct DependentState {}

const COUNTER: &str = "type.googleapis.com/fixture.v1.CounterSnapshot";
const GROUP: &str = "type.googleapis.com/fixture.v1.GroupSnapshot";

fn lines(result: Result<impl std::fmt::Debug, Error>) -> Vec<String> {
    let error = result.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    error.findings().map(ToString::to_string).collect()
}

/// Removes the paths of this file's types from a text.
fn short(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| line.replace(concat!(module_path!(), "::"), "")).collect()
}

#[test]
fn types_that_the_derive_or_the_macro_registers_are_found_by_type_url() {
    let registry = registry().unwrap();
    let counter = registry.get(COUNTER).unwrap();
    assert_eq!(counter.info().controller.id(), std::any::TypeId::of::<Counter>());
    assert_eq!(
        (counter.info().version, counter.info().message_name),
        (1, CounterState::MESSAGE_NAME)
    );
    assert_eq!(counter.descriptor().name, "CounterSnapshot");
    let group = registry.get(GROUP).unwrap();
    assert_eq!(group.info().controller.id(), std::any::TypeId::of::<Group>());
    assert_eq!(group.info().version, 2);
    for unknown in
        ["", "fixture.v1.CounterSnapshot", "type.googleapis.com/", &format!("{COUNTER} ")]
    {
        assert!(registry.get(unknown).is_none(), "{unknown:?}");
    }
}

#[test]
fn a_child_of_any_type_is_found_again_by_its_type_url() {
    let counter = |value| Counter(Mutex::new(CounterState { value }));
    let inner = GroupState { members: vec![Child::of(counter(3))], leader: None };
    let group = GroupState {
        members: vec![Child::of(counter(1)), Child::of(Group(Mutex::new(inner)))],
        leader: Some(Child::new(counter(2))),
    };
    let bytes = to_bytes(&group).unwrap();
    let twin: GroupState = from_bytes(&bytes).unwrap();
    let urls: Vec<_> = twin.members.iter().map(Child::type_url).collect();
    assert_eq!(urls, [Some(COUNTER), Some(GROUP)]);
    let leader = twin.leader.as_ref().and_then(|leader| leader.with_state(|state| state.value));
    assert_eq!(leader, Some(2));
    // The child is not imported yet, but is written unchanged.
    assert_eq!(to_bytes(&twin).unwrap(), bytes);
    contract([group, twin]);
}

#[test]
fn a_state_keeps_the_contract_registered_or_not() {
    contract([CounterState { value: 1 }]);
    contract([OtherCounterState { value: 1 }]);
    contract([AliasCounterState { value: 1 }]);
    contract([MisnamedPlan9State {}]);
    contract([DependentState {}]);
}

#[test]
fn an_unregistered_type_url_is_reported_with_its_place() {
    let group = pb::GroupSnapshot {
        schema_version: 2,
        members: vec![prost_types::Any { type_url: "x/y".into(), value: vec![] }],
        ..Default::default()
    };
    let error = GroupState::try_from(group).unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    assert_eq!(
        error.to_string(),
        "members[0]: no controller is registered for type URL \"x/y\" (byte 3 of 9)"
    );
}

#[test]
fn the_order_is_by_type_url_in_any_order_of_linking() {
    let registrations = [
        Registration::of::<Group>(),
        Registration::of::<Dependent>(),
        Registration::of::<Counter>(),
    ];
    // `after` must be known: without the dependent type every order is valid.
    let orders = [[0, 2], [2, 0]].map(|order| {
        let registry = Registry::new(order.map(|index| registrations[index])).unwrap();
        registry.iter().map(|registration| registration.info().type_url).collect::<Vec<_>>()
    });
    assert_eq!(orders, [[COUNTER, GROUP], [COUNTER, GROUP]]);

    let urls: Vec<_> = registry().unwrap().iter().map(|r| r.info().type_url).collect();
    assert!(urls.is_sorted());
    assert_eq!(urls.len(), registry().unwrap().len());
}

#[test]
fn two_registrations_of_one_type_count_once() {
    let twice = [Registration::of::<Counter>(), Registration::of::<Counter>()];
    assert_eq!(Registry::new(twice).unwrap().len(), 1);
    assert!(Registry::new([]).unwrap().is_empty());
}

#[test]
fn two_types_with_one_type_url_are_reported_by_both_names() {
    let there = [Registration::of::<Counter>(), Registration::of::<OtherCounter>()];
    let back = [there[1], there[0]];
    for registrations in [there, back] {
        assert_eq!(
            short(&lines(Registry::new(registrations))),
            [format!(
                "controllers Counter and OtherCounter both claim type URL {COUNTER:?}: give each \
                 its own message"
            )]
        );
    }
}

#[test]
fn two_types_with_one_message_are_reported_by_both_names() {
    let both = [Registration::of::<Counter>(), Registration::of::<AliasCounter>()];
    let told = short(&lines(Registry::new(both)));
    // prost does not have the alias either.
    assert_eq!(told.len(), 2, "{told:#?}");
    let both = "controllers AliasCounter and Counter both claim message fixture.v1.CounterSnapshot: \
                give each its own message";
    assert!(told.iter().any(|it| it == both), "{told:#?}");
}

#[test]
fn a_type_url_that_prost_does_not_have_is_reported_with_the_cure() {
    assert_eq!(
        short(&lines(Registry::new([Registration::of::<MisnamedPlan9>()]))),
        [
            "controller MisnamedPlan9: the derive has type URL \"example.com/lcow.v1.Plan9Snapshot\", \
          prost has \"type.googleapis.com/lcow.v1.Plan9Snapshot\": add \
          #[snapshot(type_url = \"type.googleapis.com/lcow.v1.Plan9Snapshot\")]"
        ]
    );
}

#[test]
fn a_type_that_another_comes_after_must_be_registered() {
    let some = [Registration::of::<Dependent>(), Registration::of::<Counter>()];
    assert_eq!(
        short(&lines(Registry::new(some))),
        ["controller Dependent comes after OtherCounter, which is not registered: add \
          `controller = ...` to its state, or remove it from `after`"]
    );
}

#[test]
fn all_contradictions_are_reported_together() {
    let all = [
        Registration::of::<Dependent>(),
        Registration::of::<MisnamedPlan9>(),
        Registration::of::<Group>(),
    ];
    assert_eq!(lines(Registry::new(all)).len(), 3);
}

#[test]
fn a_required_type_is_linked_or_reported() {
    require![Counter, Group].unwrap();
    require![Counter].unwrap();
    let told = short(&lines(require![Dependent, Counter, OtherCounter]));
    assert_eq!(
        told,
        [
            "controller Dependent is not registered for type URL \
             \"type.googleapis.com/lcow.v1.VpciSnapshot\": add `controller = ...` to its state, or \
             `snapshot_core::register!` it"
                .to_owned(),
            // Another type has the type URL.
            format!(
                "controller OtherCounter is not registered for type URL {COUNTER:?}: add \
                 `controller = ...` to its state, or `snapshot_core::register!` it"
            ),
        ]
    );
    let alone = Registry::new([Registration::of::<Group>()]).unwrap();
    assert!(alone.require(&[TypeInfo::of::<Group>()]).is_ok());
    assert_eq!(lines(alone.require(&[TypeInfo::of::<Counter>()])).len(), 1);
}
