//! Derived types with every kind of field: they keep the contract, and the kit reaches every field.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use snapshot_derive::Snapshot;
use uuid::Uuid;

use super::{assert_broken, assert_sound};

#[derive(crate::Schema, Clone, PartialEq, prost::Message)]
pub(super) struct Inner {
    #[prost(uint32, tag = "1")]
    pub(super) schema_version: u32,
    #[prost(string, tag = "3")]
    pub(super) name: String,
}

impl prost::Name for Inner {
    const NAME: &'static str = "Inner";
    const PACKAGE: &'static str = "kit.v1";
}

#[derive(crate::Schema, Clone, PartialEq, prost::Message)]
pub(super) struct All {
    #[prost(sint64, tag = "1")]
    pub(super) offset: i64,
    #[prost(double, tag = "2")]
    pub(super) ratio: f64,
    #[prost(string, tag = "3")]
    pub(super) id: String,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) blob: Vec<u8>,
    #[prost(bool, optional, tag = "5")]
    pub(super) flag: Option<bool>,
    #[prost(sfixed32, repeated, tag = "6")]
    pub(super) list: Vec<i32>,
    #[prost(string, repeated, tag = "7")]
    pub(super) set: Vec<String>,
    #[prost(uint64, repeated, tag = "8")]
    pub(super) numbers: Vec<u64>,
    #[prost(btree_map = "sint32, message", tag = "9")]
    pub(super) entries: BTreeMap<i32, Entry>,
    #[prost(map = "string, float", tag = "10")]
    pub(super) floats: HashMap<String, f32>,
    #[prost(message, optional, tag = "11")]
    pub(super) wait: Option<prost_types::Duration>,
    #[prost(message, optional, tag = "12")]
    pub(super) wrapped: Option<u32>,
    #[prost(message, optional, tag = "13")]
    pub(super) payload: Option<prost_types::Any>,
    #[prost(message, optional, tag = "14")]
    pub(super) unread: Option<prost_types::Any>,
    #[prost(oneof = "Choice", tags = "15, 16, 17")]
    pub(super) choice: Option<Choice>,
    #[prost(message, repeated, tag = "18")]
    pub(super) nodes: Vec<Node>,
    #[prost(uint32, tag = "19")]
    pub(super) left_out: u32,
}

#[derive(crate::Schema, Clone, PartialEq, prost::Message)]
pub(super) struct Entry {
    #[prost(uint32, tag = "2")]
    pub(super) size: u32,
}

#[derive(crate::Schema, Clone, PartialEq, prost::Message)]
pub(super) struct Node {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) nodes: Vec<Node>,
}

#[derive(crate::Schema, Clone, PartialEq, prost::Oneof)]
pub(super) enum Choice {
    #[prost(int32, tag = "15")]
    Number(i32),
    #[prost(string, tag = "16")]
    Text(String),
    #[prost(message, tag = "17")]
    Nothing(()),
}

#[derive(Clone, Debug, Default, PartialEq, Snapshot)]
#[snapshot(message = All, ignore(left_out))]
struct AllState {
    offset: i16,
    ratio: f64,
    id: Uuid,
    blob: [u8; 3],
    flag: Option<bool>,
    list: Vec<i32>,
    set: BTreeSet<String>,
    numbers: Vec<u8>,
    entries: BTreeMap<i32, EntryState>,
    floats: HashMap<String, f32>,
    wait: Option<Duration>,
    wrapped: Option<u16>,
    payload: Option<InnerState>,
    unread: Option<prost_types::Any>,
    choice: Option<Pick>,
    nodes: Vec<NodeState>,
}

#[derive(Clone, Debug, Default, PartialEq, Snapshot)]
#[snapshot(message = Inner, version = 3)]
struct InnerState {
    name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Snapshot)]
#[snapshot(message = Entry)]
struct EntryState {
    #[snapshot(range = 0..=10)]
    size: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Snapshot)]
#[snapshot(message = Node)]
struct NodeState {
    name: String,
    nodes: Vec<NodeState>,
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(oneof = Choice)]
enum Pick {
    Number(i32),
    Text(String),
    Nothing,
}

fn all() -> AllState {
    let node = |name: &str, nodes| NodeState { name: name.to_owned(), nodes };
    let payload = InnerState { name: "inner".to_owned() };
    let value = crate::codec::to_bytes(&payload).unwrap();
    AllState {
        offset: -3,
        ratio: 0.25,
        id: Uuid::from_u128(0x1f),
        blob: [1, 2, 3],
        flag: Some(false),
        list: vec![3, -1, 2],
        set: ["b", "a"].map(str::to_owned).into(),
        numbers: vec![9, 0, 9],
        entries: [(-1, EntryState { size: 3 }), (2, EntryState::default())].into(),
        floats: [("x".to_owned(), 1.5), (String::new(), 0.0)].into(),
        wait: Some(Duration::new(1, 5)),
        wrapped: Some(0),
        payload: Some(payload),
        unread: Some(prost_types::Any { type_url: "example.com/kit.v1.Other".to_owned(), value }),
        choice: Some(Pick::Number(0)),
        nodes: vec![node("root", vec![node("leaf", vec![])]), node("", vec![])],
    }
}

#[test]
fn a_type_with_every_kind_of_field_keeps_the_contract() {
    assert_sound([all()]);
}

/// An older version that differs only in its number.
#[derive(Clone, Debug, Default, PartialEq, Snapshot)]
#[snapshot(message = Inner, version = 3, accept(version = 2))]
#[snapshot(accept(version = 1, message = Inner, upgrade = renamed))]
struct Upgraded {
    name: String,
}

fn renamed(old: Inner) -> Result<Inner, &'static str> {
    Ok(Inner { schema_version: 0, name: format!("{} 2", old.name) })
}

#[test]
fn an_older_version_may_come_back_as_the_current_one() {
    assert_sound([Upgraded { name: "inner".to_owned() }]);
}

#[test]
fn a_set_is_recognised_with_one_element_and_with_none() {
    assert_sound([AllState { set: BTreeSet::new(), ..all() }]);
    assert_sound([AllState { set: ["b".to_owned()].into(), ..all() }]);
}

#[test]
fn an_unread_any_of_a_known_type_is_not_parsed() {
    let mut state = all();
    if let Some(unread) = &mut state.unread {
        unread.type_url = "type.googleapis.com/kit.v1.Inner".to_owned();
    }
    assert_sound([state]);
}

#[test]
fn a_field_that_no_sample_has_and_the_kit_cannot_add_is_named() {
    let state = AllState { id: Uuid::from_u128(1), ..AllState::default() };
    assert_broken(
        [state],
        &[
            "breaks its contract in 1 place:",
            "  payload: no sample has it (an empty one is refused: payload: has no type URL, expected",
        ],
    );
}

#[test]
fn a_negative_zero_that_prost_loses_is_accepted() {
    assert_sound([AllState { ratio: -0.0, ..all() }]);
}
