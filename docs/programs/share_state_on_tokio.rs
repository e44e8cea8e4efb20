//! Controllers that share their state with async code: patterns for tokio's locks and actors, and
//! a pattern that does not work.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use snapshot_core::{
    Code, Context, Controller, Error, Gate, Incoming, Phase, Session, Snapshot, Source,
};
use snapshot_proto::example::v1 as pb;
use tokio::sync::{mpsc, oneshot};

// A state in a std lock, and operations that a freeze waits for.

#[derive(Snapshot)]
#[snapshot(message = pb::VolumeSnapshot, version = 1, controller = Volume)]
struct VolumeState {
    image: String,
    size: u64,
    operations_per_second: u32,
}

struct Volume {
    /// The state. It is locked for a moment at a time, and never across an `.await`.
    state: Mutex<VolumeState>,
    /// Whoever resizes the volume is inside.
    gate: Gate,
}

impl Volume {
    async fn resize(&self, size: u64) -> Result<(), Error> {
        let _inside = self.gate.enter()?;
        tokio::time::sleep(Duration::from_millis(5)).await; // the host resizes the image
        self.state().size = size;
        Ok(())
    }
}

impl Controller for Volume {
    type State = VolumeState;

    fn state(&self) -> impl DerefMut<Target = VolumeState> + '_ {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: VolumeState) -> Result<Self, Error> {
        Ok(Self { state: Mutex::new(state), gate: Gate::closed() })
    }

    /// Waits for the operations inside. The wait ends at a deadline.
    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        self.gate.close().await;
        Ok(())
    }

    async fn thaw(&self, _: &Context) -> Result<(), Error> {
        self.gate.open();
        Ok(())
    }

    async fn resume(&self, _: &Context) -> Result<(), Error> {
        self.gate.open();
        Ok(())
    }

    async fn abort(&self, _: &Context) -> Result<(), Error> {
        self.gate.close().await;
        Ok(())
    }
}

// An actor that shares its state with the controller.

#[derive(Snapshot, Clone)]
#[snapshot(message = pb::CounterSnapshot, version = 1, controller = Counter, ignore(announced))]
struct CounterState {
    name: String,
    count: u64,
}

enum Order {
    Add(u64),
    /// Pause until the second channel is closed. The first channel confirms the pause.
    Stop(oneshot::Sender<()>, oneshot::Receiver<()>),
}

struct Counter {
    state: Arc<Mutex<CounterState>>,
    orders: mpsc::UnboundedSender<Order>,
    frozen: Mutex<Option<oneshot::Sender<()>>>,
}

impl Counter {
    /// Starts the actor. The actor does the work and shares the state with the controller.
    fn start(state: CounterState) -> Self {
        let (orders, mut inbox) = mpsc::unbounded_channel();
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Some(order) = inbox.recv().await {
                match order {
                    Order::Add(more) => {
                        shared.lock().unwrap_or_else(PoisonError::into_inner).count += more;
                    }
                    Order::Stop(stopped, until) => {
                        let _ = stopped.send(());
                        let _ = until.await;
                    }
                }
            }
        });
        Self { state, orders, frozen: Mutex::default() }
    }

    fn order(&self, order: Order) -> Result<(), Error> {
        self.orders.send(order).map_err(|_| Error::internal("the actor is gone"))
    }
}

impl Controller for Counter {
    type State = CounterState;

    fn state(&self) -> impl DerefMut<Target = CounterState> + '_ {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: CounterState) -> Result<Self, Error> {
        Ok(Self::start(state))
    }

    /// The actor carries out earlier orders first, because the channel keeps their order.
    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        let ((stopped, stands_still), (go_on, until)) = (oneshot::channel(), oneshot::channel());
        self.order(Order::Stop(stopped, until))?;
        // Stored before the wait, so that `thaw` also undoes a freeze that was cut short here.
        *self.frozen.lock().unwrap_or_else(PoisonError::into_inner) = Some(go_on);
        stands_still.await.map_err(|_| Error::internal("the actor is gone"))
    }

    async fn thaw(&self, _: &Context) -> Result<(), Error> {
        drop(self.frozen.lock().unwrap_or_else(PoisonError::into_inner).take());
        Ok(())
    }
}

// An actor that owns its state while it is live.

