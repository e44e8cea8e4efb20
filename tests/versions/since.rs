//! Fields of later versions: their values for an older payload, and refusals of newer fields.

use std::collections::BTreeMap;

use prost::{Message, Name};
use snapshot_core::codec::{from_bytes, to_bytes, to_bytes_as};
use snapshot_core::{Code, Payload, Schema, Snapshot, State};

use super::states::{Disk, DiskState, Label, Queue, ShelfState, pb};

fn disk(version: u32) -> pb::Disk {
    pb::Disk { schema_version: version, path: Some("/a".into()), size: 5, ..pb::Disk::default() }
}

fn refusal(message: &pb::Disk) -> String {
    DiskState::from_message(message).unwrap_err().to_string()
}

#[test]
fn an_older_payload_gets_the_defaults_of_later_fields() {
    let state = DiskState::from_message(&disk(3)).unwrap();
    assert_eq!(state, DiskState::of_size(5));
}

#[test]
fn a_current_payload_keeps_its_values() {
    let state = DiskState::from_message(&disk(4)).unwrap();
    assert_eq!((state.limits, state.label), (vec![0], None));
}

#[test]
fn a_default_can_be_any_expression_and_is_otherwise_the_types_own() {
    let old = pb::Shelf { schema_version: 1, name: "s".into(), ..pb::Shelf::default() };
    assert_eq!(ShelfState::from_message(&old).unwrap().room, "cellar");
    assert_eq!(DiskState::from_message(&disk(3)).unwrap().label, None);
}

#[test]
fn a_nested_message_is_as_old_as_the_payload_around_it() {
    let queue = pb::Queue { depth: 1, weight: 0 };
    let with_queues = |version| pb::Disk {
        queues: [("q".to_owned(), queue.clone())].into(),
        main_queue: Some(queue.clone()),
        ..disk(version)
    };
    let old = DiskState::from_message(&with_queues(3)).unwrap();
    assert_eq!(old.queues["q"], Queue { depth: 1, weight: 100 });
    assert_eq!(old.main_queue, Some(Box::new(Queue { depth: 1, weight: 100 })));
    let new = DiskState::from_message(&with_queues(4)).unwrap();
    assert_eq!(new.queues["q"].weight, 0);
}

/// A shelf that contains its disks directly, without controllers.
#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Shelf, version = 2, accept(version = 1))]
struct Chest {
    name: String,
    disks: BTreeMap<String, DiskState>,
    #[snapshot(since = 2, default = String::from("cellar"))]
    room: String,
}

#[test]
fn fields_after_a_nested_payload_have_the_version_of_the_outer_one() {
    for (outer, inner, room) in [(1, 4, "cellar"), (1, 3, "cellar"), (2, 3, ""), (2, 4, "")] {
        let any = prost_types::Any {
            type_url: DiskState::TYPE_URL.to_owned(),
            value: disk(inner).encode_to_vec(),
        };
        let shelf = pb::Shelf {
            schema_version: outer,
            name: "s".into(),
            disks: [("d".to_owned(), any)].into(),
            ..pb::Shelf::default()
        };
        let state = Chest::from_message(&shelf).unwrap();
        let limits = if inner == 4 { vec![0] } else { vec![7] };
        assert_eq!((&*state.room, &state.disks["d"].limits), (room, &limits), "{outer} of {inner}");
        // In the newer outer payload, its newer field is also read after an older nested payload.
        if outer == 2 {
            let room = pb::Shelf { room: "attic".into(), ..shelf };
            assert_eq!(Chest::from_message(&room).unwrap().room, "attic");
        }
    }
}

#[derive(Clone, PartialEq, Schema, Message)]
struct Crate {
    #[prost(uint32, tag = "1")]
    schema_version: u32,
    #[prost(message, optional, tag = "2")]
    disk: Option<pb::Disk>,
    /// From version 2 on.
    #[prost(string, tag = "3")]
    room: String,
}

impl Name for Crate {
    const NAME: &'static str = "Crate";
    const PACKAGE: &'static str = "versions.v1";
}

/// A payload that has another one as a plain message.
#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = Crate, version = 2, accept(version = 1))]
struct CrateState {
    disk: DiskState,
    #[snapshot(since = 2, default = String::from("cellar"))]
    room: String,
}

#[test]
fn fields_after_a_payload_as_a_message_have_the_version_of_the_outer_one() {
    for (outer, inner, room) in [(1, 4, "cellar"), (1, 3, "cellar"), (2, 3, ""), (2, 4, "")] {
        let message = Crate { schema_version: outer, disk: Some(disk(inner)), room: String::new() };
        let state = CrateState::from_message(&message).unwrap();
        assert_eq!(state.room, room, "{outer} of {inner}");
    }
}

