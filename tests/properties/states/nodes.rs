//! `Recursive`: a message inside itself in every possible way.

use std::collections::HashMap;

use proptest::prelude::*;
use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1::{self as pb, recursive};

use super::super::laws::Case;
use super::super::place::Places;
use super::super::twin::{Foreign, Twin, case, foreigners_of, named, natives_of, nest, nested};

case! {
    Recursive: pb::Recursive { root: Option<Node>, }
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = recursive::Node)]
pub struct Node {
    pub name: Box<str>,
    pub next: Option<Box<Node>>,
    pub children: Vec<Node>,
    pub by_name: HashMap<char, Node>,
    pub link: Option<Box<Link>>,
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(oneof = recursive::node::Link)]
pub enum Link {
    Left(Node),
    Right(Box<Node>),
    Detour(Detour),
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = recursive::Detour)]
pub struct Detour {
    pub node: Option<Box<Node>>,
    pub length: u8,
}

impl Node {
    fn leaf(name: String) -> Self {
        let (children, by_name) = (Vec::new(), HashMap::new());
        Self { name: name.into(), next: None, children, by_name, link: None }
    }
}

impl Twin<recursive::Node> for Node {
    fn natives() -> BoxedStrategy<Self> {
        let leaf = "[a-zж]{0,3}".prop_map(Node::leaf);
        leaf.prop_recursive(3, 8, 2, |node| {
            let link = prop_oneof![
                node.clone().prop_map(Link::Left),
                node.clone().prop_map(|node| Link::Right(Box::new(node))),
                (prop::option::of(node.clone()), any::<u8>()).prop_map(|(node, length)| {
                    Link::Detour(Detour { node: node.map(Box::new), length })
                }),
            ];
            (
                "[a-zж]{0,3}",
                prop::option::of(node.clone()),
                prop::collection::vec(node.clone(), 0..2),
                prop::collection::hash_map(any::<char>(), node, 0..2),
                prop::option::of(link),
            )
                .prop_map(|(name, next, children, by_name, link)| Node {
                    name: name.into(),
                    next: next.map(Box::new),
                    children,
                    by_name,
                    link: link.map(Box::new),
                })
        })
        .boxed()
    }

    fn to_prost(&self) -> recursive::Node {
        recursive::Node {
            name: self.name.to_string(),
            next: self.next.as_ref().map(|node| Box::new(node.to_prost())),
            children: self.children.iter().map(Node::to_prost).collect(),
            by_name: self.by_name.iter().map(|(k, v)| (k.to_string(), v.to_prost())).collect(),
            link: self.link.as_ref().map(|link| link.to_prost()),
        }
    }

    fn of_prost(prost: &recursive::Node) -> Result<Self, Places> {
        let mut places = Places::default();
        let next = prost.next.as_ref().map(|node| Node::of_prost(node)).transpose();
        let next = places.keep(next.map_err(|wrong| wrong.in_field("next")));
        let children = Twin::of_prost(&prost.children);
        let children = places.keep(children.map_err(|wrong: Places| wrong.in_field("children")));
        let by_name = Twin::of_prost(&prost.by_name);
        let by_name = places.keep(by_name.map_err(|wrong: Places| wrong.in_field("by_name")));
        let link = places.keep(prost.link.as_ref().map(Link::of_prost).transpose());
        match (next, children, by_name, link) {
            (Some(next), Some(children), Some(by_name), Some(link)) => Ok(Self {
                name: prost.name.as_str().into(),
                next: next.map(Box::new),
                children,
                by_name,
                link: link.map(Box::new),
            }),
            _ => Err(places),
        }
    }
}

impl Link {
    fn to_prost(&self) -> recursive::node::Link {
        use recursive::node::Link as Prost;
        match self {
            Link::Left(node) => Prost::Left(Box::new(node.to_prost())),
            Link::Right(node) => Prost::Right(Box::new(node.to_prost())),
            Link::Detour(Detour { node, length }) => Prost::Detour(Box::new(recursive::Detour {
                node: node.as_ref().map(|node| Box::new(node.to_prost())),
                length: u32::from(*length),
            })),
        }
    }

    fn of_prost(prost: &recursive::node::Link) -> Result<Self, Places> {
        use recursive::node::Link as Prost;
        match prost {
            Prost::Left(node) => match Node::of_prost(node) {
                Ok(node) => Ok(Link::Left(node)),
                Err(wrong) => Err(wrong.in_field("left")),
            },
            Prost::Right(node) => match Node::of_prost(node) {
                Ok(node) => Ok(Link::Right(Box::new(node))),
                Err(wrong) => Err(wrong.in_field("right")),
            },
            Prost::Detour(detour) => {
                let mut places = Places::default();
                let node = detour.node.as_ref().map(|node| Node::of_prost(node)).transpose();
                let node = places.keep(node.map_err(|wrong| wrong.in_field("node")));
                let length = u8::of_prost(&detour.length);
                let length = places.keep(length.map_err(|wrong| wrong.in_field("length")));
                match (node, length) {
                    (Some(node), Some(length)) => {
                        Ok(Link::Detour(Detour { node: node.map(Box::new), length }))
                    }
                    _ => Err(places.in_field("detour")),
                }
            }
        }
    }
}

/// Nodes, some with a name of several characters as a key or a detour that is too long.
impl Foreign for recursive::Node {
    fn foreigners() -> BoxedStrategy<Self> {
        (Node::natives(), "[a-z]{0,2}", any::<u16>(), Node::natives())
            .prop_map(|(root, key, length, other)| {
                let mut root = root.to_prost();
                let detour = recursive::Detour { node: None, length: length.into() };
                let wrong = recursive::Node {
                    link: Some(recursive::node::Link::Detour(Box::new(detour))),
                    ..Default::default()
                };
                root.children.push(wrong);
                root.by_name.insert(key, other.to_prost());
                root
            })
            .boxed()
    }
}

impl Case for Node {
    fn messages() -> BoxedStrategy<recursive::Node> {
        prop_oneof![
            Node::natives().prop_map(|node| node.to_prost()),
            recursive::Node::foreigners(),
        ]
        .boxed()
    }
}