#[derive(Snapshot, Clone, Copy, Debug, PartialEq)]
#[snapshot(stage = pb::disk_snapshot::Stage)]
enum DiskStage {
    Reserved,
    Attached,
    Ejected,
    #[snapshot(transient)]
    Moving,
}

#[derive(Snapshot, Clone)]
#[snapshot(message = pb::DiskSnapshot, version = 1, controller = Disk)]
#[snapshot(save_from(Attached), freeze_to = Moving, import_as = Moving, abort_to = Ejected)]
struct DiskState {
    image: String,
    size: u64,
    #[snapshot(stage)]
    stage: DiskStage,
}

enum Request {
    Grow(u64),
    Stage(oneshot::Sender<DiskStage>),
    /// Hand the state out, and wait for another one.
    HandOut(oneshot::Sender<DiskState>),
    TakeOver(DiskState),
}

struct Disk {
    /// What the actor handed out last, or is to begin with.
    state: Mutex<DiskState>,
    requests: mpsc::UnboundedSender<Request>,
}

impl Disk {
    /// Starts the actor. It has no state before the first one is given to it.
    fn inert(state: DiskState) -> Self {
        let (requests, mut inbox) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut own = None::<DiskState>;
            while let Some(request) = inbox.recv().await {
                match (request, &mut own) {
                    (Request::TakeOver(state), _) => own = Some(state),
                    (Request::Grow(more), Some(state)) => state.size += more,
                    (Request::Stage(to), Some(state)) => drop(to.send(state.stage)),
                    (Request::HandOut(to), Some(_)) => drop(own.take().map(|state| to.send(state))),
                    (_, None) => {} // dropped: whoever asks is told that the actor has no state
                }
            }
        });
        Self { state: Mutex::new(state), requests }
    }

    fn live(state: DiskState) -> Result<Self, Error> {
        let disk = Self::inert(state.clone());
        disk.request(Request::TakeOver(state))?;
        Ok(disk)
    }

    fn request(&self, request: Request) -> Result<(), Error> {
        self.requests.send(request).map_err(|_| Error::internal("the actor is gone"))
    }

    /// The stage that the actor has, if it has a state.
    async fn actors_stage(&self) -> Option<DiskStage> {
        let (to, stage) = oneshot::channel();
        self.request(Request::Stage(to)).ok()?;
        stage.await.ok()
    }
}

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self::inert(state))
    }

    /// Takes the state out of the actor.
    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        let (to, state) = oneshot::channel();
        self.request(Request::HandOut(to))?;
        *self.state() = state.await.map_err(|_| Error::internal("the actor is gone"))?;
        Ok(())
    }

    /// Gives the state back, in the stage before the freeze.
    async fn thaw(&self, _: &Context) -> Result<(), Error> {
        self.request(Request::TakeOver(self.state().clone()))
    }

    /// Gives the actor of this host its first state.
    async fn resume(&self, _: &Context) -> Result<(), Error> {
        self.request(Request::TakeOver(self.state().clone()))
    }
}

// This does not work: the state in tokio's lock.

#[derive(Snapshot)]
#[snapshot(message = pb::NicSnapshot, version = 1, controller = Nic)]
#[snapshot(ignore(addresses, link, timeout, driver_settings))]
struct NicState {
    mac: String,
    mtu: u16,
}

struct Nic {
    state: tokio::sync::Mutex<NicState>,
    blocks: bool,
}

impl Controller for Nic {
    type State = NicState;

    fn state(&self) -> impl DerefMut<Target = NicState> + '_ {
        if self.blocks {
            self.state.blocking_lock() // panics in every task of a runtime
        } else {
            self.state.try_lock().unwrap() // panics while a handler has the lock
        }
    }

    fn import(state: NicState) -> Result<Self, Error> {
        Ok(Self { state: tokio::sync::Mutex::new(state), blocks: false })
    }
}

async fn saved<C: Controller>(controller: &Arc<C>) -> Snapshot {
    let frozen = Source::new(controller).freeze(&Session::new()).await.unwrap();
    let snapshot = frozen.save().unwrap();
    frozen.rollback().await.unwrap();
    snapshot
}

async fn restored<C: Controller>(snapshot: Snapshot) -> Arc<C> {
    let imported = Incoming::open(snapshot.into_bytes()).unwrap().import::<C>().unwrap();
    let session = Session::new();
    imported.patch(&session).await.unwrap().resume(&session).await.unwrap()
}

