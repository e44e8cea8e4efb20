//! No controller silently has two owners, regardless of the actions of a program between the calls of a
//! migration.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::ops::DerefMut;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_executor::block_on;
use proptest::prelude::*;
use snapshot_core::{
    Child, Code, Context, Controller, ControllerSet, Error, Imported, Incoming, Patched, Session,
    Snapshot, Source,
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
#[snapshot(message = pb::CounterSnapshot, version = 1, controller = Worker, ignore(label))]
#[snapshot(save_from(Idle, Counting), freeze_to = Migrating, import_as = Migrating)]
#[snapshot(abort_to = Done)]
struct WorkerState {
    value: u64,
    #[snapshot(stage)]
    stage: Stage,
    /// Whether it works on this host.
    #[snapshot(skip)]
    works: bool,
}

/// A worker that works from its start, or its resume, until it is frozen.
#[derive(Debug)]
struct Worker(Mutex<WorkerState>);

impl Worker {
    fn new(value: u64) -> Self {
        Self(Mutex::new(WorkerState { value, stage: Stage::Counting, works: true }))
    }
}

impl Controller for Worker {
    type State = WorkerState;

    fn state(&self) -> impl DerefMut<Target = WorkerState> + '_ {
        lock(&self.0)
    }

    fn import(state: WorkerState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }

    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        self.state().works = false;
        Ok(())
    }

    async fn thaw(&self, _: &Context) -> Result<(), Error> {
        self.state().works = true;
        Ok(())
    }

    async fn resume(&self, _: &Context) -> Result<(), Error> {
        self.state().works = true;
        Ok(())
    }

    async fn abort(&self, _: &Context) -> Result<(), Error> {
        self.state().works = false;
        Ok(())
    }
}

/// A parent without stages and hooks, which allows every action at all times.
#[derive(Debug, Snapshot)]
#[snapshot(message = pb::GroupSnapshot, version = 1, controller = Crew, ignore(name, members, leader))]
struct CrewState {
    named: BTreeMap<String, Child<Worker>>,
}

#[derive(Debug)]
struct Crew(Mutex<CrewState>);

impl Controller for Crew {
    type State = CrewState;

    fn state(&self) -> impl DerefMut<Target = CrewState> + '_ {
        lock(&self.0)
    }

    fn import(state: CrewState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// A crew of the first three.
fn crew() -> Arc<Crew> {
    let workers = NAMES[..3].iter().zip(0..);
    let named = workers.map(|(name, at)| ((*name).to_owned(), Child::new(Worker::new(at))));
    Arc::new(Crew(Mutex::new(CrewState { named: named.collect() })))
}

/// An action of the program on a crew.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// Adds a new worker, or replaces another one.
    Put(usize),
    Remove(usize),
    Swap(usize, usize),
    /// The worker finishes on its own.
    Finish(usize),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let name = 0..NAMES.len();
    let deed = prop_oneof![
        name.clone().prop_map(Deed::Put),
        name.clone().prop_map(Deed::Remove),
        (name.clone(), name.clone()).prop_map(|(a, b)| Deed::Swap(a, b)),
        name.prop_map(Deed::Finish),
    ];
    // Most often no action, so that each action also occurs alone.
    prop_oneof![2 => Just(Vec::new()), 1 => proptest::collection::vec(deed, 1..3)]
}

/// All actions on the crews, and all workers that ever existed.
#[derive(Default)]
struct World {
    workers: Vec<Arc<Worker>>,
    next: u64,
}

impl World {
    fn meet(&mut self, crew: &Crew) {
        self.workers.extend(crew.state().named.values().filter_map(|child| child.get().cloned()));
    }

