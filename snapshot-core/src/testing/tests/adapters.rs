//! `with` modules that lose or change values.

use std::collections::BTreeMap;

use snapshot_derive::Snapshot;

use super::{assert_broken, assert_sound};

#[derive(crate::Schema, Clone, PartialEq, prost::Message)]
pub(super) struct Item {
    #[prost(sint32, tag = "1")]
    pub(super) offset: i32,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(uint32, repeated, tag = "3")]
    pub(super) list: Vec<u32>,
}

#[derive(crate::Schema, Clone, PartialEq, prost::Message)]
pub(super) struct Outer {
    #[prost(uint32, tag = "1")]
    pub(super) schema_version: u32,
    #[prost(btree_map = "uint32, message", tag = "2")]
    pub(super) items: BTreeMap<u32, Item>,
    #[prost(message, optional, tag = "3")]
    pub(super) payload: Option<prost_types::Any>,
}

impl prost::Name for Outer {
    const NAME: &'static str = "Outer";
    const PACKAGE: &'static str = "kit.v1";
}

#[derive(crate::Schema, Clone, PartialEq, prost::Message)]
pub(super) struct Inner {
    #[prost(uint32, tag = "1")]
    pub(super) schema_version: u32,
    #[prost(btree_map = "uint32, message", tag = "2")]
    pub(super) items: BTreeMap<u32, Item>,
}

impl prost::Name for Inner {
    const NAME: &'static str = "Inner";
    const PACKAGE: &'static str = "kit.v1";
}

/// Adapters of the field's own type. Each has a function for saving and a function for reading.
macro_rules! adapter {
    ($name:ident: $ty:ty; $to:expr; $from:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "some need it")]
            use std::sync::atomic::{AtomicU32, Ordering};

            pub(super) fn to_wire(value: &$ty) -> Result<$ty, &'static str> {
                let to: fn(&$ty) -> Result<$ty, &'static str> = $to;
                to(value)
            }
            pub(super) fn from_wire(value: $ty) -> Result<$ty, &'static str> {
                let from: fn($ty) -> Result<$ty, &'static str> = $from;
                from(value)
            }
        }
    };
}

adapter!(drops: String; |_| Ok(String::new()); Ok);
adapter!(no_sign: i32; |offset| Ok(offset.wrapping_abs()); Ok);
adapter!(at_most_100: i32; |offset| Ok(*offset); |offset| Ok(offset.min(100)));
adapter!(trims: String; |name| Ok(name.trim().to_owned()); Ok);
adapter!(refuses_spaces: String; |name| Ok(name.clone()); |name| {
    if name.trim() == name { Ok(name) } else { Err("has spaces around it") }
});
adapter!(sorts: Vec<u32>; |list| { let mut list = list.clone(); list.sort(); Ok(list) }; Ok);
adapter!(dedups: Vec<u32>; |list| Ok(list.clone()); |mut list| { list.dedup(); Ok(list) });
adapter!(counts: String; |name| {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    Ok(format!("{name}{}", COUNT.fetch_add(1, Ordering::Relaxed)))
}; Ok);

/// A state for `Item` in which one field has an adapter.
macro_rules! item {
    ($name:ident: $field:ident $ty:ty, $module:ident; $($plain:ident $plain_ty:ty),*) => {
        #[derive(Clone, Debug, Default, PartialEq, Snapshot)]
        #[snapshot(message = Item)]
        struct $name {
            #[snapshot(with = $module)]
            $field: $ty,
            $($plain: $plain_ty,)*
        }
    };
}

item!(Drops: name String, drops; offset i32, list Vec<u32>);
item!(NoSign: offset i32, no_sign; name String, list Vec<u32>);
item!(AtMost100: offset i32, at_most_100; name String, list Vec<u32>);
item!(Trims: name String, trims; offset i32, list Vec<u32>);
item!(RefusesSpaces: name String, refuses_spaces; offset i32, list Vec<u32>);
item!(Sorts: list Vec<u32>, sorts; offset i32, name String);
item!(Dedups: list Vec<u32>, dedups; offset i32, name String);
item!(Counts: name String, counts; offset i32, list Vec<u32>);

#[derive(Clone, Debug, Default, PartialEq, Snapshot)]
#[snapshot(message = Outer, version = 1)]
struct Whole {
    items: BTreeMap<u32, Drops>,
    payload: Option<Part>,
}

#[derive(Clone, Debug, Default, PartialEq, Snapshot)]
#[snapshot(message = Inner, version = 1)]
struct Part {
    items: BTreeMap<u32, NoSign>,
}

#[test]
fn a_dropped_field_is_found() {
    assert_broken(
        [Drops::default()],
        &[
            "every accepted value is saved again unchanged:\n  name: \"a\": \"a\" is read, nothing is saved",
            "every field is tested with two values:\n  name: only one value of it came back",
        ],
    );
}

#[test]
fn a_lost_sign_is_found() {
    assert_broken(
        [NoSign { offset: 5, ..NoSign::default() }],
        &["  offset: -1: -1 is read, 1 is saved"],
    );
}

#[test]
fn a_clamped_number_is_found() {
    assert_broken([AtMost100::default()], &["is read, 100 is saved"]);
}

#[test]
fn a_trimmed_text_is_found_but_a_checked_text_is_not() {
    assert_broken(
        [Trims { name: "a".to_owned(), ..Trims::default() }],
        &["  name: \"a \": \"a \" is read, \"a\" is saved", ".normalized(PATH)"],
    );
    assert_sound([RefusesSpaces { name: "a".to_owned(), ..RefusesSpaces::default() }]);
}

#[test]
fn a_list_that_loses_its_order_or_its_duplicates_is_found() {
    assert_broken([Sorts { list: vec![1, 2], ..Sorts::default() }], &["  list: "]);
    assert_broken([Dedups { list: vec![1, 2], ..Dedups::default() }], &["  list: "]);
}

#[test]
fn an_encoding_that_changes_is_found() {
    assert_broken(
        [Counts::default()],
        &["sample 0: a second save gives other bytes", "\n      name: ", " the first time, "],
    );
}

#[test]
fn a_loss_deep_inside_has_its_path() {
    let drops = Drops { offset: 1, ..Drops::default() };
    let part = Part { items: [(2, NoSign::default())].into() };
    assert_broken(
        [Whole { items: [(1, drops)].into(), payload: Some(part) }],
        &[
            "  items.value.name: \"a\": \"a\" is read, nothing is saved",
            "  payload.items.value.offset: -1: -1 is read, 1 is saved",
        ],
    );
}