#[test]
fn a_payload_as_a_message_is_saved_in_a_version_of_its_own() {
    let state = CrateState { disk: DiskState::of_size(5), room: "cellar".into() };
    for outer in [1, 2] {
        let bytes = to_bytes_as(&state, outer).unwrap();
        let message = Crate::decode(&*bytes).unwrap();
        let inner = message.disk.unwrap().schema_version;
        assert_eq!((message.schema_version, inner), (outer, DiskState::VERSION));
        assert_eq!(from_bytes::<CrateState>(&bytes).unwrap(), state);
    }
}

#[test]
fn a_map_entry_without_a_value_has_the_version_of_the_payload() {
    // schema_version 3, queues { "q": (nothing) }
    let bytes = [0x08, 3, 0x72, 3, 0x0a, 1, b'q'];
    let state: DiskState = from_bytes(&bytes).unwrap();
    assert_eq!(state.queues, BTreeMap::from([("q".into(), Queue { depth: 0, weight: 100 })]));
}

#[test]
fn outside_of_a_payload_a_message_is_the_current_one() {
    let queue: Queue = from_bytes(&[0x08, 1]).unwrap();
    assert_eq!(queue, Queue { depth: 1, weight: 0 });
    assert_eq!(to_bytes(&Queue { depth: 1, weight: 2 }).unwrap(), [0x08, 1, 0x10, 2]);
}

#[test]
fn an_older_payload_that_carries_a_newer_field_is_refused_with_its_place() {
    let error = DiskState::from_message(&pb::Disk { limit: 1, ..disk(3) }).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(
        error.to_string(),
        "limit: exists from version 4 on, but this payload has version 3 (byte 8 of 10)"
    );
    let label = |label| refusal(&pb::Disk { label: Some(label), ..disk(3) });
    assert!(label(pb::Label::Text(String::new())).starts_with("text: exists from version 4 on"));
    assert!(label(pb::Label::Number(0)).starts_with("number: exists from version 4 on"));
    let queue = pb::Queue { depth: 0, weight: 1 };
    let error = refusal(&pb::Disk { queues: [("q".into(), queue)].into(), ..disk(3) });
    assert!(
        error.starts_with("queues[\"q\"].weight: exists from version 4 on, but this payload has"),
        "{error}"
    );
}

#[test]
fn all_newer_fields_and_other_problems_are_reported_together() {
    let label = Some(pb::Label::Number(1));
    let mut bytes = pb::Disk { limit: 1, label, ..disk(3) }.encode_to_vec();
    bytes.extend([0x60, 9]);
    let error = from_bytes::<DiskState>(&bytes).unwrap_err().to_string();
    let lines: Vec<_> = error.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["limit", "number", "size"], "{error}");
}

#[test]
fn the_default_is_checked_as_a_value_on_the_wire_is() {
    let too_long = DiskState { limits: vec![1, 2], ..DiskState::of_size(5) };
    let error = to_bytes(&too_long).unwrap_err().to_string();
    assert_eq!(error, "limit: has 2 elements, but the maximum is 1");
}

#[test]
fn a_current_payload_comes_back_as_it_was() {
    let state = DiskState {
        limits: vec![3],
        label: Some(Label::Text("x".into())),
        queues: [("q".into(), Queue { depth: 1, weight: 0 })].into(),
        ..DiskState::of_size(5)
    };
    let bytes = to_bytes(&state).unwrap();
    assert_eq!(pb::Disk::decode(&*bytes).unwrap().schema_version, 4);
    assert_eq!(from_bytes::<DiskState>(&bytes).unwrap(), state);
}

#[test]
fn a_payload_with_older_versions_keeps_the_contract() {
    let queue = |depth, weight| Queue { depth, weight };
    let queues = BTreeMap::from([("p".into(), queue(1, 2)), ("q".into(), queue(3, 4))]);
    let full = DiskState {
        limits: vec![3],
        label: Some(Label::Text("x".into())),
        queues,
        main_queue: Some(Box::new(queue(5, 6))),
        ..DiskState::of_size(5)
    };
    let numbered = DiskState { label: Some(Label::Number(8)), ..DiskState::of_size(6) };
    snapshot_core::testing::contract::<DiskState>([full.clone(), numbered.clone()]);

    let disks = [full, numbered].map(Disk::child);
    let disks = BTreeMap::from_iter(["a".to_owned(), "b".to_owned()].into_iter().zip(disks));
    let shelf = ShelfState { name: "s".into(), disks, room: "cellar".into() };
    snapshot_core::testing::contract([shelf]);
}
