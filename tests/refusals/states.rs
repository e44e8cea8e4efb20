//! The states of these tests, and hand-written bytes.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use prost::encoding::encode_varint;
use snapshot_core::codec::from_bytes;
use snapshot_core::{Snapshot, State};
use snapshot_proto::fixture::v1::{self as pb, choice, counter_snapshot, recursive};

/// Contains itself in every kind of field that can hold a message.
#[derive(Clone, Debug, Default, PartialEq, Snapshot)]
#[snapshot(message = recursive::Node)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) next: Option<Box<Node>>,
    pub(crate) children: Vec<Node>,
    pub(crate) by_name: HashMap<String, Node>,
    pub(crate) link: Option<Link>,
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(oneof = recursive::node::Link)]
pub(crate) enum Link {
    Left(Box<Node>),
    Right(Box<Node>),
    Detour(Detour),
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = recursive::Detour)]
pub(crate) struct Detour {
    pub(crate) node: Box<Node>,
    pub(crate) length: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Snapshot)]
#[snapshot(stage = counter_snapshot::Stage)]
pub(crate) enum Stage {
    #[default]
    Idle,
    Counting,
    #[snapshot(transient)]
    Frozen = 9,
    Done = 2,
}

/// A payload.
#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 2)]
pub(crate) struct Counter {
    pub(crate) value: u16,
    pub(crate) label: String,
    pub(crate) stage: Stage,
}

/// A payload that holds payloads in every kind of field that can hold an `Any`.
#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::GroupSnapshot, version = 1)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) members: Vec<Counter>,
    pub(crate) named: BTreeMap<String, Counter>,
    pub(crate) leader: Option<Counter>,
}

/// A payload in a oneof.
#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::Choice, ignore(before, between, interleaved, after, last))]
pub(crate) struct Choice {
    pub(crate) kind: Option<Kind>,
}

#[derive(Clone, Debug, PartialEq, Snapshot)]
#[snapshot(oneof = choice::Kind)]
#[snapshot(ignore(
    Number, Text, Message, Sparse, Nothing, Raw, Zigzag, Fixed, Flag, Ratio, Duration, Wrapped,
    Local
))]
pub(crate) enum Kind {
    Any(Counter),
}

/// The value that [`Kind`] omits.
const UNMAPPED: [&str; 13] = [
    "number", "text", "message", "sparse", "nothing", "raw", "zigzag", "fixed", "flag", "ratio",
    "duration", "wrapped", "local",
];

/// A varint.
pub(crate) fn varint(value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_varint(value, &mut bytes);
    bytes
}

/// A length-delimited field.
pub(crate) fn field(number: u32, value: &[u8]) -> Vec<u8> {
    let tag = varint(u64::from(number) << 3 | 2);
    [tag, varint(value.len() as u64), value.to_vec()].concat()
}

/// The text of the refusal of these bytes.
#[track_caller]
pub(crate) fn refusal<S: State + Debug>(bytes: &[u8]) -> String {
    match from_bytes::<S>(bytes) {
        Ok(state) => panic!("read as {state:?}"),
        Err(error) => error.to_string(),
    }
}

/// The bytes of one message inside other messages.
#[derive(Clone, Debug)]
pub(crate) struct Inside {
    pub(crate) bytes: Vec<u8>,
    /// The path of the message, `next.children[1]`; empty at the top level.
    pub(crate) path: String,
    /// The offset of the message.
    pub(crate) at: usize,
}

impl Inside {
    /// The text of an error in the message, at this path and byte of it.
    pub(crate) fn error(&self, path: &str, reason: &str, byte: usize) -> String {
        let dot = if self.path.is_empty() || path.is_empty() { "" } else { "." };
        let path = [&self.path, dot, path].concat();
        let colon = if path.is_empty() { "" } else { ": " };
        let (byte, total) = (self.at + byte, self.bytes.len());
        format!("{path}{colon}{reason} (byte {byte} of {total})")
    }
}

/// A node's bytes in every kind of field, and in nested combinations of these.
pub(crate) fn nodes(bytes: &[u8]) -> Vec<Inside> {
    type Wrap = fn(&Inside) -> Inside;
    fn wrapped(inner: &Inside, before: Vec<u8>, number: u32, path: &str) -> Inside {
        let field = field(number, &inner.bytes);
        let at = before.len() + field.len() - inner.bytes.len() + inner.at;
        let dot = if inner.path.is_empty() { "" } else { "." };
        Inside { bytes: [before, field].concat(), path: [path, dot, &inner.path].concat(), at }
    }
    let wraps: [Wrap; 5] = [
        |inner| wrapped(inner, vec![], 2, "next"),
        |inner| wrapped(inner, field(3, b""), 3, "children[1]"),
        |inner| {
            let entry = [field(1, b"k\""), field(2, &inner.bytes)].concat();
            let at = entry.len() - inner.bytes.len() + inner.at;
            let entry = Inside { bytes: entry, path: inner.path.clone(), at };
            wrapped(&entry, vec![], 4, r#"by_name["k\""]"#)
        },
        |inner| wrapped(inner, field(1, b"before"), 5, "left"),
        |inner| {
            let detour = [vec![0x10, 7], field(1, &inner.bytes)].concat();
            let at = detour.len() - inner.bytes.len() + inner.at;
            let dot = if inner.path.is_empty() { "" } else { "." };
            let path = ["node", dot, &inner.path].concat();
            wrapped(&Inside { bytes: detour, path, at }, vec![], 7, "detour")
        },
    ];
    let top = Inside { bytes: bytes.to_vec(), path: String::new(), at: 0 };
    let once: Vec<Inside> = wraps.iter().map(|wrap| wrap(&top)).collect();
    let twice = wraps.iter().flat_map(|wrap| once.iter().map(wrap)).collect();
    [vec![top], once.clone(), twice].concat()
}

#[test]
fn the_types_keep_the_contract() {
    use snapshot_core::testing::{Contract, contract};

    let leaf = |name: &str| Node { name: name.to_owned(), ..Node::default() };
    let detour = Detour { node: Box::new(leaf("far")), length: 3 };
    contract([
        Node {
            name: "root".to_owned(),
            next: Some(Box::new(leaf("next"))),
            children: vec![leaf("a"), Node::default()],
            by_name: [("key".to_owned(), leaf("value"))].into(),
            link: Some(Link::Detour(detour.clone())),
        },
        Node { link: Some(Link::Left(Box::default())), ..Node::default() },
    ]);
    let around = Node { link: Some(Link::Detour(detour.clone())), ..Node::default() };
    contract([detour, Detour { node: Box::new(around), length: 4 }]);
    let counter = |value| Counter { value, label: "c".to_owned(), stage: Stage::Counting };
    contract([counter(1)]);
    contract([Group {
        name: "g".to_owned(),
        members: vec![counter(1), counter(2)],
        named: [("n".to_owned(), counter(3))].into(),
        leader: Some(counter(4)),
    }]);
    let choice = Contract::new().samples([Choice { kind: Some(Kind::Any(counter(5))) }]);
    UNMAPPED.iter().fold(choice, |choice, member| choice.fixed(*member)).run();
}
