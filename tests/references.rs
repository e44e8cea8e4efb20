//! References: the names that `defines` and `refers` find in every kind of field, and their checks.

#![allow(clippy::unwrap_used, reason = "what helpers find wrong fails the test too")]

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::DerefMut;
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use proptest::collection::{btree_map, btree_set, hash_map, vec};
use proptest::prelude::*;
use prost::Message;
use prost_types::Any;
use snapshot_core::codec::{Names, Reference, from_bytes};
use snapshot_core::testing::contract;
use snapshot_core::{
    Child, Code, Controller, ControllerSet, Error, Incoming, Session, Snapshot, Source, State,
    check_references, registry,
};
use uuid::Uuid;

mod pb {
    use std::collections::HashMap;

    use snapshot_core::Schema;

    /// A bus with its slots and users.
    #[derive(Clone, PartialEq, Schema, ::prost::Message)]
    pub(crate) struct Bus {
        #[prost(uint32, tag = "1")]
        pub schema_version: u32,
        #[prost(string, tag = "2")]
        pub name: String,
        /// The meaning of each key.
        #[prost(map = "string, string", tag = "3")]
        pub slots: HashMap<String, String>,
        #[prost(map = "string, message", tag = "4")]
        pub users: HashMap<String, User>,
        #[prost(message, repeated, tag = "5")]
        pub guests: Vec<User>,
        #[prost(message, optional, boxed, tag = "6")]
        pub owner: Option<Box<User>>,
        #[prost(oneof = "Way", tags = "7, 8")]
        pub way: Option<Way>,
        #[prost(message, repeated, tag = "9")]
        pub children: Vec<prost_types::Any>,
        #[prost(message, optional, tag = "10")]
        pub child: Option<prost_types::Any>,
    }

    #[derive(Clone, PartialEq, Schema, ::prost::Oneof)]
    pub(crate) enum Way {
        #[prost(string, tag = "7")]
        Plain(String),
        #[prost(message, tag = "8")]
        Held(User),
    }

    /// A user that refers in every way.
    #[derive(Clone, PartialEq, Schema, ::prost::Message)]
    pub(crate) struct User {
        #[prost(string, repeated, tag = "1")]
        pub list: Vec<String>,
        #[prost(uint32, repeated, tag = "2")]
        pub numbers: Vec<u32>,
        #[prost(string, optional, tag = "3")]
        pub maybe: Option<String>,
        #[prost(string, tag = "4")]
        pub plain: String,
        #[prost(map = "uint32, string", tag = "5")]
        pub by_number: HashMap<u32, String>,
        #[prost(bytes = "vec", tag = "6")]
        pub raw: Vec<u8>,
        #[prost(message, optional, tag = "7")]
        pub nested: Option<Box<User>>,
    }

    impl prost::Name for Bus {
        const NAME: &'static str = "Bus";
        const PACKAGE: &'static str = "test.v1";
    }

    impl prost::Name for User {
        const NAME: &'static str = "User";
        const PACKAGE: &'static str = "test.v1";
    }
}

/// A controller for any state.
struct Locked<S>(Mutex<S>);

impl<S> Locked<S> {
    fn new(state: S) -> Arc<Self> {
        Arc::new(Self(Mutex::new(state)))
    }
}

impl<S: snapshot_core::Payload> Controller for Locked<S> {
    type State = S;

    fn state(&self) -> impl DerefMut<Target = S> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: S) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

type Bus = Locked<BusState>;

#[derive(Default, Snapshot)]
#[snapshot(message = pb::Bus, version = 1, controller = Bus)]
struct BusState {
    #[snapshot(id)]
    name: String,
    #[snapshot(defines(keys = "slot", values = "label"))]
    slots: HashMap<SlotName, String>,
    users: HashMap<String, Arc<User>>,
    guests: VecDeque<User>,
    owner: Option<Box<User>>,
    way: Option<Way>,
    children: Vec<Child<Bus>>,
    child: Option<Child<dyn Controller>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Snapshot)]
