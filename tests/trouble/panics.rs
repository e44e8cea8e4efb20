//! Panics in a controller's code: they are reported with the controller, and do not affect the other
//! controllers.

use std::fmt;
use std::ops::DerefMut;
use std::panic::panic_any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use futures_executor::block_on;
use snapshot_core::{
    Child, Code, Context, Controller, ControllerId, Error, Incoming, Phase, Progress, Session,
    Snapshot, Source,
};

use super::fixture::{Events, lock, messages, preflight, texts, theirs};

messages!("trouble.panics");

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

/// Panics at some numbers.
mod adapter {
    use super::Queues;

    pub(super) fn to_wire(queues: &Queues) -> Result<u32, String> {
        match queues.0 {
            7 => panic!("seven"),
            queues => Ok(queues),
        }
    }

    pub(super) fn from_wire(queues: u32) -> Result<Queues, String> {
        match queues {
            8 => panic!("eight"),
            queues => Ok(Queues(queues)),
        }
    }
}

#[derive(Clone, Copy)]
struct Queues(u32);

/// An id that can panic when it is displayed.
#[derive(Clone, Snapshot)]
#[snapshot(transparent)]
struct Name(String);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert_ne!(self.0, "unspeakable");
        f.write_str(&self.0)
    }
}

#[derive(Snapshot)]
#[snapshot(message = pb::Disk, version = 1, controller = Disk, validate = DiskState::check)]
#[snapshot(ignore(owners, first, parts, form, timeout, users, stage))]
struct DiskState {
    #[snapshot(id)]
    name: Name,
    #[snapshot(with = adapter)]
    queues: Queues,
    sizes: Vec<u32>,
}

impl DiskState {
    fn check(&self) -> Result<(), Error> {
        assert_ne!(self.sizes, [9], "in a check");
        Ok(())
    }
}

/// Takes its lock with `unwrap`, which panics for a poisoned lock.
struct Disk {
    state: Mutex<DiskState>,
    /// Its next hook panics while it holds the guard of the state.
    panics: AtomicBool,
}

impl Disk {
    fn new(state: DiskState) -> Self {
        Self { state: Mutex::new(state), panics: AtomicBool::new(false) }
    }

    fn work(&self) {
        let _state = self.state.lock();
        assert!(!self.panics.swap(false, Ordering::SeqCst), "in a hook");
    }
}

impl Controller for Disk {
    type State = DiskState;

    fn state(&self) -> impl DerefMut<Target = DiskState> + '_ {
        self.state.lock().unwrap()
    }

    fn import(state: DiskState) -> Result<Self, Error> {
        assert_ne!(state.sizes, [10], "in an import");
        Ok(Self::new(state))
    }

    async fn freeze(&self, _: &Context) -> Result<(), Error> {
        self.work();
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let sizes = &self.state.get_mut().unwrap_or_else(|state| state.into_inner()).sizes;
        assert!(*sizes != [11] || thread::panicking(), "in a destructor");
    }
}

fn disk(name: &str, queues: u32, sizes: &[u32]) -> DiskState {
    DiskState { name: Name(name.to_owned()), queues: Queues(queues), sizes: sizes.to_vec() }
}

fn tree(disks: impl IntoIterator<Item = DiskState>) -> Arc<Tree> {
    let child = |disk| Child::new(Disk::new(disk));
    Arc::new(Tree(Mutex::new(TreeState { children: disks.into_iter().map(child).collect() })))
}

fn child(root: &Tree, at: usize) -> Arc<Disk> {
    Arc::clone(lock(&root.0).children[at].get().unwrap())
}

fn save(disks: impl IntoIterator<Item = DiskState>) -> Snapshot {
    let root = tree(disks);
    let frozen = block_on(Source::new(&root).freeze(&Session::new())).unwrap();
    let snapshot = frozen.save().unwrap();
    block_on(frozen.rollback()).unwrap();
    snapshot
}

fn poison(disk: Arc<Disk>) {
    let poisoning = thread::spawn(move || {
        let _guard = disk.state.lock();
        panic!("with the guard");
    });
    poisoning.join().unwrap_err();
}

const STATE_PANICKED: &str = "its `state` function must return the state in every case, also when \
     the lock is poisoned (`lock().unwrap_or_else(PoisonError::into_inner)`), but it panicked: ";

