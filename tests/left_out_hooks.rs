//! Controllers that leave hooks out: what happens around a hook happens all the same.

// Helpers of tests fail as tests do; clippy knows only the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::future::Future;
use std::ops::DerefMut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_executor::block_on;
use snapshot_core::{
    Child, Code, Context, Controller, Error, Failure, Incoming, Phase, Session, Snapshot, Source,
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
                lock(&self.0)
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

#[derive(Debug, Snapshot)]
#[snapshot(message = lcow::VpciSnapshot, version = 1, controller = Tug, ignore(devices))]
struct TugState {}

/// Passes its freeze on to a ship, which leaves it out.
struct Tug {
    state: Mutex<TugState>,
    towed: Arc<Ship>,
}

impl Controller for Tug {
    type State = TugState;

    fn state(&self) -> impl DerefMut<Target = TugState> + '_ {
        lock(&self.state)
    }

    fn import(state: TugState) -> Result<Self, Error> {
        Ok(Self { state: Mutex::new(state), towed: ship(0) })
    }

    fn freeze(&self, cx: &Context) -> impl Future<Output = Result<(), Error>> + Send {
        if let Ok(harbor) = cx.resource::<Harbor>() {
            harbor.towed.fetch_add(1, Ordering::Relaxed);
        }
        let mut towed = self.towed.state();
        if towed.value == LAST {
            towed.stage = Stage::Done;
        }
        drop(towed);
        self.towed.freeze(cx)
    }
}

/// Counts the tugs that were frozen.
#[derive(Default)]
struct Harbor {
    towed: AtomicUsize,
}

/// The value of a ship that ends its journey when a tug takes it.
const LAST: u64 = 99;

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

#[test]
fn a_hook_that_is_passed_on_to_a_controller_without_it_is_called_every_time() {
    let tug = || Child::of(Tug { state: Mutex::new(TugState {}), towed: ship(1) });
    let fleet = fleet((0..50).flat_map(|value| [Child::of(ship(value)), tug()]));
    let harbor = Arc::new(Harbor::default());
    let session = Session::new().resource(Arc::clone(&harbor));
    let frozen = block_on(Source::new(&fleet).freeze(&session)).unwrap();
    assert_eq!(harbor.towed.load(Ordering::Relaxed), 50);
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_stage_that_may_not_be_saved_any_more_fails_the_phase_though_the_hook_is_left_out() {
    // The first hook of the phase ends the journey of a ship whose turn comes later.
    let ships: Vec<_> = (1..=LAST).map(ship).collect();
    let last = Arc::clone(&ships[LAST as usize - 1]);
    let tug = Tug { state: Mutex::new(TugState {}), towed: Arc::clone(&last) };
    let fleet = fleet([Child::of(tug)].into_iter().chain(ships.into_iter().map(Child::of)));
    let failure = block_on(Source::new(&fleet).freeze(&Session::new())).unwrap_err();
    assert_eq!((failure.phase(), failure.code()), (Phase::Freeze, Code::FailedPrecondition));
    let cause = failure.cause().to_string();
    assert!(cause.contains("members/99") && cause.contains("is in stage Done"), "{cause}");
    assert!(failure.undo_error().is_none(), "{failure}");
    assert_eq!(last.state().stage, Stage::Done);
    assert_eq!(stages(&fleet), ["Counting".to_owned(), "Done".to_owned()].into());
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