#[snapshot(transparent)]
struct SlotName(String);

#[derive(Snapshot)]
#[snapshot(oneof = pb::Way)]
enum Way {
    Plain(String),
    Held(User),
}

#[derive(Clone, Default, Snapshot)]
#[snapshot(message = pb::User)]
struct User {
    #[snapshot(refers = "slot")]
    list: Vec<SlotName>,
    #[snapshot(defines = "number")]
    numbers: BTreeSet<u16>,
    #[snapshot(refers = "slot")]
    maybe: Option<Box<SlotName>>,
    plain: String,
    #[snapshot(refers(keys = "number", values = "label"))]
    by_number: BTreeMap<u64, String>,
    #[snapshot(refers = "slot", with = spelled)]
    raw: Option<Spelled>,
    nested: Option<Arc<User>>,
}

/// A reference that is bytes on the wire.
#[derive(Clone)]
struct Spelled(char);

impl Reference for Spelled {
    fn add_names(&self, names: &mut Names<'_>) {
        names.add(self.0.encode_utf8(&mut [0; 4]));
    }
}

mod spelled {
    use super::Spelled;

    pub(super) fn to_wire(value: &Option<Spelled>) -> Result<Vec<u8>, String> {
        Ok(value.iter().map(|spelled| spelled.0 as u8).collect())
    }

    pub(super) fn from_wire(bytes: Vec<u8>) -> Result<Option<Spelled>, String> {
        match *bytes {
            [] => Ok(None),
            [byte] => Ok(Some(Spelled(byte.into()))),
            _ => Err(format!("has {} bytes, at most 1 is a letter", bytes.len())),
        }
    }
}

/// Creates a user whose references dangle in every way and from all fields.
fn stranger() -> User {
    User {
        list: vec![SlotName("a".into()), SlotName("x".into())],
        numbers: [].into(),
        maybe: Some(Box::new(SlotName("y".into()))),
        plain: String::new(),
        by_number: [(7, "z".to_owned())].into(),
        raw: Some(Spelled('w')),
        nested: None,
    }
}

/// Creates a user with one reference.
fn user(slot: &str) -> User {
    User { list: vec![SlotName(slot.into())], ..User::default() }
}

/// Creates a bus with a slot `a` that is labelled `A`.
fn bus(name: &str) -> BusState {
    let slots = HashMap::from([(SlotName("a".into()), "A".into())]);
    BusState { name: name.into(), slots, ..BusState::default() }
}

/// Returns the text of each error in the references of a tree.
#[track_caller]
fn wrong(state: &impl State) -> Vec<String> {
    match check_references(state) {
        Ok(()) => Vec::new(),
        Err(error) => {
            assert_eq!(error.code(), Code::InvalidArgument);
            error.findings().map(ToString::to_string).collect()
        }
    }
}

/// Returns the places of the errors.
#[track_caller]
fn places(state: &impl State) -> Vec<String> {
    let place = |text: String| text.split(": ").take(2).collect::<Vec<_>>().join(": ");
    wrong(state).into_iter().map(place).collect()
}

#[test]
fn every_way_to_refer_is_checked() {
    let state = BusState { guests: [stranger()].into(), ..bus("b") };
    assert_eq!(
        wrong(&state),
        [
            r#".: test.v1.Bus.guests[0].list[1]: refers to slot "x", which is not in test.v1.Bus.slots"#,
            r#".: test.v1.Bus.guests[0].maybe: refers to slot "y", which is not in test.v1.Bus.slots"#,
            r#".: test.v1.Bus.guests[0].by_number["7"]: refers to number "7", but no controller of this snapshot defines any number"#,
            r#".: test.v1.Bus.guests[0].by_number["7"]: refers to label "z", which is not in test.v1.Bus.slots"#,
            r#".: test.v1.Bus.guests[0].raw: refers to slot "w", which is not in test.v1.Bus.slots"#,
        ]
    );
}

