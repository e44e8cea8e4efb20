//! `transparent`: a newtype is saved as its field, wherever a value of the field's type can be saved.

use std::collections::{BTreeMap, BTreeSet};

use snapshot_core::Snapshot;
use snapshot_core::codec::{from_bytes, to_bytes};
use snapshot_core::testing::Contract;
use snapshot_proto::fixture::v1 as pb;
use snapshot_proto::lcow::v1 as lcow;
use uuid::Uuid;

use super::{assert_saved_as, encoded, refusal};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Snapshot)]
#[snapshot(transparent, validate = not_empty)]
struct ContainerId(String);

fn not_empty(id: &ContainerId) -> Result<(), &'static str> {
    if id.0.is_empty() { Err("a container id is not empty") } else { Ok(()) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Snapshot)]
#[snapshot(transparent)]
struct Handle {
    id: Uuid,
}

#[derive(Debug, Default, PartialEq, Snapshot)]
#[snapshot(transparent)]
struct Names<T>(Vec<T>);

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(
    message = lcow::ContainerSnapshot, version = 1,
    ignore(state, io_retry_timeout, layers, processes)
)]
struct Container {
    #[snapshot(max = 5)]
    container_id: ContainerId,
    /// The proto field has no presence, but a UUID is never empty.
    gcs_container_id: Option<Handle>,
    scsi_reservation_ids: Names<Handle>,
    plan9_reservation_ids: BTreeSet<ContainerId>,
    #[snapshot(max = 1)]
    vpci_vmbus_guids: Names<String>,
}

fn message() -> lcow::ContainerSnapshot {
    lcow::ContainerSnapshot {
        schema_version: 1,
        container_id: "c1".into(),
        gcs_container_id: Uuid::from_u128(7).to_string(),
        scsi_reservation_ids: vec![Uuid::from_u128(1).to_string()],
        plan9_reservation_ids: vec!["a".into(), "b".into()],
        vpci_vmbus_guids: vec!["guid".into()],
        ..Default::default()
    }
}

#[test]
fn a_newtype_is_its_value_as_a_field_an_option_an_element_and_a_collection() {
    let state = Container::try_from(message()).unwrap();
    assert_eq!(state.container_id, ContainerId("c1".into()));
    assert_eq!(state.gcs_container_id, Some(Handle { id: Uuid::from_u128(7) }));
    assert_saved_as(&state, &message());
    let absent = lcow::ContainerSnapshot { gcs_container_id: String::new(), ..message() };
    let state = Container::try_from(absent.clone()).unwrap();
    assert_eq!(state.gcs_container_id, None);
    assert_saved_as(&state, &absent);
}

#[test]
fn a_newtype_is_validated_at_every_place() {
    let broken = lcow::ContainerSnapshot {
        container_id: String::new(),
        plan9_reservation_ids: vec![String::new()],
        ..message()
    };
    let error = refusal::<Container>(&broken);
    let texts: Vec<_> = error.lines().collect();
    assert!(texts[0].starts_with("plan9_reservation_ids[0]: a container id is not empty (byte"));
    // A missing value is the default, which is not allowed either.
    assert_eq!(texts[1], "container_id: a container id is not empty");
    assert_eq!(texts.len(), 2, "{error}");
}

#[test]
fn a_newtype_has_the_length_of_its_field() {
    let long = lcow::ContainerSnapshot {
        container_id: "longer".into(),
        vpci_vmbus_guids: vec!["a".into(), "b".into()],
        ..message()
    };
    assert_eq!(
        refusal::<Container>(&long),
        "container_id: has 6 bytes, but the maximum is 5 (byte 2 of 98)\n\
         vpci_vmbus_guids: has 2 elements, but the maximum is 1 (byte 92 of 98)"
    );
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(
    message = pb::Maps,
    ignore(int32_key, int64_key, uint64_key, sint32_key, sint64_key, fixed32_key, fixed64_key,
           sfixed32_key, sfixed64_key, bool_key, message_value, enum_value, bytes_value, any_value,
           double_value, bool_value, sint64_value, fixed32_value, duration_value, empty_value)
)]
struct Keyed {
    uint32_key: BTreeMap<Port, ContainerId>,
    string_key: BTreeMap<Handle, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Snapshot)]
#[snapshot(transparent)]
struct Port(u16);

#[test]
fn a_newtype_is_a_map_key() {
    let state = Keyed {
        uint32_key: [(Port(80), ContainerId("web".into()))].into(),
        string_key: [(Handle { id: Uuid::nil() }, "nil".into())].into(),
    };
    let message = pb::Maps {
        uint32_key: [(80, "web".into())].into(),
        string_key: [(Uuid::nil().to_string(), "nil".into())].into(),
        ..Default::default()
    };
    assert_saved_as(&state, &message);

    let message = pb::Maps { uint32_key: [(80, String::new())].into(), ..Default::default() };
    let error = refusal::<Keyed>(&message);
    assert!(error.starts_with("uint32_key[\"80\"]: "), "{error}");
}

/// Newtypes of a message and of a newtype.
#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(transparent)]
struct Outer(Inner);

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(transparent)]
struct Inner(Detour);

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::recursive::Detour, ignore(node))]
struct Detour {
    length: u32,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Recursive, ignore(root))]
struct Nothing {}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(oneof = pb::recursive::node::Link, ignore(Left, Right))]
enum Link {
    Detour(Outer),
}

/// A newtype of a oneof.
#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(transparent)]
struct Linked(Option<Link>);

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::recursive::Node, ignore(name, next, children, by_name))]
struct Node {
    link: Linked,
}

#[test]
fn newtypes_nest_around_messages_and_oneofs() {
    let state = Node { link: Linked(Some(Link::Detour(Outer(Inner(Detour { length: 4 }))))) };
    let bytes = to_bytes(&state).unwrap();
    assert_eq!(from_bytes::<Node>(&bytes).unwrap(), state);
    let message: pb::recursive::Node = prost::Message::decode(bytes.as_slice()).unwrap();
    assert_eq!(encoded(&message), bytes);
    Contract::new().samples([state]).fixed("left").fixed("right").compare(PartialEq::eq).run();
    assert_saved_as(&Nothing {}, &pb::Recursive::default());
}
