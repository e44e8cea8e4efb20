//! A prepared destination that accepts a later state is then like one that has imported only that state.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::ops::DerefMut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_executor::block_on;
use proptest::prelude::*;
use snapshot_core::registry::registry;
use snapshot_core::{
    Child, Code, Context, Controller, Error, Failure, Incoming, Prepared, Session, Snapshot, Source,
};
use snapshot_proto::fixture::v1 as pb;

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(stage = pb::counter_snapshot::Stage)]
enum Stage {
    #[default]
    Idle,
    Counting,
    Done,
    #[snapshot(transient)]
    Migrating,
}

#[derive(Debug, Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, controller = Counter)]
#[snapshot(save_from(Idle, Counting), freeze_to = Migrating, import_as = Migrating)]
struct CounterState {
    value: u64,
    #[snapshot(defines = "label")]
    label: String,
    #[snapshot(stage)]
    stage: Stage,
    /// How often it was refreshed.
    #[snapshot(skip)]
    refreshed: AtomicUsize,
    /// What its `prepare` adds to its value.
    #[snapshot(skip)]
    added: u64,
}

#[derive(Debug)]
struct Counter(Mutex<CounterState>);

impl Counter {
    fn new(value: u64, label: &str) -> Self {
        let label = label.to_owned();
        let (refreshed, added, stage) = (AtomicUsize::new(0), 0, Stage::Counting);
        Self(Mutex::new(CounterState { value, label, stage, refreshed, added }))
    }
}

impl Controller for Counter {
    type State = CounterState;

    fn state(&self) -> impl DerefMut<Target = CounterState> + '_ {
        lock(&self.0)
    }

    fn import(state: CounterState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }

    async fn prepare(&self, _: &Context) -> Result<(), Error> {
        let mut state = self.state();
        // Some hosts change a mapped field already here.
        if state.label.starts_with("changed") {
            state.value += 1000;
            state.added = 1000;
        }
        Ok(())
    }

    fn refresh(&self, state: &mut CounterState, later: CounterState) -> Result<(), Error> {
        snapshot_core::refresh(state, later);
        state.refreshed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn abort(&self, _: &Context) -> Result<(), Error> {
        Ok(())
    }
}

/// A group whose name is the label of a counter somewhere in the tree.
#[derive(Debug, Snapshot)]
#[snapshot(
    message = pb::GroupSnapshot,
    version = 1,
    controller = Group,
    validate = members_are_as_saved
)]
struct GroupState {
    #[snapshot(refers = "label")]
    name: String,
    members: Vec<Child<Counter>>,
    named: BTreeMap<String, Child<dyn Controller>>,
    leader: Option<Child<Group>>,
}

/// No member was in this stage when it was saved.
fn members_are_as_saved(group: &GroupState) -> Result<(), Error> {
    let is_as_saved = |member: &Child<Counter>| {
        member.with_state(|counter| counter.stage != Stage::Migrating).unwrap_or(false)
    };
    match group.members.iter().all(is_as_saved) {
        true => Ok(()),
        false => Err(Error::invalid("a member is in the stage of an import")),
    }
}

#[derive(Debug)]
struct Group(Mutex<GroupState>);

impl Group {
    fn new(name: &str, members: impl IntoIterator<Item = Counter>) -> Self {
        let members = members.into_iter().map(Child::new).collect();
        let (named, leader) = (BTreeMap::new(), None);
        Self(Mutex::new(GroupState { name: name.to_owned(), members, named, leader }))
    }
}

impl Controller for Group {
    type State = GroupState;