fn volume() -> Arc<Volume> {
    let image = "/images/root".to_owned();
    let state = VolumeState { image, size: 1, operations_per_second: 0 };
    Arc::new(Volume { state: Mutex::new(state), gate: Gate::new() })
}

#[tokio::test]
async fn a_freeze_waits_for_the_operations_inside_and_later_ones_are_refused() {
    let volume = volume();
    let resize = tokio::spawn({
        let volume = Arc::clone(&volume);
        async move { volume.resize(8).await }
    });
    tokio::task::yield_now().await; // the resize is inside now

    let frozen = Source::new(&volume).freeze(&Session::new()).await.unwrap();
    resize.await.unwrap().unwrap();
    assert_eq!(volume.resize(9).await.unwrap_err().code(), Code::FailedPrecondition);
    let arrived = restored::<Volume>(frozen.save().unwrap()).await;
    assert_eq!(arrived.state().size, 8);
    arrived.resize(16).await.unwrap();

    frozen.rollback().await.unwrap();
    volume.resize(9).await.unwrap();
}

#[tokio::test]
async fn an_operation_that_does_not_end_fails_at_the_deadline() {
    let volume = volume();
    let stuck = volume.gate.enter().unwrap();
    let session = Session::new().deadline(Phase::Freeze, Duration::from_millis(20));
    let error = Source::new(&volume).freeze(&session).await.map(drop).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    drop(stuck);
    volume.resize(2).await.unwrap();
}

#[tokio::test]
async fn an_actor_that_shares_its_state_finishes_its_orders_before_the_freeze() {
    let counter = Arc::new(Counter::start(CounterState { name: "door".to_owned(), count: 0 }));
    for more in 1..=10 {
        counter.order(Order::Add(more)).unwrap();
    }
    let arrived = restored::<Counter>(saved(&counter).await).await;
    let restored = arrived.state().clone(); // the guard once: the lock is not reentrant
    assert_eq!((restored.name.as_str(), restored.count), ("door", 55));

    counter.order(Order::Add(1)).unwrap();
    saved(&counter).await;
    assert_eq!(counter.state().count, 56);
}

#[tokio::test]
async fn an_actor_that_owns_its_state_has_the_right_stage_on_both_sides() {
    let state = DiskState { image: "/images/root".to_owned(), size: 4, stage: DiskStage::Attached };
    let disk = Arc::new(Disk::live(state).unwrap());
    disk.request(Request::Grow(3)).unwrap();

    let frozen = Source::new(&disk).freeze(&Session::new()).await.unwrap();
    assert_eq!(disk.actors_stage().await, None);
    assert_eq!(disk.state().stage, DiskStage::Moving);
    let arrived = restored::<Disk>(frozen.save().unwrap()).await;
    assert_eq!(arrived.actors_stage().await, Some(DiskStage::Attached));
    let restored = arrived.state().clone();
    assert_eq!((restored.image.as_str(), restored.size), ("/images/root", 7));

    frozen.rollback().await.unwrap();
    assert_eq!(disk.actors_stage().await, Some(DiskStage::Attached));
    disk.request(Request::Grow(1)).unwrap();
    saved(&disk).await;
    assert_eq!(disk.state().size, 8);
}

#[tokio::test]
async fn a_state_behind_the_lock_of_tokio_cannot_be_saved_while_handlers_run() {
    let nic = |blocks| {
        let state = NicState { mac: "00-15-5D-00-00-01".to_owned(), mtu: 1500 };
        Arc::new(Nic { state: tokio::sync::Mutex::new(state), blocks })
    };
    let manifest = snapshot_core::registry::registry().unwrap().manifest();
    let refusal = |nic: &Arc<Nic>| {
        let error = Source::new(nic).preflight(&manifest).unwrap_err();
        assert_eq!(error.code(), Code::Internal);
        error.to_string()
    };

    let text = refusal(&nic(true));
    assert!(text.contains("Cannot block the current thread from within a runtime"), "{text}");

    let nic = nic(false);
    let held = nic.state.lock().await; // some handler has it just now
    let text = refusal(&nic);
    assert!(text.contains("panicked"), "{text}");
    drop(held);
    assert_eq!(restored::<Nic>(saved(&nic).await).await.state().mtu, 1500);
}
