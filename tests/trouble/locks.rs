//! Locks that are never released: the report names the controller, and a wait that can be ended ends.

use std::ops::DerefMut;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, TryLockError};
use std::thread;
use std::time::Duration;

use futures_executor::block_on;
use snapshot_core::{
    Child, Code, Context, Controller, Error, Failure, Outcome, Phase, Session, Snapshot, Source,
    Undo,
};

use super::fixture::{Events, ends, lock, messages, texts, theirs};

messages!("trouble.locks");

macro_rules! controllers {
    ($tree:ident $tree_state:ident, $disk:ident $disk_state:ident { $($try_state:item)? }) => {
        #[derive(Snapshot)]
        #[snapshot(message = pb::Tree, version = 1, controller = $tree)]
        pub(super) struct $tree_state {
            children: Vec<Child<$disk>>,
            only: Option<Child<$disk>>,
        }

        pub(super) struct $tree(Mutex<$tree_state>);

        impl Controller for $tree {
            type State = $tree_state;

            fn state(&self) -> impl DerefMut<Target = $tree_state> + '_ {
                lock(&self.0)
            }

            fn import(state: $tree_state) -> Result<Self, Error> {
                Ok(Self(Mutex::new(state)))
            }
        }

        #[derive(Snapshot)]
        #[snapshot(message = pb::Disk, version = 1, controller = $disk)]
        #[snapshot(ignore(queues, sizes, owners, first, parts, form, timeout, users))]
        #[snapshot(save_from(Running), freeze_to = Moving, abort_to = Stopped)]
        pub(super) struct $disk_state {
            #[snapshot(id)]
            name: String,
            #[snapshot(stage)]
            stage: Stage,
        }

        #[derive(Clone, Copy, Debug, PartialEq, Snapshot)]
        #[snapshot(stage = pb::Stage)]
        pub(super) enum Stage {
            Stopped,
            Running,
            #[snapshot(transient)]
            Moving,
        }

        pub(super) struct $disk {
            state: Mutex<$disk_state>,
            /// The action of its next freeze.
            freezes: Mutex<Option<Box<dyn FnOnce() + Send>>>,
        }

        impl Controller for $disk {
            type State = $disk_state;

            fn state(&self) -> impl DerefMut<Target = $disk_state> + '_ {
                lock(&self.state)
            }

            $($try_state)?

            fn import(state: $disk_state) -> Result<Self, Error> {
                Ok(Self { state: Mutex::new(state), freezes: Mutex::default() })
            }

            async fn freeze(&self, _: &Context) -> Result<(), Error> {
                if let Some(act) = lock(&self.freezes).take() {
                    act();
                }
                Ok(())
            }

            async fn thaw(&self, _: &Context) -> Result<(), Error> {
                Ok(())
            }
        }

        impl $disk {
            fn new(name: &str) -> Arc<Self> {
                let state = $disk_state { name: name.to_owned(), stage: Stage::Running };
                Arc::new(Self { state: Mutex::new(state), freezes: Mutex::default() })
            }

            /// Holds its lock until the result is dropped.
            fn hold(self: &Arc<Self>) -> Sender<()> {
                let (release, released) = mpsc::channel();
                let (locked, is_locked) = mpsc::channel();
                let disk = Arc::clone(self);
                thread::spawn(move || {
                    let _guard = disk.state();
                    locked.send(()).unwrap();
                    let _ = released.recv();
                });
                is_locked.recv().unwrap();
                release
            }
        }

        impl $tree {
            fn of(children: [&Arc<$disk>; 2], only: &Arc<$disk>) -> Arc<Self> {
                let child = |disk: &Arc<$disk>| Child::new(Arc::clone(disk));
                let state = $tree_state {
                    children: children.map(child).into(),
                    only: Some(child(only)),
                };
                Arc::new(Self(Mutex::new(state)))
            }
        }
    };
}

// There is no way to know whether the lock is free.
controllers! { Tree TreeState, Disk DiskState {} }

mod patient {
    use super::*;

    messages!("trouble.patient");

    controllers! { Tree TreeState, Disk DiskState {
        fn try_state(&self) -> Option<impl DerefMut<Target = DiskState> + '_> {
            match self.state.try_lock() {
                Ok(state) => Some(state),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            }
        }
    } }

    pub(super) type PatientTree = Tree;
    pub(super) type PatientDisk = Disk;

    impl Tree {
        pub(super) fn with(disks: [&Arc<Disk>; 3]) -> Arc<Self> {
            Self::of([disks[0], disks[1]], disks[2])
        }

        /// Whether its lock is free.
        pub(super) fn is_free(&self) -> bool {
            self.0.try_lock().is_ok()
        }
    }

    impl Disk {
        pub(super) fn named(name: &str) -> Arc<Self> {
            Self::new(name)
        }

        pub(super) fn held(self: &Arc<Self>) -> Sender<()> {
            self.hold()
        }

        pub(super) fn on_freeze(&self, act: impl FnOnce() + Send + 'static) {
            *lock(&self.freezes) = Some(Box::new(act));
        }

        pub(super) fn stage(&self) -> Stage {
            lock(&self.state).stage
        }
    }
}