    fn do_all(&mut self, deeds: &[Deed], crew: &Crew) {
        for deed in deeds {
            let named = &mut crew.state().named;
            match *deed {
                Deed::Put(at) => {
                    self.next += 1;
                    let worker = Arc::new(Worker::new(100 + self.next));
                    self.workers.push(Arc::clone(&worker));
                    named.insert(NAMES[at].to_owned(), Child::new(worker));
                }
                Deed::Remove(at) => drop(named.remove(NAMES[at])),
                Deed::Swap(a, b) if a != b => {
                    let (one, other) = (named.remove(NAMES[a]), named.remove(NAMES[b]));
                    named.extend(other.map(|child| (NAMES[a].to_owned(), child)));
                    named.extend(one.map(|child| (NAMES[b].to_owned(), child)));
                }
                Deed::Swap(..) => {}
                Deed::Finish(at) => {
                    if let Some(worker) = named.get(NAMES[at]).and_then(Child::get) {
                        let mut state = worker.state();
                        (state.stage, state.works) = (Stage::Done, false);
                    }
                }
            }
        }
    }
}

/// The members of a crew by value, with their order and stages. Their names are the crew's own state.
fn members(crew: &Crew) -> Vec<(u64, Stage)> {
    let state = crew.state();
    let member = |child: &Child<Worker>| child.with_state(|state| (state.value, state.stage));
    state.named.values().filter_map(member).collect()
}

async fn resume(
    imported: Imported<Crew>,
    session: &Session,
    deeds: (&[Deed], &[Deed]),
    world: &mut World,
) -> Result<Arc<Crew>, Error> {
    let there = Arc::clone(imported.root());
    world.do_all(deeds.0, &there);
    let patched: Patched<Crew> = imported.patch(session).await?;
    world.do_all(deeds.1, &there);
    Ok(patched.resume(session).await?)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_migration_that_reports_nothing_leaves_every_controller_with_one_owner(
        frozen_deeds in deeds(),
        saved_deeds in deeds(),
        imported_deeds in deeds(),
        patched_deeds in deeds(),
    ) {
        let (here, session) = (crew(), Session::new());
        let mut world = World::default();
        world.meet(&here);
        let before = members(&here);
        let frozen = block_on(Source::new(&here).freeze(&session)).unwrap();
        let stood = members(&here);

        world.do_all(&frozen_deeds, &here);
        let changed = members(&here) != stood;
        let saved = frozen.save();
        prop_assert_eq!(saved.is_err(), changed, "{:?}", saved);
        let Ok(snapshot) = saved else {
            // The frozen workers work again here, and the added ones have worked all the time.
            let _ = block_on(frozen.rollback());
            let idle = world.workers.iter().filter(|worker| !worker.state().works);
            // A thaw hook sets the flag of finished workers; they keep their own stage.
            prop_assert_eq!(idle.filter(|w| w.state().stage != Stage::Done).count(), 0);
            return Ok(());
        };
        let imported = Incoming::from(snapshot).import::<Crew>().unwrap();
        let there = block_on(resume(
            imported,
            &session,
            (&imported_deeds, &patched_deeds),
            &mut world,
        ));
        let Ok(there) = there else {
            block_on(frozen.rollback()).unwrap();
            prop_assert_eq!(members(&here), before);
            return Ok(());
        };
        let values = |members: &[(u64, Stage)]| -> Vec<u64> {
            let mut values: Vec<u64> = members.iter().map(|(value, _)| *value).collect();
            // On the destination, a parent can reorder its children.
            values.sort_unstable();
            values
        };
        prop_assert_eq!(values(&members(&there)), values(&before), "every one is there");

        world.do_all(&saved_deeds, &here);
        let changed = members(&here) != stood;
        let committed = block_on(frozen.commit());
        prop_assert_eq!(committed.is_err(), changed, "{:?}", committed);
        if committed.is_ok() {
            let state = here.state();
            let working = state.named.values().filter(|child| {
                child.get().is_some_and(|worker| worker.state().works)
            });
            prop_assert_eq!(working.count(), 0, "works on both hosts");
        }
    }
}

