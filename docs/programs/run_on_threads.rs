//! A thread owns a disk, and a program without an async runtime moves it.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, PoisonError, TryLockError, mpsc};
use std::thread;
use std::time::Duration;

use futures_channel::oneshot;
use futures_executor::block_on;
use snapshot_core::{Code, Context, Controller, Error, Incoming, Session, Snapshot, Source};
use snapshot_proto::example::v1::{self as pb, disk_snapshot};

#[derive(Snapshot, Clone, Copy, Debug, Default, PartialEq)]
#[snapshot(stage = disk_snapshot::Stage)]
enum Stage {
    #[default]
    Reserved,
    Attached,
    Ejected,
}

#[derive(Snapshot)]
#[snapshot(message = pb::DiskSnapshot, version = 1, controller = Disk)]
struct DiskState {
    image: String,
    stage: Stage,
    size: u64,
}

/// A command to the disk's thread.
enum Command {
    Grow(u64),
    Stop(oneshot::Sender<()>),
    GoOn,
}

struct Disk {
    state: Arc<Mutex<DiskState>>,
    worker: mpsc::Sender<Command>,
}

impl Disk {
    fn new(state: DiskState) -> Self {
        let state = Arc::new(Mutex::new(state));
        let (worker, commands) = mpsc::channel();
        thread::spawn({
            let state = Arc::clone(&state);
            move || work(&state, &commands)
        });
        Self { state, worker }
    }

    fn tell(&self, command: Command) -> Result<(), Error> {
        self.worker.send(command).map_err(|_| Error::internal("the disk's thread is gone"))
    }
}

fn work(state: &Mutex<DiskState>, commands: &mpsc::Receiver<Command>) {
    let mut held = Vec::new();
    let mut is_frozen = false;
    while let Ok(command) = commands.recv() {
        match command {
            Command::Stop(stopped) => {
                is_frozen = true;
                // If the freeze was cut short, the receiver no longer exists.
                let _ = stopped.send(());
            }
            Command::GoOn => is_frozen = false,
            Command::Grow(by) => held.push(by),
        }
        if !is_frozen {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.size += held.drain(..).sum::<u64>();
        }
    }
}

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_state(&self) -> Option<impl DerefMut<Target = DiskState> + '_> {
        match self.state.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        Ok(Self::new(state))
    }

    /// Asks the thread to stop, and waits without blocking this one.
    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        let (sender, stopped) = oneshot::channel();
        self.tell(Command::Stop(sender))?;
        stopped.await.map_err(|_| Error::internal("the disk's thread is gone"))
    }

    async fn thaw(&self, _: &Context) -> Result<(), Error> {
        self.tell(Command::GoOn)
    }
}

#[test]
fn a_program_without_a_runtime_migrates() {
    let state = DiskState { image: "/images/root".into(), stage: Stage::Attached, size: 4096 };
    let disk = Arc::new(Disk::new(state));
    disk.tell(Command::Grow(1)).unwrap();

    // The deadlines need no runtime: the framework has its own timer thread.
    let session = Session::new().hook_deadline(Duration::from_secs(5));
    let frozen = block_on(Source::new(&disk).freeze(&session)).unwrap();
    disk.tell(Command::Grow(1)).unwrap(); // is held
    let imported = Incoming::open(frozen.save().unwrap()).unwrap().import::<Disk>().unwrap();
    let moved = block_on(async { imported.patch(&session).await?.resume(&session).await }).unwrap();
    block_on(frozen.commit()).unwrap();
    assert_eq!(moved.state().size, 4097);
}

#[test]
fn a_lock_that_is_never_released_ends_the_phase() {
    let state = DiskState { image: "/images/root".into(), stage: Stage::Attached, size: 4096 };
    let disk = Arc::new(Disk::new(state));
    let (locked, is_locked) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let keeper = thread::spawn({
        let disk = Arc::clone(&disk);
        move || {
            let _guard = disk.state();
            locked.send(()).unwrap();
            let _ = released.recv();
        }
    });
    is_locked.recv().unwrap();

    let session = Session::new().hook_deadline(Duration::from_millis(50));
    let failure = block_on(Source::new(&disk).freeze(&session)).map(drop).unwrap_err();
    assert_eq!(failure.code(), Code::DeadlineExceeded);
    assert!(failure.cause().to_string().starts_with(".: its state cannot be locked"));

    drop(release);
    keeper.join().unwrap();
    let frozen = block_on(Source::new(&disk).freeze(&session)).unwrap();
    block_on(frozen.rollback()).unwrap();
}
