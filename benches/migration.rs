//! Migrations of many small controllers whose hooks do nothing, which measure the cost of the
//! orchestration, and migrations of the template's sandbox.

use std::ops::DerefMut;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_executor::block_on;
use snapshot_core::{
    Child, Controller, Error, Failure, Incoming, Session, Snapshot, Source, codec,
};
use snapshot_examples::lcow::Sandbox;
use snapshot_proto::fixture::v1 as pb;

macro_rules! controllers {
    ($($(#[$doc:meta])* $controller:ident of $state:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $controller(Mutex<$state>);

        impl Controller for $controller {
            type State = $state;

            fn state(&self) -> impl DerefMut<Target = $state> + '_ {
                self.0.lock().unwrap_or_else(PoisonError::into_inner)
            }

            fn import(state: $state) -> Result<Self, Error> {
                Ok(Self(Mutex::new(state)))
            }
        }
    )*};
}

controllers! {
    /// The root.
    Fleet of FleetState
    /// One of its members.
    Ship of ShipState
}

/// The state of the root.
#[derive(Debug, Snapshot)]
#[snapshot(message = pb::GroupSnapshot, version = 1, controller = Fleet, ignore(named, leader))]
pub struct FleetState {
    name: String,
    members: Vec<Child<Ship>>,
}

/// The stage of a member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Snapshot)]
#[snapshot(stage = pb::counter_snapshot::Stage)]
pub enum Stage {
    /// Not started.
    #[default]
    Idle,
    /// Running.
    Counting,
    /// Finished.
    Done,
    /// Frozen, or imported but not resumed.
    #[snapshot(transient)]
    Migrating,
}

/// The state of a member.
#[derive(Debug, Snapshot)]
#[snapshot(
    message = pb::CounterSnapshot,
    version = 1,
    controller = Ship,
    save_from(Counting),
    freeze_to = Migrating,
    import_as = Migrating
)]
pub struct ShipState {
    value: u64,
    label: String,
    #[snapshot(stage)]
    stage: Stage,
}

/// Creates a root with this many controllers, itself included.
pub fn fleet(controllers: usize) -> Arc<Fleet> {
    let ship = |index: usize| {
        let state = ShipState {
            value: index as u64 + 1,
            label: format!("ship-{index:05}"),
            stage: Stage::Counting,
        };
        Child::new(Ship(Mutex::new(state)))
    };
    let members = (1..controllers).map(ship).collect();
    Arc::new(Fleet(Mutex::new(FleetState { name: "fleet".to_owned(), members })))
}

/// Freezes, saves, opens, imports, patches and resumes; then rolls the source back, so that it can run
/// again. The rollback is one more hook for each controller, which [`parts`] includes too.
///
/// # Errors
///
/// Never fails for a fleet.
pub fn migrate(fleet: &Arc<Fleet>) -> Result<Arc<Fleet>, Error> {
    let session = Session::new();
    block_on(async {
        let frozen = Source::new(fleet).freeze(&session).await.map_err(Failure::into_error)?;
        let snapshot = frozen.save()?;
        let imported = Incoming::open(snapshot)?.import::<Fleet>()?;
        let patched = imported.patch(&session).await.map_err(Failure::into_error)?;
        let arrived = patched.resume(&session).await.map_err(Failure::into_error)?;
        frozen.rollback().await.map_err(Failure::into_error)?;
        Ok(arrived)
    })
}

/// Does the least work of a migration: encodes the states, decodes them, and calls four boxed hooks
/// for each controller.
///
/// # Errors
///
/// Never fails for a fleet.
pub fn parts(fleet: &Arc<Fleet>) -> Result<FleetState, Error> {
    let bytes = codec::to_bytes(&*fleet.state())?;
    let state: FleetState = codec::from_bytes(&bytes)?;
    block_on(async {
        for _ in 0..4 {
            for controller in std::iter::repeat_n(fleet, 1 + state.members.len()) {
                hook(controller).await?;
            }
        }
        Ok(state)
    })
}

/// Runs the part of a blackout that the template's tree takes: freezes the tree, saves it, verifies it
/// and builds a copy. Then aborts the copy and thaws the source, so that it can run again.
///
/// # Errors
///
/// Never fails for the template's sample.
pub fn import_and_abort(sandbox: &Arc<Sandbox>) -> Result<(), Error> {
    let session = Session::new();
    block_on(async {
        let frozen = Source::new(sandbox).freeze(&session).await.map_err(Failure::into_error)?;
        let snapshot = frozen.save()?;
        Incoming::open(snapshot)?.import::<Sandbox>()?.abort();
        frozen.rollback().await.map_err(Failure::into_error)
    })
}

/// A hook that does nothing, called like a method of a trait object.
#[inline(never)]
fn hook(controller: &Arc<Fleet>) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
    Box::pin(async move {
        std::hint::black_box(controller);
        Ok(())
    })
}