#[test]
fn a_reference_resolves_with_any_types_at_its_ends() {
    let friend = User {
        list: vec![SlotName("a".into())],
        numbers: [7].into(),
        maybe: Some(Box::new(SlotName("a".into()))),
        by_number: [(7, "A".to_owned())].into(),
        raw: Some(Spelled('a')),
        ..User::default()
    };
    assert_eq!(wrong(&BusState { guests: [friend].into(), ..bus("b") }), [""; 0]);
}

/// Counts the errors of this many users in a bus with these slots: duplicate definitions and dangling
/// references.
fn counted(slots: &HashMap<SlotName, String>, users: &[User]) -> usize {
    let slot_names = slots.keys().map(|SlotName(name)| ("slot", name.clone()));
    let labels = slots.values().map(|label| ("label", label.clone()));
    let numbers = users.iter().flat_map(|user| &user.numbers);
    let numbers = numbers.map(|number| ("number", number.to_string()));
    let defined: Vec<_> = slot_names.chain(labels).chain(numbers).collect();
    let known: BTreeSet<_> = defined.iter().cloned().collect();
    let referred = users.iter().flat_map(|user| {
        let slots = user.list.iter().map(|SlotName(name)| ("slot", name.clone()));
        let pairs = user.by_number.iter();
        slots.chain(pairs.flat_map(|(k, v)| [("number", k.to_string()), ("label", v.clone())]))
    });
    let dangling = referred.filter(|name| !known.contains(name)).count();
    defined.len() - known.len() + dangling
}

proptest! {
    #[test]
    fn exactly_the_duplicate_definitions_and_dangling_references_are_reported(
        slots in hash_map("[ab]".prop_map(SlotName), "[AB]", 0..3),
        users in vec((0..5, vec("[abc]", 0..2), btree_set(0..4_u16, 0..2),
            btree_map(0..3_u64, "[ABC]", 0..2)), 0..5),
    ) {
        let mut all = Vec::new();
        let mut state = BusState { slots, ..BusState::default() };
        for (place, list, numbers, by_number) in users {
            let list = list.into_iter().map(SlotName).collect();
            let user = User { list, numbers, by_number, ..User::default() };
            all.push(user.clone());
            match place {
                0 => state.guests.push_back(user),
                1 => {
                    let name = state.users.len().to_string();
                    state.users.insert(name, Arc::new(user));
                }
                2 => state.guests.push_front(User { nested: Some(Arc::new(user)), ..User::default() }),
                _ => {
                    let below = BusState { guests: [user].into(), ..BusState::default() };
                    state.children.push(Child::new(Locked::new(below)));
                }
            }
        }
        prop_assert_eq!(wrong(&state).len(), counted(&state.slots, &all));
    }
}

#[test]
fn nested_structs_are_checked_in_every_kind_of_field() {
    let shared = Arc::new(user("x"));
    let nested = User { nested: Some(Arc::clone(&shared)), ..User::default() };
    let state = BusState {
        users: [("m/1".to_owned(), shared), ("k".to_owned(), Arc::new(user("x")))].into(),
        guests: [user("a"), nested].into(),
        owner: Some(Box::new(user("x"))),
        way: Some(Way::Held(user("x"))),
        ..bus("b")
    };
    assert_eq!(
        places(&state),
        [
            r#".: test.v1.Bus.users["k"].list[0]"#,
            r#".: test.v1.Bus.users["m/1"].list[0]"#,
            ".: test.v1.Bus.guests[1].nested.list[0]",
            ".: test.v1.Bus.owner.list[0]",
            ".: test.v1.Bus.held.list[0]",
        ]
    );
    assert_eq!(wrong(&BusState { way: Some(Way::Plain("x".into())), ..bus("b") }), [""; 0]);
}