#[test]
fn a_panic_of_an_adapter_is_one_finding_with_its_controller_and_its_field_and_poisons_no_lock() {
    let root = tree([disk("a", 7, &[]), disk("b", 1, &[]), disk("c", 7, &[])]);
    let expected = ["a", "c"].map(|id| {
        format!(
            "children/{id}: trouble.panics.Disk: the adapter of the field queues panicked: seven"
        )
    });
    assert_eq!(preflight(&root), expected);
    let frozen = block_on(Source::new(&root).freeze(&Session::new())).unwrap();
    let error = frozen.save().unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert_eq!(texts(error), expected);
    for at in 0..3 {
        // Neither the lock of the controller nor that of its parent is poisoned.
        child(&root, at).state.lock().unwrap().queues = Queues(1);
    }
    assert!(!root.0.is_poisoned());
    frozen.save().unwrap();
    block_on(frozen.commit()).unwrap();
}

#[test]
fn a_poisoned_state_is_reported_with_its_controller_the_cure_and_all_other_findings() {
    let root = tree([disk("a", 7, &[]), disk("b", 1, &[]), disk("c", 1, &[])]);
    poison(child(&root, 1));
    let starts = |found: &[String], id: &str| {
        let start = format!("{id}: {STATE_PANICKED}");
        assert!(found.iter().any(|text| text.starts_with(&start)), "{found:?}");
    };
    // Its name is not available.
    starts(&preflight(&root), "children/1");
    let failure = block_on(Source::new(&root).freeze(&Session::new())).unwrap_err();
    starts(&texts(failure.cause().clone()), "children/1");

    let root = tree([disk("a", 7, &[]), disk("b", 1, &[]), disk("c", 1, &[])]);
    let frozen = block_on(Source::new(&root).freeze(&Session::new())).unwrap();
    poison(child(&root, 1));
    let found = texts(frozen.save().unwrap_err());
    assert!(found[0].starts_with("children/a: trouble.panics.Disk: the adapter"), "{found:?}");
    // The plan contains the name.
    starts(&found, "children/b: trouble.panics.Disk");
    assert_eq!(found.len(), 2, "{found:#?}");
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_hook_that_panics_with_the_guard_is_reported_and_the_others_are_undone() {
    let root = tree([disk("a", 1, &[]), disk("b", 1, &[])]);
    child(&root, 0).panics.store(true, Ordering::SeqCst);
    let failure = block_on(Source::new(&root).freeze(&Session::new())).unwrap_err();
    assert_eq!(texts(failure.cause().clone()), ["children/a: panicked: in a hook"]);
    let failure = block_on(Source::new(&root).freeze(&Session::new())).unwrap_err();
    let found = texts(failure.cause().clone());
    assert!(found[0].starts_with(&format!("children/0: {STATE_PANICKED}")), "{found:?}");
}

#[test]
fn an_id_that_panics_is_reported_where_it_is_in_its_parent() {
    let root = tree([disk("a", 1, &[]), disk("unspeakable", 1, &[])]);
    let found = preflight(&root);
    assert!(found[0].starts_with("children/1: panicked: assertion"), "{found:?}");
}

#[test]
fn an_import_reports_the_panics_of_each_controller_with_all_other_findings() {
    let snapshot =
        save([disk("a", 8, &[]), disk("b", 1, &[9]), disk("c", 1, &[]), disk("d", 1, &[9])]);
    let found = texts(Incoming::from(snapshot).import::<Tree>().err().unwrap());
    assert_eq!(found.len(), 3, "{found:?}");
    let adapter =
        "children/0: trouble.panics.Disk: the adapter of the field queues panicked: eight";
    assert!(found[0].starts_with(adapter), "{found:?}");
    for (at, id) in [(1, "children/1"), (2, "children/3")] {
        assert!(
            found[at].starts_with(&format!("{id}: trouble.panics.Disk: panicked: ")),
            "{found:?}"
        );
        assert!(found[at].contains("in a check"), "{found:?}");
    }

    let snapshot = save([disk("a", 1, &[10]), disk("b", 1, &[]), disk("c", 1, &[10])]);
    let found = texts(Incoming::from(snapshot).import::<Tree>().err().unwrap());
    assert_eq!(found.len(), 2, "{found:?}");
    for (text, id) in found.iter().zip(["a", "c"]) {
        assert!(text.starts_with(&format!("children/{id}: panicked: ")), "{found:?}");
        assert!(text.contains("in an import"), "{found:?}");
    }
}

#[test]
fn a_destructor_that_panics_is_reported_with_its_controller_and_hides_no_failure() {
    // A failed import drops the controllers that it has built.
    let found = texts(Incoming::from(save_armed()).import::<Tree>().err().unwrap());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("children/b: panicked") && found[0].contains("in an import"));
    let dropped = "children/a: when it was dropped, panicked: in a destructor";
    assert!(found[1].starts_with(dropped), "{found:?}");
}

