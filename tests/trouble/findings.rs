//! The preflight and the save report all values that cannot be saved together.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::DerefMut;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_executor::block_on;
use snapshot_core::codec::millis;
use snapshot_core::{Child, Controller, Error, Session, Snapshot, Source};

use super::fixture::{lock, messages, preflight, texts};

messages!("trouble.findings");

#[derive(Snapshot)]
#[snapshot(message = pb::Tree, version = 1, controller = Tree, ignore(only))]
struct TreeState {
    children: Vec<Child<Disk>>,
}

struct Tree(Mutex<TreeState>);

impl Controller for Tree {
    type State = TreeState;

    fn state(&self) -> impl DerefMut<Target = TreeState> + '_ {
        lock(&self.0)
    }

    fn import(state: TreeState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

#[derive(Clone, Copy, Snapshot)]
#[snapshot(stage = pb::Stage)]
enum Stage {
    Stopped,
    Running,
    #[snapshot(transient)]
    Moving,
}

#[derive(Snapshot)]
#[snapshot(message = pb::Disk, version = 1, controller = Disk)]
#[snapshot(save_from(Running), freeze_to = Moving)]
struct DiskState {
    #[snapshot(id)]
    name: String,
    #[snapshot(range = 1..=8)]
    queues: u32,
    #[snapshot(max = 3)]
    sizes: Vec<i64>,
    owners: BTreeMap<i64, i64>,
    first: Part,
    parts: Vec<Part>,
    form: Form,
    #[snapshot(with = millis)]
    timeout: Duration,
    #[snapshot(refers = "user")]
    users: BTreeSet<String>,
    #[snapshot(stage)]
    stage: Stage,
}

#[derive(Clone, Snapshot)]
#[snapshot(message = pb::Part)]
struct Part {
    #[snapshot(max = 4)]
    label: String,
    blocks: i64,
}

#[derive(Snapshot)]
#[snapshot(oneof = pb::Form)]
enum Form {
    Raw(Part),
    Sparse(u32),
}

struct Disk(Mutex<DiskState>);

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        lock(&self.0)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

fn part(label: &str, blocks: i64) -> Part {
    Part { label: label.to_owned(), blocks }
}

fn sound(name: &str) -> DiskState {
    DiskState {
        name: name.to_owned(),
        queues: 1,
        sizes: vec![1],
        owners: BTreeMap::new(),
        first: part("a", 1),
        parts: Vec::new(),
        form: Form::Sparse(1),
        timeout: Duration::ZERO,
        users: BTreeSet::new(),
        stage: Stage::Running,
    }
}

/// A value in which nothing can be saved.
fn broken(name: &str) -> DiskState {
    DiskState {
        queues: 9,
        sizes: vec![1, -1, 2, -2],
        owners: [(1, -3), (-2, 1)].into(),
        first: part("too long", -4),
        parts: vec![part("b", 1), part("too long", 1), part("c", -5)],
        form: Form::Raw(part("d", -6)),
        timeout: Duration::from_nanos(1),
        users: ["nobody".to_owned()].into(),
        ..sound(name)
    }
}

fn what_is_wrong(id: &str) -> Vec<String> {
    let reasons = [
        "queues: is 9, which is not in 1..=8",
        "sizes: has 4 elements, but the maximum is 3",
        "owners[\"-2\"]: -2 does not fit in uint32, which holds 0 to 4294967295",
        "owners[\"1\"]: -3 does not fit in uint32, which holds 0 to 4294967295",
        "first.label: has 8 bytes, but the maximum is 4",
        "first.blocks: -4 does not fit in uint32, which holds 0 to 4294967295",
        "parts[1].label: has 8 bytes, but the maximum is 4",
        "parts[2].blocks: -5 does not fit in uint32, which holds 0 to 4294967295",
        "raw.blocks: -6 does not fit in uint32, which holds 0 to 4294967295",
        "timeout: 1ns is not a whole number of milliseconds",
    ];
    reasons.iter().map(|reason| format!("children/{id}: trouble.findings.Disk.{reason}")).collect()
}

fn tree(disks: Vec<DiskState>) -> Arc<Tree> {
    let child = |disk| Child::new(Disk(Mutex::new(disk)));
    Arc::new(Tree(Mutex::new(TreeState { children: disks.into_iter().map(child).collect() })))
}

#[test]
fn every_value_of_the_tree_that_cannot_be_saved_is_reported_at_once() {
    let root = tree(vec![broken("one"), sound("two"), broken("three")]);
    let mut expected: Vec<String> =
        [what_is_wrong("one"), what_is_wrong("three")].into_iter().flatten().collect();
    expected.extend(["one", "three"].map(|id| {
        format!(
            "children/{id}: trouble.findings.Disk.users[\"nobody\"]: refers to user \"nobody\", but no \
             controller of this snapshot defines any user"
        )
    }));
    assert_eq!(preflight(&root), expected);
    let frozen = block_on(Source::new(&root).freeze(&Session::new())).unwrap();
    assert_eq!(texts(frozen.save().unwrap_err()), expected);
    // After the correction, the same tree is saved without any invalid rest.
    for (disk, name) in lock(&root.0).children.iter().zip(["one", "two", "three"]) {
        *lock(&disk.get().unwrap().0) = DiskState { stage: Stage::Moving, ..sound(name) };
    }
    let saved = frozen.save().unwrap();
    block_on(frozen.rollback()).unwrap();
    let sound = tree(vec![sound("one"), sound("two"), sound("three")]);
    let frozen = block_on(Source::new(&sound).freeze(&Session::new())).unwrap();
    assert_eq!(frozen.save().unwrap(), saved);
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_stage_that_cannot_be_saved_hides_no_value_and_is_reported_once() {
    let root = tree(vec![DiskState { stage: Stage::Stopped, ..broken("one") }, broken("two")]);
    let mut expected =
        vec!["children/one: is in stage Stopped, but can be saved only in Running".into()];
    expected.extend([what_is_wrong("one"), what_is_wrong("two")].into_iter().flatten());
    let found = preflight(&root);
    assert_eq!(found[..expected.len()], expected);
    assert_eq!(found.len(), expected.len() + 2);
}

#[test]
fn of_very_many_findings_the_first_are_reported_and_the_others_counted() {
    let sizes = (0..100_000).map(|n| -n - 1).collect();
    let parts = vec![part("e", -1); 1000];
    let root = tree(vec![DiskState { sizes, parts, ..sound("one") }, broken("two")]);
    let error = Source::new(&root).preflight(&super::fixture::theirs()).unwrap_err();
    assert_eq!(error.findings().count(), Error::LIMIT);
    // The excess of `sizes` is reported once.
    assert_eq!(error.findings().count() + error.dropped(), 1 + 1000 + what_is_wrong("").len() + 1);
}