#[test]
fn a_child_with_a_new_key_and_the_same_order_is_saved_under_the_new_key() {
    let (here, session) = (crew(), Session::new());
    let frozen = block_on(Source::new(&here).freeze(&session)).unwrap();
    let mut world = World::default();
    world.do_all(&[Deed::Swap(2, 3)], &here);
    let incoming = Incoming::from(frozen.save().unwrap());
    let preview = incoming.preview().unwrap();
    let ids: Vec<String> = preview.controllers.iter().map(|c| c.id.to_string()).collect();
    assert_eq!(ids, [".", "named/a", "named/b", "named/d"]);
    let imported = incoming.import::<Crew>().unwrap();
    let there = block_on(resume(imported, &session, (&[], &[]), &mut world)).unwrap();
    block_on(frozen.commit()).unwrap();
    assert_eq!(members(&there).len(), 3);
    assert!(members(&here).iter().all(|(_, stage)| *stage == Stage::Done));
}

#[test]
fn a_set_that_is_moved_keeps_its_members_and_says_why() {
    let set = Arc::new(ControllerSet::new());
    set.insert("a", Worker::new(1)).unwrap();
    let refuses = |set: &ControllerSet, reason: &str| {
        for (refused, what) in [
            (set.insert("b", Worker::new(2)), "\"b\" cannot be inserted"),
            (set.insert_after("b", Worker::new(2), &["a"]), "\"b\" cannot be inserted"),
            (set.remove("a").map(drop), "\"a\" cannot be removed"),
        ] {
            let error = refused.unwrap_err();
            assert_eq!(error.code(), Code::FailedPrecondition);
            assert_eq!(error.to_string(), format!("{what} {reason}"));
        }
        assert_eq!(set.ids(), ["a"]);
    };
    let session = Session::new();
    let is_frozen = "while the set is frozen: commit the migration or roll it back first";
    let frozen = block_on(Source::new(&set).freeze(&session)).unwrap();
    refuses(&set, is_frozen);
    block_on(frozen.rollback()).unwrap();
    set.insert("b", Worker::new(2)).unwrap();
    assert!(set.remove("b").unwrap().is_some());

    let frozen = block_on(Source::new(&set).freeze(&session)).unwrap();
    let snapshot = frozen.save().unwrap();
    refuses(&set, is_frozen);
    for is_given_up in [true, false] {
        let imported = Incoming::from(snapshot.clone()).import::<ControllerSet>().unwrap();
        let there = Arc::clone(imported.root());
        let is_not_live = "before the set is live: wait until `resume` has returned";
        refuses(&there, is_not_live);
        let patched = block_on(imported.patch(&session)).unwrap();
        refuses(&there, is_not_live);
        if is_given_up {
            block_on(patched.abort()).unwrap();
            refuses(&there, "since the set was given up: its migration was aborted");
            continue;
        }
        let there = block_on(patched.resume(&session)).unwrap();
        there.insert("b", Worker::new(2)).unwrap();
        assert_eq!(there.ids(), ["a", "b"]);
    }
    block_on(frozen.commit()).unwrap();
    refuses(&set, "since the set was moved away: change it at the destination");
}

#[test]
fn a_member_of_a_set_that_is_moved_belongs_to_that_migration_alone() {
    let (worker, session) = (Arc::new(Worker::new(1)), Session::new());
    let set = Arc::new(ControllerSet::new());
    set.insert("a", Arc::clone(&worker)).unwrap();
    let frozen = block_on(Source::new(&set).freeze(&session)).unwrap();
    let refused = block_on(Source::new(&worker).freeze(&session)).unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(
        refused.to_string(),
        "freeze failed: .: is already migrating, as a under \
         type.googleapis.com/snapshot.v1.ControllerSetSnapshot: commit that migration or roll it \
         back first"
    );
    // Another set cannot take the member either.
    let other = Arc::new(ControllerSet::new());
    other.insert("taken", Arc::clone(&worker)).unwrap();
    let refused = block_on(Source::new(&other).freeze(&session)).unwrap_err().to_string();
    assert!(refused.contains("taken: is already migrating, as a under"), "{refused}");
    assert_eq!(frozen.save().unwrap(), frozen.save().unwrap());
    block_on(frozen.commit()).unwrap();
}