use patient::{PatientDisk, PatientTree, Stage as PatientStage};

const SOON: Duration = Duration::from_millis(20);
const WAITS: &str = "waits for the lock of this controller's state";

/// A subscriber belongs to one thread. This installs it on another thread, so that it sees events there.
fn with<T: std::fmt::Debug + Send + 'static>(
    events: &Events,
    run: impl FnOnce() -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let events = events.clone();
    thread::spawn(move || events.capture(run))
}

fn fields(id: &'static str, phase: &'static str) -> [(&'static str, &'static str); 3] {
    [("controller", id), ("phase", phase), ("type_url", "trouble.")]
}

#[test]
fn a_freeze_that_waits_for_a_state_says_for_whose_again_and_again_while_it_lasts() {
    let disks = ["a", "b", "c"].map(Disk::new);
    // In the survey before the plan, the name of an element is not available.
    for (at, id) in [(1, "children/1"), (2, "only")] {
        let root = Tree::of([&disks[0], &disks[1]], &disks[2]);
        let events = Events::default();
        let held = disks[at].hold();
        let freeze = with(&events, move || {
            let session = Session::new().hook_deadline(SOON);
            block_on(block_on(Source::new(&root).freeze(&session)).unwrap().rollback()).unwrap();
        });
        events.wait_for(WAITS, &fields(id, "freeze"));
        while events.count(WAITS, &fields(id, "freeze")) < 2 {
            thread::sleep(Duration::from_millis(1));
        }
        drop(held);
        ends(move || freeze.join().unwrap());
        assert!(events.count(WAITS, &[]) < 20, "too many reports");
    }
}

#[test]
fn a_wait_beyond_the_deadline_of_the_phase_is_reported_before_that_of_a_hook() {
    let disk = Disk::new("a");
    let root = Tree::of([&Disk::new("b"), &Disk::new("c")], &disk);
    let events = Events::default();
    let held = disk.hold();
    let freeze = with(&events, move || {
        let session = Session::new().deadline(Phase::Freeze, SOON);
        block_on(Source::new(&root).freeze(&session)).map(|_| ())
    });
    events.wait_for(WAITS, &fields("only", "freeze"));
    drop(held);
    // There is no time left for its hooks.
    let failure = ends(move || freeze.join().unwrap().err());
    drop(failure);
}