#[test]
fn a_duplicate_definition_is_reported_with_the_first_one() {
    let child = BusState {
        guests: [User { numbers: [1, 2].into(), ..User::default() }].into(),
        ..bus("c")
    };
    let state = BusState {
        owner: Some(Box::new(User { numbers: [2].into(), ..User::default() })),
        children: vec![Child::new(Locked::new(child))],
        ..bus("b")
    };
    assert_eq!(
        wrong(&state),
        [
            r#"children/c: test.v1.Bus.slots["a"]: defines slot "a", which .: test.v1.Bus.slots["a"] already defines"#,
            r#"children/c: test.v1.Bus.slots["a"]: defines label "A", which .: test.v1.Bus.slots["a"] already defines"#,
            r#"children/c: test.v1.Bus.guests[0].numbers["2"]: defines number "2", which .: test.v1.Bus.owner.numbers["2"] already defines"#,
        ]
    );
    let labels =
        HashMap::from([(SlotName("a".into()), "A".into()), (SlotName("b".into()), "A".into())]);
    assert_eq!(
        wrong(&BusState { slots: labels, ..bus("b") }),
        [
            r#".: test.v1.Bus.slots["b"]: defines label "A", which test.v1.Bus.slots["a"] already defines"#
        ]
    );
}

/// Creates a tree whose root has the only slot and whose other controllers all refer to a second one.
fn tree() -> BusState {
    let below = |name: &str, child| {
        let guests = [user("a"), user("x")].into();
        let state = BusState { name: name.into(), guests, child, ..BusState::default() };
        Child::new(Locked::new(state))
    };
    let any = Child::of(Locked::new(BusState {
        owner: Some(Box::new(user("x"))),
        ..BusState::default()
    }));
    BusState { children: vec![below("one", None), below("", Some(any))], ..bus("root") }
}

#[test]
fn live_and_decoded_controllers_are_checked_in_the_same_way() {
    let expected = [
        r#"children/one: test.v1.Bus.guests[1].list[0]: refers to slot "x", which is not in .: test.v1.Bus.slots"#,
        r#"children/"": test.v1.Bus.guests[1].list[0]: refers to slot "x", which is not in .: test.v1.Bus.slots"#,
        r#"children/""/child: test.v1.Bus.owner.list[0]: refers to slot "x", which is not in .: test.v1.Bus.slots"#,
    ];
    let live = tree();
    assert_eq!(wrong(&live), expected);
    let decoded: BusState = from_bytes(&snapshot_core::codec::to_bytes(&live).unwrap()).unwrap();
    assert_eq!(wrong(&decoded), expected);
}

fn snapshot(state: &BusState) -> Snapshot {
    let value = snapshot_core::codec::to_bytes(state).unwrap();
    Snapshot::from_any(&Any { type_url: "type.googleapis.com/test.v1.Bus".into(), value }).unwrap()
}

#[test]
fn an_import_checks_the_whole_tree() {
    let incoming = Incoming::from(snapshot(&tree()));
    let expected = wrong(&tree()).join("\n");
    assert_eq!(incoming.check::<Bus>().unwrap_err().to_string(), expected);
    assert_eq!(incoming.preview().unwrap_err().to_string(), expected);
    assert_eq!(incoming.import::<Bus>().unwrap_err().to_string(), expected);
    let mut whole = tree();
    whole.slots.insert(SlotName("x".into()), "X".into());
    assert!(Incoming::from(snapshot(&whole)).import::<Bus>().is_ok());
}

#[test]
fn a_duplicate_id_is_reported_once() {
    let twin = || Child::new(Locked::new(BusState { guests: [user("x")].into(), ..bus("twin") }));
    let state = BusState { children: vec![twin(), twin()], ..BusState::default() };
    let error = Incoming::from(snapshot(&state)).check::<Bus>().unwrap_err();
    let texts: Vec<_> = error.findings().map(ToString::to_string).collect();
    let dangling =
        r#"children/twin: test.v1.Bus.guests[0].list[0]: refers to slot "x", which is neither in "#;
    assert_eq!(texts.len(), 3, "{error}");
    assert!(texts[0].starts_with("children/twin: 2 controllers have this id"), "{error}");
    assert!(texts[1..].iter().all(|text| text.starts_with(dangling)), "{error}");
}

