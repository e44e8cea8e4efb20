//! Controllers without some hooks: the framework still does its work around these hooks.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::future::Future;
use std::ops::DerefMut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_executor::block_on;
use snapshot_core::{
    Child, Code, Context, Controller, Error, Failure, Incoming, Payload, Phase, Session, Snapshot,
    Source,
};
use snapshot_proto::fixture::v1 as pb;
use snapshot_proto::lcow::v1 as lcow;

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A controller without hooks.
macro_rules! controllers {
    ($($controller:ident of $state:ident;)*) => {$(
        #[derive(Debug)]
        struct $controller(Mutex<$state>);

        impl Controller for $controller {
            type State = $state;

            fn state(&self) -> impl DerefMut<Target = $state> + '_ {
                let mut state = lock(&self.0);
                state.may_panic();
                state
            }

            fn import(state: $state) -> Result<Self, Error> {
                Ok(Self(Mutex::new(state)))
            }
        }
    )*};
}

controllers! {
    Fleet of FleetState;
    Ship of ShipState;
}

#[derive(Debug, Snapshot)]
#[snapshot(message = pb::GroupSnapshot, version = 1, controller = Fleet, ignore(name, named, leader))]
struct FleetState {
    members: Vec<Child<dyn Controller>>,
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
#[snapshot(
    message = pb::CounterSnapshot,
    version = 1,
    controller = Ship,
    save_from(Counting),
    freeze_to = Migrating,
    import_as = Migrating,
    ignore(label)
)]
struct ShipState {
    value: u64,
    #[snapshot(stage)]
    stage: Stage,
}

impl FleetState {
    fn may_panic(&mut self) {}
}

impl ShipState {
    /// Does this once.
    fn may_panic(&mut self) {
        if self.value == WRECK {
            self.value = 0;
            panic!("wrecked");
        }
    }
}

/// The value of a ship that panics in its `state` function.
const WRECK: u64 = u64::MAX;

#[derive(Debug, Snapshot)]
#[snapshot(message = lcow::VpciSnapshot, version = 1, controller = Tug, ignore(devices))]
struct TugState {}

/// Passes its freeze on to a ship without a freeze hook.
struct Tug {
    state: Mutex<TugState>,
    towed: Arc<Ship>,
    /// The action on the previous ship.
    trouble: fn(&mut ShipState),
}

impl Tug {
    fn of(towed: &Arc<Ship>, trouble: fn(&mut ShipState)) -> Self {
        Self { state: Mutex::new(TugState {}), towed: Arc::clone(towed), trouble }
    }
}

impl Controller for Tug {
    type State = TugState;

    fn state(&self) -> impl DerefMut<Target = TugState> + '_ {
        lock(&self.state)
    }

    fn import(state: TugState) -> Result<Self, Error> {
        Ok(Self { state: Mutex::new(state), ..Self::of(&ship(0), |_| {}) })
    }

    fn freeze(&self, cx: &Context) -> impl Future<Output = Result<(), Error>> + Send {
        if let Ok(harbor) = cx.resource::<Harbor>() {
            harbor.towed.fetch_add(1, Ordering::Relaxed);
        }
        (self.trouble)(&mut self.towed.state());
        self.towed.freeze(cx)
    }
}

/// Counts the frozen tugs.
#[derive(Default)]
struct Harbor {
    towed: AtomicUsize,
}

fn ship(value: u64) -> Arc<Ship> {
    Arc::new(Ship(Mutex::new(ShipState { value, stage: Stage::Counting })))
}

fn fleet(members: impl IntoIterator<Item = Child<dyn Controller>>) -> Arc<Fleet> {
    Arc::new(Fleet(Mutex::new(FleetState { members: members.into_iter().collect() })))
}

/// The stages of the ships of a fleet.
fn stages(fleet: &Fleet) -> BTreeSet<String> {
    let state = fleet.state();
    let ships = state.members.iter().filter_map(|member| member.downcast::<Ship>());
    ships.map(|ship| format!("{:?}", ship.state().stage)).collect()
}

#[test]
fn hooks_that_are_left_out_are_in_the_timeline_and_leave_their_stages_behind() {
    const SHIPS: u64 = 300;
    let here = fleet((0..SHIPS).map(|value| Child::of(ship(value))));
    let session = Session::new();
    let frozen = block_on(Source::new(&here).freeze(&session)).unwrap();
    assert_eq!(stages(&here), ["Migrating".to_owned()].into());
    let imported = Incoming::from(frozen.save().unwrap()).import::<Fleet>().unwrap();
    let there = Arc::clone(imported.root());
    assert_eq!(stages(&there), ["Migrating".to_owned()].into());
    let patched = block_on(imported.patch(&session)).unwrap();
    assert_eq!(stages(&there), ["Migrating".to_owned()].into());
    block_on(patched.resume(&session)).unwrap();
    assert_eq!(stages(&there), ["Counting".to_owned()].into());
    block_on(frozen.rollback()).unwrap();
    assert_eq!(stages(&here), ["Counting".to_owned()].into());

    let timeline = session.timeline();
    let phases = [Phase::Freeze, Phase::Patch, Phase::Resume, Phase::Thaw];
    for phase in phases {
        let hooks: Vec<_> =
            timeline.controllers.iter().filter(|hook| hook.phase == phase).collect();
        let ids: BTreeSet<_> = hooks.iter().map(|hook| &hook.id).collect();
        assert_eq!((hooks.len(), ids.len()), (SHIPS as usize + 1, SHIPS as usize + 1), "{phase}");
        assert!(hooks.iter().all(|hook| hook.succeeded), "{phase}");
        // The hooks of a phase take no longer than the phase.
        let took: Duration = hooks.iter().map(|hook| hook.took).sum();
        assert!(took <= timeline.phase(phase).unwrap(), "{phase}");
        assert!(hooks.is_sorted_by_key(|hook| hook.began), "{phase}");
    }
    assert_eq!(timeline.controllers.len(), 4 * (SHIPS as usize + 1));
    assert_eq!(timeline.controllers[0].id.as_str(), "members/0");
    assert_eq!(timeline.controllers[0].phase, Phase::Freeze);
}