#[test]
fn a_panicking_destructor_of_a_source_affects_neither_its_end_nor_its_report() {
    let source = || Source::new(&Arc::new(Disk::new(disk("a", 1, &[11]))));
    let events = Events::default();
    events.capture(|| {
        let session = Session::new();
        block_on(block_on(source().freeze(&session)).unwrap().commit()).unwrap();
        block_on(block_on(source().freeze(&session)).unwrap().rollback()).unwrap();
        let failure =
            block_on(source().freeze(&session.clone().fail_at(Phase::Freeze, "."))).unwrap_err();
        assert_eq!(failure.code(), Code::Internal);
        session.cancel_handle().cancel();
        let failure = block_on(source().freeze(&session)).unwrap_err();
        assert_eq!(failure.code(), Code::Cancelled);
    });
    let fields = [("controller", "."), ("error", "in a destructor")];
    assert_eq!(events.count("panicked when it was dropped", &fields), 4);

    // Before the tree exists.
    let root = Arc::new(Disk::new(disk("a", 1, &[11])));
    poison(Arc::clone(&root));
    let failure = block_on(Source::new(&root).freeze(&Session::new())).unwrap_err();
    assert_eq!(failure.cause().findings().count(), 1, "{failure}");
    let source = Source::new(&root);
    drop(root);
    let found = texts(block_on(source.freeze(&Session::new())).unwrap_err().into_error());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[1].starts_with(".: when it was dropped, panicked: in a destructor"), "{found:?}");
}

/// The destructor of the first disk panics, and the second disk cannot be built.
fn save_armed() -> Snapshot {
    let root = tree([disk("a", 1, &[11]), disk("b", 1, &[10])]);
    let frozen = block_on(Source::new(&root).freeze(&Session::new())).unwrap();
    let snapshot = frozen.save().unwrap();
    block_on(frozen.rollback()).unwrap();
    child(&root, 0).state.lock().unwrap().sizes.clear();
    snapshot
}

#[test]
fn an_observer_that_panics_is_reported_with_the_controller_and_stops_nothing() {
    struct Careless;

    impl Progress for Careless {
        fn controller_started(&self, _: Phase, id: &ControllerId) {
            assert_ne!(id.as_str(), "children/a", "never heard of it");
        }

        fn phase_ended(&self, _: Phase, _: Result<(), &Error>) {
            panic_any(7);
        }
    }

    let root = tree([disk("a", 1, &[]), disk("b", 1, &[])]);
    let events = Events::default();
    events.capture(|| {
        let session = Session::new().progress(Arc::new(Careless));
        let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
        frozen.save().unwrap();
        block_on(frozen.rollback()).unwrap();
    });
    let panicked = "the progress observer panicked";
    let fields = [("phase", "freeze"), ("controller", "children/a"), ("error", "never heard")];
    assert_eq!(events.count(panicked, &fields), 1);
    assert_eq!(events.count(panicked, &[("phase", "save"), ("error", "panicked")]), 1);
}

#[test]
fn a_subscriber_that_panics_stops_nothing() {
    struct Careless;

    impl tracing::Subscriber for Careless {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn event(&self, _: &tracing::Event<'_>) {
            panic!("in an event");
        }

        fn enter(&self, _: &tracing::span::Id) {
            panic!("when a span is entered");
        }

        fn exit(&self, _: &tracing::span::Id) {
            panic!("when a span is left");
        }

        fn try_close(&self, _: tracing::span::Id) -> bool {
            panic!("when a span is closed");
        }
    }

    let root = tree([disk("a", 1, &[]), disk("b", 1, &[])]);
    tracing::subscriber::with_default(Careless, || {
        let source = Source::new(&root);
        source.preflight(&theirs()).unwrap();
        let frozen = block_on(source.freeze(&Session::new())).unwrap();
        // The disks have no `thaw`, so there is an event for each.
        block_on(frozen.rollback()).unwrap();
        let frozen = block_on(Source::new(&root).freeze(&Session::new())).unwrap();
        let snapshot = frozen.save().unwrap();
        let imported = Incoming::from(snapshot).import::<Tree>().unwrap();
        let patched = block_on(imported.patch(&Session::new())).unwrap();
        block_on(patched.resume(&Session::new())).unwrap();
        block_on(frozen.commit()).unwrap();
    });
}