#[test]
fn a_source_finds_it_before_the_freeze_and_saves_nothing() {
    let root = Locked::new(tree());
    let manifest = registry::registry().unwrap().manifest();
    let expected = wrong(&*root.state()).join("\n");
    let error = Source::new(&root).preflight(&manifest).unwrap_err();
    assert_eq!(error.to_string(), expected);
    block_on(async {
        let frozen = Source::new(&root).freeze(&Session::new()).await.unwrap();
        assert_eq!(frozen.save().unwrap_err().to_string(), expected);
        root.state().slots.insert(SlotName("x".into()), "X".into());
        frozen.save().unwrap();
        frozen.rollback().await.unwrap();
    });
    Source::new(&root).preflight(&manifest).unwrap();
}

#[test]
fn members_of_a_set_refer_to_each_other_by_their_ids() {
    let set = Arc::new(ControllerSet::new());
    set.insert("a/b", Locked::new(bus("own name"))).unwrap();
    let guests = [user("x")].into();
    set.insert("c", Locked::new(BusState { guests, ..BusState::default() })).unwrap();
    let error = Source::new(&set).preflight(&registry::registry().unwrap().manifest()).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"c: test.v1.Bus.guests[0].list[0]: refers to slot "x", which is not in a%2Fb: test.v1.Bus.slots"#
    );
}

#[test]
fn payloads_without_a_controller_are_checked_as_those_with_one() {
    #[derive(Snapshot)]
    #[snapshot(message = pb::Bus, version = 1)]
    #[snapshot(ignore(name, slots, users, guests, owner, way, children))]
    struct Plain {
        child: Inner,
    }

    #[derive(Snapshot)]
    #[snapshot(message = pb::Bus, version = 1)]
    #[snapshot(ignore(slots, users, owner, way, children, child))]
    struct Inner {
        #[snapshot(id)]
        name: String,
        guests: Vec<User>,
    }

    let state = Plain { child: Inner { name: "n".into(), guests: vec![user("x")] } };
    assert_eq!(places(&state), ["child: test.v1.Bus.guests[0].list[0]"]);
    let inner = || Inner { name: "n".into(), guests: vec![stranger()] };
    contract([inner()]);
    contract([Plain { child: inner() }]);
}

#[test]
fn the_result_of_an_adapter_is_also_checked() {
    mod pair {
        use std::convert::Infallible;

        use super::{User, user};

        pub(super) fn to_wire(slots: &(String, String)) -> Result<Vec<User>, Infallible> {
            Ok(vec![user(&slots.0), user(&slots.1)])
        }

        pub(super) fn from_wire(_: Vec<User>) -> Result<(String, String), Infallible> {
            Ok(Default::default())
        }
    }

    #[derive(Snapshot)]
    #[snapshot(message = pb::Bus, version = 1)]
    #[snapshot(ignore(name, users, owner, way, children, child))]
    struct Pair {
        #[snapshot(defines = "slot")]
        slots: HashMap<String, String>,
        #[snapshot(with = pair)]
        guests: (String, String),
    }

    let slots = HashMap::from([("a".to_owned(), String::new())]);
    let state = Pair { slots, guests: ("a".into(), "x".into()) };
    assert_eq!(places(&state), [".: test.v1.Bus.guests[1].list[0]"]);
}

