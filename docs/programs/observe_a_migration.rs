//! The progress of a migration, the time of each hook, and the report of a failed migration.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ops::DerefMut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use snapshot_core::{
    Controller, ControllerId, Error, Fault, MigrationReport, Phase, Progress, Session, Snapshot,
    Source,
};
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot)]
#[snapshot(message = pb::CounterSnapshot, version = 1, controller = Counter)]
struct CounterState {
    name: String,
    count: u64,
    announced: std::collections::BTreeMap<String, u64>,
}

struct Counter(Mutex<CounterState>);

impl Controller for Counter {
    type State = CounterState;

    fn state(&self) -> impl DerefMut<Target = CounterState> + '_ {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: CounterState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

fn counter() -> Arc<Counter> {
    let state = CounterState { name: "hall".into(), count: 42, announced: Default::default() };
    Arc::new(Counter(Mutex::new(state)))
}

/// Counts controllers; a real one draws a bar. It is called between hooks and must not block.
#[derive(Default)]
struct Bar {
    of: AtomicUsize,
    done: AtomicUsize,
}

impl Progress for Bar {
    fn phase_started(&self, _: Phase, controllers: usize) {
        self.of.store(controllers, Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
    }

    fn controller_ended(&self, _: Phase, _: &ControllerId, _: Result<(), &Error>) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_progress_bar_counts_controllers() {
    let bar = Arc::new(Bar::default());
    let session = Session::new().progress(Arc::clone(&bar) as Arc<dyn Progress>);
    let frozen = block_on(Source::new(&counter()).freeze(&session)).unwrap();
    assert_eq!(bar.done.load(Ordering::Relaxed), bar.of.load(Ordering::Relaxed));
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_report_of_a_failure_is_kept() {
    let session = Session::new().fault_at(Phase::Freeze, ".", Fault::Error);
    let failure = block_on(Source::new(&counter()).freeze(&session)).map(drop).unwrap_err();

    let report = MigrationReport::new([session.report("source").failed(&failure)]);
    let json = report.to_json(); // into a file, for `snapshot timeline` and the bug report
    assert_eq!(MigrationReport::from_json(json.as_bytes()).unwrap(), report);
    let failure = report.sides[0].failure.as_ref().unwrap();
    assert_eq!((failure.phase.as_str(), failure.code.as_str()), ("freeze", "INTERNAL"));
}

#[test]
fn the_slowest_hook_is_found() {
    let session = Session::new();
    let frozen = block_on(Source::new(&counter()).freeze(&session)).unwrap();
    frozen.save().unwrap();
    block_on(frozen.rollback()).unwrap();

    let timeline = session.timeline();
    let slowest = timeline.controllers.iter().max_by_key(|hook| hook.took).unwrap();
    println!("{} took {:?} in {}", slowest.id, slowest.took, slowest.phase);
    println!("the blackout was {:?}", timeline.blackout.unwrap());
    assert_eq!(timeline.saved[0].id.as_str(), ".");
}
