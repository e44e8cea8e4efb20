//! An adapter that blocks: the report names the controller.

use std::ops::DerefMut;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use snapshot_core::{Child, Controller, Error, Session, Snapshot, Source};

use super::fixture::{Events, ends, lock, messages, theirs};

messages!("trouble.code");

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

#[derive(Snapshot)]
#[snapshot(message = pb::Disk, version = 1, controller = Disk)]
#[snapshot(ignore(sizes, owners, first, parts, form, timeout, users, stage))]
struct DiskState {
    #[snapshot(id)]
    name: String,
    #[snapshot(with = adapter)]
    queues: Queues,
}

/// A number, and a lock that its adapter waits for.
struct Queues(u32, Arc<Mutex<()>>);

mod adapter {
    use super::{Queues, lock};

    pub(super) fn to_wire(queues: &Queues) -> Result<u32, String> {
        drop(lock(&queues.1));
        Ok(queues.0)
    }

    pub(super) fn from_wire(queues: u32) -> Result<Queues, String> {
        Ok(Queues(queues, Default::default()))
    }
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

const SOON: Duration = Duration::from_millis(20);
const WAITS: &str = "waits for the code of this controller";

#[test]
fn an_adapter_that_blocks_a_preflight_or_a_save_is_reported_with_its_controller() {
    let blocked = Arc::new(Mutex::new(()));
    let disk = |name: &str, wait: &Arc<Mutex<()>>| {
        let queues = Queues(1, Arc::clone(wait));
        Child::new(Disk(Mutex::new(DiskState { name: name.to_owned(), queues })))
    };
    let free = Arc::default();
    let children = vec![disk("a", &free), disk("b", &blocked), disk("c", &free)];
    let root = Arc::new(Tree(Mutex::new(TreeState { children })));
    let events = Events::default();
    let reported = |phase| {
        let fields = [("controller", "children/b"), ("phase", phase), ("type_url", "trouble.code")];
        events.wait_for(WAITS, &fields);
    };

    let held = lock(&blocked);
    let source = Source::new(&root).lock_deadline(SOON);
    let seen = events.clone();
    let preflight = thread::spawn(move || seen.capture(|| source.preflight(&theirs()).map(drop)));
    reported("preflight");
    drop(held);
    ends(move || preflight.join().unwrap()).unwrap();

    let session = Session::new().hook_deadline(SOON);
    let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
    let held = lock(&blocked);
    let (seen, (give_back, taken)) = (events.clone(), mpsc::channel());
    thread::spawn(move || {
        let saved = seen.capture(|| frozen.save().map(drop));
        give_back.send((saved, frozen)).unwrap();
    });
    reported("save");
    drop(held);
    let (saved, frozen) = taken.recv().unwrap();
    saved.unwrap();
    block_on(frozen.rollback()).unwrap();
    // Nobody waits for a lock of a state.
    assert_eq!(events.count("waits for the lock", &[]), 0);
}