    fn state(&self) -> impl DerefMut<Target = GroupState> + '_ {
        lock(&self.0)
    }

    fn import(state: GroupState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

/// A root with three members, two named counters, and a leader with two members.
fn root() -> Arc<Group> {
    let root = Group::new("a", [Counter::new(1, "a"), Counter::new(2, "b"), Counter::new(3, "c")]);
    {
        let mut state = root.state();
        for (key, label) in [("x", "d"), ("y", "e")] {
            state.named.insert(key.to_owned(), Child::of(Counter::new(4, label)));
        }
        let leader = Group::new("b", [Counter::new(5, "f"), Counter::new(6, "changed g")]);
        state.leader = Some(Child::new(leader));
    }
    Arc::new(root)
}

/// The source as it is now; an error if that is not a tree that can be saved.
fn rehearse(root: &Arc<Group>) -> Result<Snapshot, Error> {
    Source::new(root).rehearse(&registry()?.manifest())
}

fn prepare(root: &Arc<Group>) -> Prepared<Group> {
    let imported = Incoming::from(rehearse(root).unwrap()).import::<Group>().unwrap();
    block_on(imported.prepare(&Session::new())).unwrap()
}

/// All counters under a root, with their places, in the order of the tree.
fn counters(root: &Arc<Group>) -> Vec<(String, Arc<Counter>)> {
    let state = root.state();
    let mut found = Vec::new();
    for (index, member) in state.members.iter().enumerate() {
        found.push((format!("members/{index}"), Arc::clone(member.get().unwrap())));
    }
    for (key, child) in &state.named {
        found.push((format!("named/{key}"), child.downcast::<Counter>().unwrap()));
    }
    if let Some(leader) = state.leader.as_ref().and_then(Child::get) {
        let below = counters(leader).into_iter();
        found.extend(below.map(|(place, counter)| (format!("leader/{place}"), counter)));
    }
    found
}

/// The counters that were refreshed, since they were imported.
fn refreshed(root: &Arc<Group>) -> Vec<(String, usize)> {
    let counters = counters(root).into_iter();
    let times =
        counters.map(|(place, counter)| (place, counter.state().refreshed.load(Ordering::Relaxed)));
    times.filter(|&(_, times)| times > 0).collect()
}

fn live(prepared: Prepared<Group>, later: Snapshot) -> Result<Arc<Group>, Failure> {
    let session = Session::new();
    let patched = block_on(prepared.patch(Incoming::from(later), &session))?;
    block_on(patched.resume(&session))
}

#[test]
fn only_what_has_changed_is_refreshed() {
    let source = root();
    let prepared = prepare(&source);
    let there = Arc::clone(prepared.root());
    // Its `prepare` has changed its value, which is the source's again.
    let always = ("leader/members/1".to_owned(), 1);
    counters(&source)[3].1.state().value = 44;
    let live = live(prepared, rehearse(&source).unwrap()).unwrap();
    assert!(Arc::ptr_eq(&live, &there));
    assert_eq!(refreshed(&live), [("named/x".to_owned(), 1), always]);
    let values: Vec<_> = counters(&live).iter().map(|(_, counter)| counter.state().value).collect();
    assert_eq!(values, [1, 2, 3, 44, 4, 5, 6]);
    assert_eq!(counters(&live)[6].1.state().added, 1000, "a field of the host stays");
    assert!(counters(&live).iter().all(|(_, counter)| counter.state().stage == Stage::Counting));
}

#[test]
fn a_state_in_which_much_has_changed_is_read_as_a_whole() {
    let source = root();
    let more = (0..100).map(|at| Child::new(Counter::new(at, &format!("more {at}"))));
    source.state().members.extend(more);
    let prepared = prepare(&source);
    for member in &source.state().members {
        member.get().unwrap().state().value += 1;
    }
    let live = live(prepared, rehearse(&source).unwrap()).unwrap();
    let all = counters(&live);
    assert_eq!(refreshed(&live).len(), all.len(), "the named ones and the leader's too");
    let values = |root: &Arc<Group>| {
        counters(root).iter().map(|(_, at)| at.state().value).collect::<Vec<_>>()
    };
    assert_eq!(values(&live), values(&source));
}

#[test]
fn a_field_that_the_destination_has_changed_is_the_sources_again() {
    let source = root();
    let prepared = prepare(&source);
    counters(prepared.root())[1].1.state().value = 77;
    let live = live(prepared, rehearse(&source).unwrap()).unwrap();
    assert_eq!(counters(&live)[1].1.state().value, 2);
}

#[test]
fn a_later_stage_arrives_without_another_change() {
    let source = root();
    let prepared = prepare(&source);
    counters(&source)[0].1.state().stage = Stage::Idle;
    let live = live(prepared, rehearse(&source).unwrap()).unwrap();
    assert_eq!(counters(&live)[0].1.state().stage, Stage::Idle);
    assert_eq!(counters(&live)[1].1.state().stage, Stage::Counting);
}

#[test]
fn a_name_that_no_longer_resolves_is_refused_though_everything_else_is_unchanged() {
    let source = root();
    let prepared = prepare(&source);
    let good = rehearse(&source).unwrap();
    // The bytes of a source that does not check its references: `b` is the leader's name.
    let mut any = good.into_any();
    let at = any.value.windows(3).position(|window| window == [0x1a, 1, b'b']).unwrap();
    any.value[at + 2] = b'z';
    let dangling = Snapshot::from_any(&any).unwrap();
    let cold = Incoming::from(dangling.clone()).import::<Group>().unwrap_err();
    assert!(cold.to_string().contains(r#"refers to label "b""#), "{cold}");
    let failure = live(prepared, dangling).unwrap_err();
    assert!(failure.to_string().contains(&cold.to_string()), "{failure}");
}

/// A change between the rehearsal and the last state.
#[derive(Clone, Debug)]
enum Change {
    /// Another value of a counter of the source.
    Value(usize, u64),
    /// Another stage of one.
    Stage(usize),
    /// Another label of one, which its group's name may refer to.
    Label(usize),
    /// Another value of a counter of the destination.
    There(usize, u64),
    /// One more member, at the end or at the beginning.
    AddMember(bool),
    RemoveMember(usize),
    /// Two members exchange their places.
    Swap(usize, usize),
    AddNamed(usize),
    RemoveNamed(usize),
    /// A named counter under another key.
    Rename(usize, usize),
    RemoveLeader,
}

const KEYS: [&str; 4] = ["w", "x", "y", "z"];

impl Change {
    fn make(&self, source: &Arc<Group>, there: &Arc<Group>, round: usize) {
        let of = |root: &Arc<Group>, index: usize| {
            let counters = counters(root);
            (!counters.is_empty()).then(|| Arc::clone(&counters[index % counters.len()].1))
        };
        let new = || Counter::new(9, &format!("new {round}"));
        match *self {
            Change::Value(index, value) => {
                of(source, index).iter().for_each(|counter| counter.state().value = value);
            }
            Change::Stage(index) => {
                of(source, index).iter().for_each(|counter| counter.state().stage = Stage::Idle);
            }
            Change::Label(index) => {
                let label = format!("label {round}");
                of(source, index)
                    .iter()
                    .for_each(|counter| counter.state().label.clone_from(&label));
            }
            Change::There(index, value) => {
                of(there, index).iter().for_each(|counter| counter.state().value = value);
            }
            Change::AddMember(at_end) => {
                let members = &mut source.state().members;
                let at = if at_end { members.len() } else { 0 };
                members.insert(at, Child::new(new()));
            }
            Change::RemoveMember(index) => {
                let members = &mut source.state().members;
                if index < members.len() {
                    members.remove(index);
                }
            }
            Change::Swap(one, other) => {
                let members = &mut source.state().members;
                if one < members.len() && other < members.len() {
                    members.swap(one, other);
                }
            }
            Change::AddNamed(key) => {
                source.state().named.insert(KEYS[key].to_owned(), Child::of(new()));
            }
            Change::RemoveNamed(key) => drop(source.state().named.remove(KEYS[key])),
            Change::Rename(from, to) => {
                let named = &mut source.state().named;
                if let Some(child) = named.remove(KEYS[from]) {
                    named.insert(KEYS[to].to_owned(), child);
                }
            }
            Change::RemoveLeader => source.state().leader = None,
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let counter = 0..8_usize;
    let key = 0..KEYS.len();
    prop_oneof![
        4 => (counter.clone(), 0..100_u64).prop_map(|(index, value)| Change::Value(index, value)),
        2 => counter.clone().prop_map(Change::Stage),
        1 => counter.clone().prop_map(Change::Label),
        1 => (counter, 0..100_u64).prop_map(|(index, value)| Change::There(index, value)),
        1 => any::<bool>().prop_map(Change::AddMember),
        1 => (0..4_usize).prop_map(Change::RemoveMember),
        1 => (0..3_usize, 0..3_usize).prop_map(|(one, other)| Change::Swap(one, other)),
        1 => key.clone().prop_map(Change::AddNamed),
        1 => key.clone().prop_map(Change::RemoveNamed),
        1 => (key.clone(), key).prop_map(|(from, to)| Change::Rename(from, to)),
        1 => Just(Change::RemoveLeader),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn after_any_changes_the_destination_is_like_one_that_was_not_prepared(
        changes in prop::collection::vec(change(), 0..4),
    ) {
        let source = root();
        let prepared = prepare(&source);
        let there = Arc::clone(prepared.root());
        let before = counters(&there);
        for (round, change) in changes.iter().enumerate() {
            change.make(&source, &there, round);
        }
        let later = match rehearse(&source) {
            Ok(later) => later,
            // Nothing that the source refuses reaches the destination.
            Err(error) => {
                prop_assert_eq!(error.code(), Code::InvalidArgument, "{}", error);
                block_on(prepared.abort()).unwrap();
                return Ok(());
            }
        };
        let cold = Incoming::from(later.clone()).import::<Group>().unwrap();
        let session = Session::new();
        let cold = block_on(async { cold.patch(&session).await.unwrap().resume(&session).await.unwrap() });
        let live = live(prepared, later.clone()).unwrap();
        let (expected, found) = (rehearse(&cold).unwrap(), rehearse(&live).unwrap());
        prop_assert_eq!(expected.payload(), later.payload());
        prop_assert_eq!(found.payload(), later.payload());
        // What is at the same place is the same controller.
        prop_assert!(Arc::ptr_eq(&live, &there));
        for (place, counter) in counters(&live) {
            let same = before.iter().find(|(earlier, _)| *earlier == place);
            if let Some((_, earlier)) = same {
                prop_assert!(Arc::ptr_eq(&counter, earlier), "{}", place);
            }
        }
    }
}
