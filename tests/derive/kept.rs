//! The fields that stay when a later state replaces an earlier one.

use std::collections::HashMap;

use snapshot_core::{Snapshot, refresh};
use snapshot_proto::fixture::v1 as pb;

/// A node with something of this host, which is not saved.
#[derive(Debug, Default, PartialEq, Snapshot)]
#[snapshot(message = pb::recursive::Node)]
struct Node {
    name: String,
    next: Option<Box<Node>>,
    children: Vec<Node>,
    by_name: HashMap<String, Node>,
    link: Option<Link>,
    #[snapshot(skip)]
    here: u32,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(oneof = pb::recursive::node::Link)]
enum Link {
    Left(Box<Node>),
    Right(Box<Node>),
    Detour(Detour),
}

/// Its only field that is kept is in a newtype.
#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::recursive::Detour)]
struct Detour {
    node: Option<Wrapped>,
    length: u32,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(transparent)]
struct Wrapped(Box<Node>);

fn node(name: &str, here: u32) -> Node {
    Node { name: name.to_owned(), here, ..Node::default() }
}

fn refreshed(mut state: Node, later: Node) -> Node {
    refresh(&mut state, later);
    state
}

#[test]
fn mapped_fields_are_replaced_and_skipped_ones_stay_wherever_they_are() {
    let tree = |name: &str, here: u32| Node {
        next: Some(Box::new(node(name, here + 1))),
        link: Some(Link::Left(Box::new(node(name, here + 2)))),
        ..node(name, here)
    };
    assert_eq!(refreshed(tree("earlier", 10), tree("later", 90)), tree("later", 10));
    let gone = Node { next: None, link: None, ..tree("later", 90) };
    let expected = Node { next: None, link: None, ..tree("later", 10) };
    assert_eq!(refreshed(tree("earlier", 10), gone), expected);
}

#[test]
fn a_struct_in_a_map_keeps_what_is_not_saved_under_an_equal_key() {
    let map = |names: &[(&str, u32)]| {
        let entries = names.iter().map(|&(name, here)| (name.to_owned(), node(name, here)));
        Node { by_name: entries.collect(), ..node("map", 1) }
    };
    let state = refreshed(map(&[("a", 2), ("gone", 3)]), map(&[("a", 0), ("new", 0)]));
    assert_eq!(state, map(&[("a", 2), ("new", 0)]));
}

#[test]
fn the_elements_of_a_list_have_no_key_and_are_as_after_an_import() {
    let list = |here| Node { children: vec![node("a", here)], ..node("list", here) };
    let expected = Node { children: vec![node("a", 0)], ..node("list", 5) };
    assert_eq!(refreshed(list(5), list(0)), expected);
}

#[test]
fn another_variant_of_a_oneof_has_nothing_to_keep() {
    let left = Node { link: Some(Link::Left(Box::new(node("l", 7)))), ..node("root", 1) };
    let right = || Node { link: Some(Link::Right(Box::new(node("r", 0)))), ..node("root", 0) };
    assert_eq!(refreshed(left, right()), Node { here: 1, ..right() });
}

#[test]
fn a_newtype_keeps_what_its_inner_value_keeps() {
    let detour = |here| {
        let node = Some(Wrapped(Box::new(node("inside", here))));
        Node { link: Some(Link::Detour(Detour { node, length: here })), ..Node::default() }
    };
    let state = refreshed(detour(4), detour(0));
    let node = Some(Wrapped(Box::new(node("inside", 4))));
    let expected = Node { link: Some(Link::Detour(Detour { node, length: 0 })), ..Node::default() };
    assert_eq!(state, expected);
}
