//! Nesting stops exactly at the limit, for every kind of nesting.

use snapshot_core::codec::{Reader, from_bytes, to_bytes};
use snapshot_core::{Child, Controller, Error, Snapshot};
use snapshot_proto::fixture::v1 as pb;

use super::states::{Node, field};

const LIMIT: usize = Reader::DEPTH_LIMIT as usize;

/// `depth` messages, each around the previous one.
fn nested(depth: usize, wrap: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    (0..depth).fold(Vec::new(), |inner, _| wrap(&inner))
}

/// For each field: how it nests a node, the number of levels, the text that it adds to a path, and the path
/// of the first of these levels.
type Wrap = (fn(&[u8]) -> Vec<u8>, usize, &'static str, &'static str);

const WRAPS: [Wrap; 5] = [
    (|inner| field(2, inner), 1, "next", "next"),
    (|inner| field(3, inner), 1, "children[0]", "children[0]"),
    // An entry is a message around the value.
    (|inner| field(4, &field(2, inner)), 2, "by_name[\"\"]", "by_name"),
    (|inner| field(6, inner), 1, "right", "right"),
    (|inner| field(7, &field(1, inner)), 2, "detour.node", "detour"),
];

#[test]
fn nesting_to_the_limit_is_read() {
    for (wrap, levels, ..) in WRAPS {
        let bytes = nested(LIMIT / levels, wrap);
        let node: Node = from_bytes(&bytes).unwrap();
        // Map entries are written with their default key.
        let again: Node = from_bytes(&to_bytes(&node).unwrap()).unwrap();
        assert_eq!(again, node);
    }
}

#[test]
fn nesting_beyond_the_limit_is_refused() {
    for (wrap, levels, step, first) in WRAPS {
        let bytes = nested(LIMIT / levels + 1, wrap);
        let error = from_bytes::<Node>(&bytes).unwrap_err().to_string();
        let path = vec![step; LIMIT / levels].join(".");
        // The innermost messages are empty: the length of the one too many ends the input, or is
        // followed by the one inside of it.
        let (at, total) = (bytes.len() - 2 * (levels - 1), bytes.len());
        let reason = format!("messages are nested too deep (byte {at} of {total})");
        assert_eq!(error, format!("{path}.{first}: {reason}"));
    }
}

#[test]
fn nesting_far_beyond_the_limit_uses_no_stack() {
    for (wrap, ..) in WRAPS {
        let bytes = nested(20_000, wrap);
        let error = std::thread::Builder::new()
            .stack_size(1 << 20)
            .spawn(move || from_bytes::<Node>(&bytes).unwrap_err().to_string())
            .unwrap()
            .join()
            .unwrap();
        assert!(error.contains("messages are nested too deep"), "{error}");
    }
}

/// A controller that holds controllers of its own type.
#[derive(Debug, Snapshot)]
#[snapshot(message = pb::GroupSnapshot, version = 1, ignore(named, leader))]
struct TreeState {
    name: String,
    members: Vec<Child<Tree>>,
}

#[derive(Debug)]
struct Tree(std::sync::Mutex<TreeState>);

impl Controller for Tree {
    type State = TreeState;

    fn state(&self) -> impl std::ops::DerefMut<Target = TreeState> + '_ {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn import(state: TreeState) -> Result<Self, Error> {
        Ok(Self(std::sync::Mutex::new(state)))
    }
}

#[test]
fn payloads_in_payloads_stop_at_the_same_limit() {
    let wrap = |inner: &[u8]| {
        let url = field(1, b"type.googleapis.com/fixture.v1.GroupSnapshot");
        // The version, then an `Any` around the payload inside.
        [vec![0x08, 0x01], field(3, &[url, field(2, inner)].concat())].concat()
    };
    let bottom = || vec![0x08, 0x01];
    let tree = |depth: usize| (0..depth).fold(bottom(), |inner, _| wrap(&inner));
    // Two levels each: the `Any` and its value.
    let mut state: TreeState = from_bytes(&tree(LIMIT / 2)).unwrap();
    let bytes = to_bytes(&state).unwrap();
    assert_eq!(bytes, tree(LIMIT / 2));
    let mut depth = 0;
    while let Some(child) = state.members.pop() {
        let name = child.with_state(|state| state.name.clone());
        assert_eq!(name.as_deref(), Some(""));
        state = from_bytes(&child.with_state(|state| to_bytes(state).unwrap()).unwrap()).unwrap();
        depth += 1;
    }
    assert_eq!(depth, LIMIT / 2);

    let error = from_bytes::<TreeState>(&tree(LIMIT / 2 + 1)).unwrap_err().to_string();
    let id = ["members/0"; LIMIT / 2].join("/");
    let expected =
        format!("{id}: fixture.v1.GroupSnapshot.members[0]: messages are nested too deep");
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn a_state_in_itself_keeps_the_contract() {
    let tree = |name: &str, members| TreeState { name: name.to_owned(), members };
    let child = Child::new(Tree(std::sync::Mutex::new(tree("leaf", vec![]))));
    snapshot_core::testing::contract([tree("root", vec![child])]);
}
