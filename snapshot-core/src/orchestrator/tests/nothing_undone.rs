//! Controllers that leave an undo hook out: what the report says of them.

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_executor::block_on;
use snapshot_derive::Snapshot;

use super::Events;
use crate::{
    Child, Context, Controller, Error, Failure, Fault, Incoming, Phase, Session, Source, Undo,
};

#[derive(crate::Schema, Clone, PartialEq, prost::Message)]
pub(crate) struct ValveSnapshot {
    #[prost(uint32, tag = "1")]
    schema_version: u32,
}

#[derive(crate::Schema, Clone, PartialEq, prost::Message)]
pub(crate) struct PipeSnapshot {
    #[prost(uint32, tag = "1")]
    schema_version: u32,
    #[prost(message, repeated, tag = "2")]
    valves: Vec<prost_types::Any>,
}

macro_rules! names {
    ($($message:ident)*) => {$(
        impl prost::Name for $message {
            const NAME: &'static str = stringify!($message);
            const PACKAGE: &'static str = "nothing.v1";
        }
    )*};
}

names! { ValveSnapshot PipeSnapshot }

/// Closes in freeze and opens in patch, and takes neither back.
struct Valve(Mutex<ValveState>);

#[derive(Default, Snapshot)]
#[snapshot(message = ValveSnapshot, version = 1, controller = Valve, crate = crate)]
struct ValveState {
    #[snapshot(skip)]
    is_closed: bool,
}

/// Has no hook at all.
struct Pipe(Mutex<PipeState>);

#[derive(Snapshot)]
#[snapshot(message = PipeSnapshot, version = 1, controller = Pipe, crate = crate)]
struct PipeState {
    valves: Vec<Child<Valve>>,
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Controller for Valve {
    type State = ValveState;

    fn state(&self) -> impl DerefMut<Target = ValveState> + '_ {
        lock(&self.0)
    }

    fn import(state: ValveState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }

    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        self.state().is_closed = true;
        Ok(())
    }

    async fn patch(&self, _: &Context) -> Result<(), Error> {
        self.state().is_closed = false;
        Ok(())
    }
}

impl Controller for Pipe {
    type State = PipeState;

    fn state(&self) -> impl DerefMut<Target = PipeState> + '_ {
        lock(&self.0)
    }

    fn import(state: PipeState) -> Result<Self, Error> {
        Ok(Self(Mutex::new(state)))
    }
}

/// A pipe with this many valves.
fn pipe(valves: usize) -> Arc<Pipe> {
    let valve = || Child::new(Valve(Mutex::default()));
    let valves = std::iter::repeat_with(valve).take(valves).collect();
    Arc::new(Pipe(Mutex::new(PipeState { valves })))
}

/// The undo of each controller, the root first.
fn undo(failure: &Failure) -> Vec<Undo> {
    failure.controllers().iter().map(|report| report.undo).collect()
}

#[test]
fn a_freeze_without_a_thaw_is_reported_as_not_undone() {
    // With a fault all hooks are called; without one, those that are left out are passed by.
    for valves in [1, 3] {
        let pipe = pipe(valves);
        let session = Session::new().fault_at(Phase::Freeze, ".", Fault::Error);
        let failure = block_on(Source::new(&pipe).freeze(&session)).unwrap_err();
        assert_eq!(undo(&failure)[0], Undo::NotRun, "{failure:?}");
        assert_eq!(undo(&failure)[1..], vec![Undo::Nothing; valves], "{failure:?}");
        assert!(failure.undo_error().is_none(), "no undo hook failed");
        assert!(format!("{failure:?}").contains("valves/0: Done, undo Nothing"), "{failure:?}");
        let report = session.report("source").failed(&failure).failure.unwrap();
        assert_eq!(report.controllers[1].undo, "nothing");
        assert_eq!(report.controllers[0].undo, "not run");
        assert!(lock(&pipe.0).valves[0].get().unwrap().state().is_closed, "it says the truth");
    }
}

#[test]
fn a_patch_without_an_abort_is_reported_as_not_undone() {
    let here = pipe(3);
    let frozen = block_on(Source::new(&here).freeze(&Session::new())).unwrap();
    let session = Session::new().fault_at(Phase::Resume, "valves/2", Fault::Error);
    let imported = Incoming::from(frozen.save().unwrap()).import::<Pipe>().unwrap();
    let patched = block_on(imported.patch(&session)).unwrap();
    let failure = block_on(patched.resume(&session)).err().unwrap();
    assert_eq!(undo(&failure), [Undo::NotRun, Undo::Nothing, Undo::Nothing, Undo::Nothing]);
    block_on(frozen.commit()).unwrap();
}

#[test]
fn a_rollback_that_undoes_nothing_logs_each_controller() {
    for is_watched in [false, true] {
        let pipe = pipe(70);
        let mut session = Session::new();
        if is_watched {
            session = session.fault_at(Phase::Thaw, "nobody", Fault::Error);
        }
        let frozen = block_on(Source::new(&pipe).freeze(&session)).unwrap();
        let events = Events::of(tracing::Level::WARN);
        events.capture(|| block_on(frozen.rollback())).unwrap();
        let all = events.all();
        assert_eq!(all.len(), 70, "{all:?}");
        assert!(events.has(&["nothing was undone", "no thaw hook", "controller=valves/69"]));
    }
}