/// A state with children by name.
#[derive(Debug, Snapshot)]
#[snapshot(message = pb::GroupSnapshot, version = 1, ignore(name, members, leader))]
struct HarborState {
    named: std::collections::BTreeMap<String, Child<Ship>>,
}

#[test]
fn it_is_known_of_a_state_whether_a_controller_can_be_inside() {
    let known = [ShipState::IS_LEAF, TugState::IS_LEAF, FleetState::IS_LEAF, HarborState::IS_LEAF];
    assert_eq!(known, [true, true, false, false]);
}

#[test]
fn a_hook_that_is_passed_on_to_a_controller_without_it_is_called_every_time() {
    let tug = || Child::of(Tug::of(&ship(1), |_| {}));
    let fleet = fleet((0..50).flat_map(|value| [Child::of(ship(value)), tug()]));
    let harbor = Arc::new(Harbor::default());
    let session = Session::new().resource(Arc::clone(&harbor));
    let frozen = block_on(Source::new(&fleet).freeze(&session)).unwrap();
    assert_eq!(harbor.towed.load(Ordering::Relaxed), 50);
    block_on(frozen.rollback()).unwrap();
}

/// Freezes 99 ships behind a tug. The hook of the tug runs first and causes a problem for one of the ships.
fn freeze_with_trouble(place: usize, trouble: fn(&mut ShipState)) -> (Failure, Vec<Arc<Ship>>) {
    let ships: Vec<_> = (1..=99).map(ship).collect();
    let tug = Tug::of(&ships[place - 1], trouble);
    let members = ships.iter().cloned().map(Child::of);
    let fleet = fleet([Child::of(tug)].into_iter().chain(members));
    let failure = block_on(Source::new(&fleet).freeze(&Session::new())).unwrap_err();
    (failure, ships)
}

/// The values of the ships in a stage other than this one.
fn not_in(stage: Stage, ships: &[Arc<Ship>]) -> Vec<u64> {
    let others = ships.iter().filter(|ship| ship.state().stage != stage);
    others.map(|ship| ship.state().value).collect()
}

#[test]
fn a_stage_that_can_no_longer_be_saved_fails_the_phase_even_without_a_hook() {
    for place in [1, 2, 63, 64, 65, 66, 98, 99] {
        let (failure, ships) = freeze_with_trouble(place, |ship| ship.stage = Stage::Done);
        assert_eq!((failure.phase(), failure.code()), (Phase::Freeze, Code::FailedPrecondition));
        let cause = failure.cause().to_string();
        let expected = format!("members/{place}: is in stage Done");
        assert!(cause.starts_with(&expected), "{cause}");
        assert!(failure.undo_error().is_none(), "{failure}");
        assert_eq!(not_in(Stage::Counting, &ships), [place as u64]);
        assert_eq!(ships[place - 1].state().stage, Stage::Done);
    }
}

#[test]
fn a_panic_of_a_controller_that_leaves_the_hook_out_fails_the_phase_and_all_others_are_undone() {
    for place in [1, 2, 63, 64, 65, 66, 98, 99] {
        let (failure, ships) = freeze_with_trouble(place, |ship| ship.value = WRECK);
        assert_eq!((failure.phase(), failure.code()), (Phase::Freeze, Code::Internal));
        let cause = failure.cause().to_string();
        assert!(
            cause.starts_with(&format!("members/{place}: its `state` function must")),
            "{cause}"
        );
        assert!(cause.ends_with("but it panicked: wrecked"), "{cause}");
        assert!(failure.undo_error().is_none(), "{failure}");
        assert!(not_in(Stage::Counting, &ships).is_empty());
    }
}

#[test]
fn a_cancel_and_a_deadline_are_heard_though_all_hooks_are_left_out() {
    let freeze = |session: &Session| -> Failure {
        let fleet = fleet((0..200).map(|value| Child::of(ship(value))));
        let failure = block_on(Source::new(&fleet).freeze(session)).unwrap_err();
        assert_eq!(stages(&fleet), ["Counting".to_owned()].into());
        failure
    };
    let cancelled = Session::new();
    cancelled.cancel_handle().cancel();
    assert_eq!(freeze(&cancelled).code(), Code::Cancelled);
    let hurried = Session::new().deadline(Phase::Freeze, Duration::ZERO);
    assert_eq!(freeze(&hurried).code(), Code::DeadlineExceeded);
}