#[test]
fn a_generic_struct_and_a_newtype_of_a_collection_can_refer() {
    #[derive(Snapshot)]
    #[snapshot(transparent)]
    struct Ids<T>(Vec<T>);

    #[derive(Snapshot)]
    #[snapshot(transparent)]
    struct Labels(BTreeMap<String, Uuid>);

    #[derive(Snapshot)]
    #[snapshot(message = pb::Bus, version = 1)]
    #[snapshot(ignore(name, users, guests, owner, way, children, child))]
    struct Labelled {
        #[snapshot(refers(values = "id"))]
        slots: Labels,
    }

    #[derive(Snapshot)]
    #[snapshot(message = pb::User)]
    #[snapshot(ignore(numbers, maybe, plain, by_number, raw, nested))]
    struct Generic<T>
    where
        T: Reference + snapshot_core::codec::Wire<snapshot_core::schema::kind::String>,
    {
        #[snapshot(refers = "slot")]
        list: Ids<T>,
    }

    let id = Uuid::from_u128(0xA);
    let refers = "refers to id \"00000000-0000-0000-0000-00000000000a\"";
    let texts = wrong(&Labelled { slots: Labels([("k".to_owned(), id)].into()) });
    assert!(texts[0].starts_with(&format!(".: test.v1.Bus.slots[\"k\"]: {refers}")), "{texts:?}");
    contract([Labelled { slots: Labels([("k".to_owned(), id)].into()) }]);
    contract([Generic { list: Ids(vec![id]) }]);
    let texts = wrong(&Generic { list: Ids(vec![id]) });
    assert!(texts[0].starts_with(".: test.v1.User.list[0]: refers to slot"), "{texts:?}");
}

#[test]
fn one_field_can_define_and_refer() {
    #[derive(Snapshot)]
    #[snapshot(message = pb::Bus, version = 1)]
    #[snapshot(ignore(name, users, guests, owner, way, children, child))]
    struct Chain {
        /// Each key stands for the next.
        #[snapshot(defines = "link", refers(values = "link"))]
        slots: BTreeMap<String, String>,
    }

    let chain = |links: &[(&str, &str)]| Chain {
        slots: links.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
    };
    assert_eq!(wrong(&chain(&[("a", "b"), ("b", "a")])), [""; 0]);
    contract([chain(&[("a", "b")])]);
    assert_eq!(
        wrong(&chain(&[("a", "b"), ("b", "c")])),
        [r#".: test.v1.Bus.slots["b"]: refers to link "c", which is not in test.v1.Bus.slots"#]
    );
}

#[test]
fn both_ends_of_references_keep_the_contract() {
    // An `Arc` of its own in each place.
    let nested = || User { nested: Some(Arc::new(stranger())), numbers: [7].into(), ..stranger() };
    contract([nested(), user("a")]);
    let state = BusState {
        users: [("m".to_owned(), Arc::new(nested()))].into(),
        guests: [nested()].into(),
        owner: Some(Box::new(nested())),
        way: Some(Way::Held(nested())),
        child: Some(Child::of(Locked::new(bus("any")))),
        children: vec![Child::new(Locked::new(bus("c")))],
        ..bus("b")
    };
    contract([state, BusState { way: Some(Way::Plain("p".into())), ..bus("b") }]);
}

#[test]
fn more_errors_than_are_kept_are_counted() {
    let list = (0..1_000).map(|n| SlotName(n.to_string())).collect();
    let state =
        BusState { guests: [User { list, ..User::default() }].into(), ..BusState::default() };
    let error = check_references(&state).unwrap_err();
    assert_eq!(error.findings().count(), Error::LIMIT);
    assert_eq!(error.dropped(), 1_000 - Error::LIMIT);
}

#[test]
fn a_payload_that_prost_wrote_is_checked() {
    let guests = vec![pb::User { list: vec!["x".into()], ..Default::default() }];
    let bus = pb::Bus { schema_version: 1, guests, ..Default::default() };
    let state: BusState = from_bytes(&bus.encode_to_vec()).unwrap();
    assert_eq!(
        wrong(&state),
        [
            r#".: test.v1.Bus.guests[0].list[0]: refers to slot "x", but no controller of this snapshot defines any slot"#
        ]
    );
}