#[test]
fn a_preflight_and_a_save_say_for_whose_state_they_wait() {
    let disk = Disk::new("a");
    let root = Tree::of([&disk, &Disk::new("b")], &Disk::new("c"));
    let events = Events::default();
    let held = disk.hold();
    let source = Source::new(&root).lock_deadline(SOON);
    let preflight = with(&events, move || source.preflight(&theirs()));
    events.wait_for(WAITS, &fields("children/0", "preflight"));
    drop(held);
    ends(move || preflight.join().unwrap()).unwrap();

    let session = Session::new().hook_deadline(SOON);
    let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
    let held = disk.hold();
    let frozen = Arc::new(frozen);
    let saving = Arc::clone(&frozen);
    let save = with(&events, move || saving.save().map(drop));
    // The plan contains the name.
    events.wait_for(WAITS, &fields("children/a", "save"));
    drop(held);
    ends(move || save.join().unwrap()).unwrap();
    let frozen = Arc::into_inner(frozen).unwrap();
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_stage_that_cannot_be_set_after_a_hook_is_a_wait_like_any_other() {
    let disk = Disk::new("a");
    let root = Tree::of([&disk, &Disk::new("b")], &Disk::new("c"));
    let events = Events::default();
    let (send, receive) = mpsc::channel();
    let holding = Arc::clone(&disk);
    *lock(&disk.freezes) = Some(Box::new(move || send.send(holding.hold()).unwrap()));
    let freeze = with(&events, move || {
        let session = Session::new().hook_deadline(SOON);
        block_on(block_on(Source::new(&root).freeze(&session)).unwrap().rollback())
    });
    let held = receive.recv().unwrap();
    events.wait_for(WAITS, &fields("children/a", "freeze"));
    drop(held);
    ends(move || freeze.join().unwrap()).unwrap();
    // The hook itself was on time.
    assert_eq!(events.count("the hook has exceeded its deadline", &[]), 0);
}

fn patient() -> ([Arc<PatientDisk>; 3], Arc<PatientTree>) {
    let disks = ["a", "b", "c"].map(PatientDisk::named);
    let root = PatientTree::with(disks.each_ref());
    (disks, root)
}

fn assert_given_up(error: &Error, code: Code, id: &str, why: &str) {
    assert_eq!(error.code(), code, "{error}");
    let found = texts(error.clone());
    let start = format!("{id}: ");
    let says = |text: &&String| {
        text.starts_with(&start)
            && text.contains("its state cannot be locked")
            && text.contains(why)
            && text.contains("look for a thread or task that keeps the guard")
    };
    assert_eq!(found.iter().filter(says).count(), 1, "{found:?}");
}

fn freeze(root: &Arc<PatientTree>, session: Session) -> Result<(), Failure> {
    let source = Source::new(root);
    ends(move || block_on(source.freeze(&session)).map(|frozen| drop(block_on(frozen.rollback()))))
}

#[test]
fn a_wait_that_can_be_given_up_ends_the_phase_by_the_deadlines_or_a_cancel() {
    let (disks, root) = patient();
    let _held = disks[1].held();
    let patient =
        || Session::new().hook_deadline(Duration::MAX).deadline(Phase::Freeze, Duration::MAX);
    let cancelled = patient().grace(SOON);
    cancelled.cancel_handle().cancel();
    let waits = [
        (patient().hook_deadline(SOON), Code::DeadlineExceeded, "the wait took longer than 20ms"),
        (patient().deadline(Phase::Freeze, SOON), Code::DeadlineExceeded, "within 20ms"),
        (cancelled, Code::Cancelled, "the migration was cancelled"),
    ];
    for (session, code, why) in waits {
        let failure = freeze(&root, session).unwrap_err();
        assert_given_up(failure.cause(), code, "children/1", why);
        assert!(failure.undo_error().is_none());
        assert!(
            disks
                .iter()
                .enumerate()
                .all(|(at, disk)| at == 1 || disk.stage() == PatientStage::Running)
        );
    }
}

#[test]
fn a_preflight_gives_up_by_its_own_deadline_and_says_what_else_is_in_the_way() {
    let (disks, root) = patient();
    let held = disks[1].held();
    let other = disks[2].held();
    let source = Source::new(&root).lock_deadline(SOON);
    let error = ends(move || source.preflight(&theirs()).unwrap_err());
    assert_given_up(&error, Code::DeadlineExceeded, "children/1", "the wait took longer than 20ms");
    assert_given_up(
        &error,
        Code::DeadlineExceeded,
        "only",
        "the wait for another lock has already failed",
    );
    drop((held, other));
    let source = Source::new(&root);
    ends(move || source.preflight(&theirs())).unwrap();
}

#[test]
fn a_save_gives_up_by_the_blackout_budget_and_names_the_controller_as_the_plan_does() {
    let (disks, root) = patient();
    let session = Session::new().blackout_budget(Duration::from_secs(2));
    let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
    let held = disks[0].held();
    let (error, frozen) = ends(move || (frozen.save().unwrap_err(), frozen));
    assert_given_up(&error, Code::DeadlineExceeded, "children/a", "the blackout budget is used up");
    drop(held);
    block_on(frozen.rollback()).unwrap();
    assert!(disks.iter().all(|disk| disk.stage() == PatientStage::Running));
}

#[test]
fn a_locked_controller_is_a_failed_undo_that_a_recovery_retries() {
    let (disks, root) = patient();
    let (send, receive) = mpsc::channel();
    let holding = Arc::clone(&disks[0]);
    // The last one fails when the first one is frozen; the stage of the first one cannot be restored.
    disks[2].on_freeze(move || {
        send.send(holding.held()).unwrap();
        panic!("on purpose");
    });
    let session = Session::new().undo_deadline(SOON);
    let failure = freeze(&root, session.clone()).unwrap_err();
    assert_eq!(failure.cause().to_string(), "only: panicked: on purpose");
    let undo = failure.undo_error().unwrap();
    assert_given_up(undo, Code::DeadlineExceeded, "children/a", "the wait took longer than 20ms");
    let report = failure.controllers().iter().find(|report| report.id.as_str() == "children/a");
    let report = report.unwrap();
    assert_eq!((report.outcome, report.undo), (Outcome::Done, Undo::Failed));
    drop(receive.recv().unwrap());
    let recovered = Arc::clone(&root);
    ends(move || block_on(Source::recover(&recovered, &session))).unwrap();
    assert!(disks.iter().all(|disk| disk.stage() == PatientStage::Running));
    freeze(&root, Session::new()).unwrap();
}

#[test]
fn a_thread_that_locks_a_child_before_its_parent_is_named_and_both_go_on() {
    let (disks, root) = patient();
    let session = Session::new().hook_deadline(SOON);
    let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
    // Holds the child and waits for the parent, while the save holds the parent and waits for the child.
    let (parent, child) = (Arc::clone(&root), Arc::clone(&disks[0]));
    let (locked, is_locked) = mpsc::channel();
    let worker = thread::spawn(move || {
        let child = child.state();
        locked.send(()).unwrap();
        // The save has reached the parent.
        while parent.is_free() {
            thread::yield_now();
        }
        drop(parent.state());
        drop(child);
    });
    is_locked.recv().unwrap();
    let (error, frozen) = ends(move || (frozen.save().unwrap_err(), frozen));
    assert_given_up(&error, Code::DeadlineExceeded, "children/a", "the wait took longer than 20ms");
    ends(move || worker.join().unwrap());
    frozen.save().unwrap();
    block_on(frozen.rollback()).unwrap();
}
