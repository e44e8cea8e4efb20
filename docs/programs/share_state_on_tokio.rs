//! Controllers that share their state with async code: patterns for tokio's locks and actors, and
//! a pattern that does not work.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use snapshot_core::{Code, Context, Controller, Error, Incoming, Phase, Session, Snapshot, Source};
use snapshot_proto::example::v1 as pb;
use tokio::sync::{OwnedMutexGuard, mpsc, oneshot};

// A state in a std lock, with an async lock for operations that take turns.

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
    /// A task that resizes the volume holds this, also across an `.await`. It guards no data.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// While the volume is frozen, the freeze has the turn.
    frozen: Mutex<Option<OwnedMutexGuard<()>>>,
}

impl Volume {
    fn new(state: VolumeState) -> Self {
        Self { state: Mutex::new(state), turn: Arc::default(), frozen: Mutex::default() }
    }

    async fn resize(&self, size: u64) {
        let _turn = self.turn.lock().await;
        tokio::time::sleep(Duration::from_millis(5)).await; // the host resizes the image
        self.state().size = size;
    }
}

impl Controller for Volume {
    type State = VolumeState;

    fn state(&self) -> impl DerefMut<Target = VolumeState> + '_ {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: VolumeState) -> Result<Self, Error> {
        Ok(Self::new(state))
    }

    /// Waits for the operation that has the turn. Because it is an `.await`, a deadline can end it.
    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        *self.frozen.lock().unwrap_or_else(PoisonError::into_inner) = Some(turn);
        Ok(())
    }

    async fn thaw(&self, _: &Context) -> Result<(), Error> {
        drop(self.frozen.lock().unwrap_or_else(PoisonError::into_inner).take());
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

// An actor that owns its state, and hands it out when the controller is frozen.

#[derive(Snapshot, Clone)]
#[snapshot(message = pb::DiskSnapshot, version = 1, controller = Disk, ignore(stage))]
struct DiskState {
    image: String,
    size: u64,
}

enum Request {
    Grow(u64),
    /// Hand the state out, and pause until the state is returned.
    HandOut(oneshot::Sender<DiskState>, oneshot::Receiver<()>),
}

struct Disk {
    /// The state that the actor handed out last. Before the first freeze, its initial state.
    state: Mutex<DiskState>,
    requests: mpsc::UnboundedSender<Request>,
    frozen: Mutex<Option<oneshot::Sender<()>>>,
}

impl Disk {
    fn start(state: DiskState) -> Self {
        let (requests, mut inbox) = mpsc::unbounded_channel();
        let mut own = state.clone();
        tokio::spawn(async move {
            while let Some(request) = inbox.recv().await {
                match request {
                    Request::Grow(more) => own.size += more,
                    Request::HandOut(to, until) => {
                        let _ = to.send(own.clone());
                        let _ = until.await;
                    }
                }
            }
        });
        Self { state: Mutex::new(state), requests, frozen: Mutex::default() }
    }

    fn request(&self, request: Request) -> Result<(), Error> {
        self.requests.send(request).map_err(|_| Error::internal("the actor is gone"))
    }
}

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self::start(state))
    }

    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        let ((to, state), (go_on, until)) = (oneshot::channel(), oneshot::channel());
        self.request(Request::HandOut(to, until))?;
        *self.frozen.lock().unwrap_or_else(PoisonError::into_inner) = Some(go_on);
        let state = state.await.map_err(|_| Error::internal("the actor is gone"))?;
        *self.state() = state;
        Ok(())
    }

    async fn thaw(&self, _: &Context) -> Result<(), Error> {
        drop(self.frozen.lock().unwrap_or_else(PoisonError::into_inner).take());
        Ok(())
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
    Arc::new(Volume::new(VolumeState { image, size: 1, operations_per_second: 0 }))
}

#[tokio::test]
async fn a_freeze_waits_for_the_operation_that_has_the_turn() {
    let volume = volume();
    let resize = tokio::spawn({
        let volume = Arc::clone(&volume);
        async move { volume.resize(8).await }
    });
    tokio::task::yield_now().await; // the resize has the turn now

    let arrived = restored::<Volume>(saved(&volume).await).await;
    assert_eq!(arrived.state().size, 8);
    resize.await.unwrap();
    volume.resize(9).await; // the rollback has given the turn back
}

#[tokio::test]
async fn an_operation_that_does_not_end_fails_at_the_deadline() {
    let volume = volume();
    let stuck = volume.turn.lock().await;
    let session = Session::new().deadline(Phase::Freeze, Duration::from_millis(20));
    let error = Source::new(&volume).freeze(&session).await.map(drop).unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    drop(stuck);
    volume.resize(2).await;
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
async fn an_actor_that_owns_its_state_hands_it_out_for_the_freeze() {
    let state = DiskState { image: "/images/root".to_owned(), size: 4 };
    let disk = Arc::new(Disk::start(state));
    disk.request(Request::Grow(3)).unwrap();
    let arrived = restored::<Disk>(saved(&disk).await).await;
    let restored = arrived.state().clone();
    assert_eq!((restored.image.as_str(), restored.size), ("/images/root", 7));

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
