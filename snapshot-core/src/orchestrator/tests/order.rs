//! Which hook runs when, and which stage it finds.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_executor::block_on;
use futures_util::FutureExt;

use super::*;
use crate::controller::Signal;
use crate::orchestrator::timer::Sleep;
use crate::orchestrator::tree::Met;
use crate::{Child, Code, Context, Frozen, Imported, Incoming, Source};

/// `root` with a network, a disk, and a job after both with a box inside.
pub(super) fn tree() -> Arc<Thing<Box_>> {
    let job = node::<Job>("job", [leaf::<Box_>("inner")]);
    Thing::new("root", [job, leaf::<Net>("net"), leaf::<Disk>("disk")])
}

/// The ids of [`tree`].
pub(super) const IDS: [&str; 5] =
    [".", "children/job", "children/job/children/inner", "children/net", "children/disk"];

/// Pairs of [`IDS`]: the first comes after the second.
const AFTER: [(&str, &str); 6] = [
    ("children/job", "."),
    ("children/net", "."),
    ("children/disk", "."),
    ("children/job", "children/net"),
    ("children/job", "children/disk"),
    ("children/job/children/inner", "children/job"),
];

pub(super) fn freeze(root: &Arc<Thing<Box_>>, script: &Arc<Script>) -> Frozen<Thing<Box_>> {
    block_on(Source::new(root).freeze(&script.session())).unwrap()
}

pub(super) fn import(frozen: &Frozen<Thing<Box_>>) -> Imported<Thing<Box_>> {
    Incoming::open(frozen.save().unwrap()).unwrap().import().unwrap()
}

/// The stages of [`IDS`].
pub(super) fn stages(root: &Arc<Thing<Box_>>) -> HashMap<String, Option<i32>> {
    let met = Met::under(Arc::clone(root) as _, usize::MAX);
    let controllers = met.controllers().enumerate();
    controllers.map(|(unit, (_, _, stage))| (met.id(unit).to_string(), stage)).collect()
}

/// Asserts that all controllers that have a stage are in this one.
#[track_caller]
pub(super) fn assert_stages(root: &Arc<Thing<Box_>>, expected: i32) {
    for (id, stage) in stages(root) {
        let expected = (!id.ends_with("net")).then_some(expected);
        assert_eq!(stage, expected, "{id}");
    }
}

/// Asserts that a hook ran on exactly these ids, each once, with dependencies first or last.
#[track_caller]
pub(super) fn assert_ran(log: &[String], hook: &str, ids: &[&str], dependencies_first: bool) {
    let mut ran: Vec<&str> =
        log.iter().filter_map(|s| s.strip_prefix(hook)?.strip_prefix(' ')).collect();
    for (dependent, dependency) in AFTER {
        let at = |id| ran.iter().position(|other| *other == id);
        if let (Some(dependent_at), Some(dependency_at)) = (at(dependent), at(dependency)) {
            assert_eq!(
                dependency_at < dependent_at,
                dependencies_first,
                "{hook}: {dependent} comes after {dependency}: {ran:?}"
            );
        }
    }
    ran.sort_unstable();
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    assert_eq!(ran, ids, "{hook}");
}

#[test]
fn freeze_and_commit_take_dependents_first_patch_and_resume_dependencies_first() {
    let (root, script) = (tree(), Script::new());
    let session = script.session();
    let frozen = freeze(&root, &script);
    assert_ran(&script.take_log(), "freeze", &IDS, false);
    let imported = import(&frozen);
    assert!(script.take_log().is_empty(), "an import calls no hook");
    let patched = block_on(imported.patch(&session)).unwrap();
    assert_ran(&script.take_log(), "patch", &IDS, true);
    block_on(patched.resume(&session)).unwrap();
    assert_ran(&script.take_log(), "resume", &IDS, true);
    block_on(frozen.commit()).unwrap();
    assert_ran(&script.take_log(), "commit", &IDS, false);
}

#[test]
fn a_rollback_takes_dependencies_first_an_abort_dependents_first() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let patched = block_on(import(&frozen).patch(&script.session())).unwrap();
    script.take_log();
    block_on(patched.abort()).unwrap();
    assert_ran(&script.take_log(), "abort", &IDS, false);
    block_on(frozen.rollback()).unwrap();
    assert_ran(&script.take_log(), "thaw", &IDS, true);
}

#[test]
fn every_hook_finds_the_stage_that_it_needs() {
    let (root, script) = (tree(), Script::new());
    let session = script.session();
    let frozen = freeze(&root, &script);
    assert_eq!(script.stage_at("freeze children/disk"), RUNNING);
    assert_stages(&root, FROZEN);

    let imported = import(&frozen);
    assert_stages(&root, FROZEN);
    let there = Arc::clone(imported.root());
    assert_stages(&there, IMPORTED);
    let patched = block_on(imported.patch(&session)).unwrap();
    assert_eq!(script.stage_at("patch children/disk"), IMPORTED);
    assert_stages(&there, IMPORTED);
    let there = block_on(patched.resume(&session)).unwrap();
    assert_eq!(script.stage_at("resume children/disk"), RUNNING);
    assert_stages(&there, RUNNING);

    block_on(frozen.commit()).unwrap();
    assert_eq!(script.stage_at("commit children/disk"), FROZEN);
    assert_stages(&root, DEAD);
}

#[test]
fn a_rollback_and_a_resume_return_to_the_stage_before_the_freeze() {
    let disk = Thing::<Disk>::in_stage("disk", STOPPED, []);
    let root = Thing::<Box_>::new("root", [Child::of(Arc::clone(&disk))]);
    let script = Script::new();
    let frozen = freeze(&root, &script);
    let patched = block_on(import(&frozen).patch(&script.session())).unwrap();
    let there = block_on(patched.resume(&script.session())).unwrap();
    assert_eq!(there.lock().children[0].downcast::<Thing<Disk>>().unwrap().stage(), STOPPED);
    assert_eq!(there.stage(), RUNNING);
    block_on(frozen.rollback()).unwrap();
    assert_eq!((disk.stage(), root.stage()), (STOPPED, RUNNING));
}

#[test]
fn the_stage_that_is_saved_is_the_one_that_the_freeze_hook_has_left() {
    // The guest ends on its own after the freeze has begun and before this disk's turn.
    let disk = Thing::<Disk>::new("disk", []);
    let root = Thing::<Box_>::new("root", [Child::of(Arc::clone(&disk))]);
    let stops = Arc::clone(&disk);
    let script = Script::new().on("freeze children/disk", move |_| {
        stops.lock().stage = STOPPED;
        Box::pin(async { Ok(()) })
    });
    let frozen = freeze(&root, &script);
    let there = import(&frozen);
    let preview = Incoming::open(frozen.save().unwrap()).unwrap().preview().unwrap();
    assert_eq!(preview.controllers[1].stage, Some("Stopped"));
    drop(there);
    block_on(frozen.rollback()).unwrap();
    assert_eq!(disk.stage(), STOPPED);
}

#[test]
fn a_stage_that_may_not_be_saved_after_the_freeze_hook_undoes_the_freeze() {
    let disk = Thing::<Disk>::new("disk", []);
    let root = Thing::<Box_>::new("root", [Child::of(Arc::clone(&disk))]);
    let dies = Arc::clone(&disk);
    let script = Script::new().on("freeze children/disk", move |_| {
        dies.lock().stage = DEAD;
        Box::pin(async { Ok(()) })
    });
    let failure = block_on(Source::new(&root).freeze(&script.session())).unwrap_err();
    assert_eq!(
        failure.cause().to_string(),
        "children/disk: is in stage Dead, but can be saved only in Running or Stopped"
    );
    assert_eq!(script.take_log(), ["freeze children/disk", "thaw children/disk"]);
}

#[test]
fn every_stage_that_may_not_be_saved_is_told_before_anything_is_frozen() {
    let children = [
        Child::of(Thing::<Disk>::in_stage("a", NEW, [])),
        Child::of(Thing::<Disk>::in_stage("b", DEAD, [])),
        leaf::<Disk>("c"),
    ];
    let root = Thing::<Box_>::new("root", children);
    let script = Script::new();
    let failure = block_on(Source::new(&root).freeze(&script.session())).unwrap_err();
    assert_eq!(
        failure.cause().to_string(),
        "children/a: is in stage New, but can be saved only in Running or Stopped\n\
         children/b: is in stage Dead, but can be saved only in Running or Stopped"
    );
    assert_eq!(failure.code(), Code::FailedPrecondition);
    assert!(script.take_log().is_empty());
}

/// Raises one signal and waits for the other.
fn meet(
    mine: &Arc<Signal>,
    other: &Arc<Signal>,
) -> impl for<'a> Fn(&'a Context) -> Played<'a> + Send + Sync + 'static {
    let (mine, other) = (Arc::clone(mine), Arc::clone(other));
    move |_| {
        mine.raise();
        Box::pin(other.raised().map(Ok))
    }
}

#[test]
fn independent_hooks_run_at_the_same_time() {
    // Each waits for the other: in sequence they would wait until their deadline.
    let (root, script) = (tree(), Script::new());
    let (disk, net) = (Arc::new(Signal::default()), Arc::new(Signal::default()));
    for hook in ["freeze", "patch", "resume"] {
        script.on(&format!("{hook} children/disk"), meet(&disk, &net));
        script.on(&format!("{hook} children/net"), meet(&net, &disk));
    }
    let frozen = freeze(&root, &script);
    let patched = block_on(import(&frozen).patch(&script.session())).unwrap();
    block_on(patched.resume(&script.session())).unwrap();
    block_on(frozen.commit()).unwrap();
}

#[test]
fn no_more_hooks_run_at_the_same_time_than_the_session_says() {
    let (root, script) =
        (Thing::<Box_>::new("root", (0..20).map(|n| leaf::<Disk>(&n.to_string()))), Script::new());
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    for n in 0..20 {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        script.on(&format!("freeze children/{n}"), move |_| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let now = Arc::clone(&now);
            Box::pin(async move {
                Sleep::after(Duration::from_millis(2), None).unwrap().unwrap().await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            })
        });
    }
    let session = script.session().max_in_flight(NonZeroUsize::new(3).unwrap());
    let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
    assert_eq!(most.load(Ordering::SeqCst), 3);
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_tree_that_is_frozen_cannot_be_frozen_again() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let failure = block_on(Source::new(&root).freeze(&script.session())).unwrap_err();
    assert_eq!(failure.code(), Code::FailedPrecondition);
    block_on(frozen.rollback()).unwrap();
    block_on(freeze(&root, &script).rollback()).unwrap();
}

#[test]
fn a_controller_that_comes_while_the_tree_is_frozen_undoes_the_freeze() {
    let (root, script) = (tree(), Script::new());
    let grows = Arc::clone(&root);
    script.on("freeze children/job", move |_| {
        grows.lock().children.push(leaf::<Disk>("late"));
        grows.lock().children.remove(1);
        Box::pin(async { Ok(()) })
    });
    let failure = block_on(Source::new(&root).freeze(&script.session())).unwrap_err();
    assert_eq!(
        failure.cause().to_string(),
        "children/net: was removed while the tree was frozen: it must stand still\n\
         children/late: was added while the tree was frozen: it must stand still"
    );
    assert_ran(&script.take_log(), "thaw", &IDS, true);
}

#[test]
fn a_migration_runs_on_any_executor() {
    let (root, script) = (tree(), Script::new());
    let session = script.session();
    // Woken from another thread, as by a reactor.
    script.on("patch children/disk", |_| {
        Box::pin(async {
            let (send, receive) = futures_util::future::abortable(std::future::pending::<()>());
            std::thread::spawn(move || receive.abort());
            assert!(send.await.is_err());
            Ok(())
        })
    });
    let there = run_on_threads(async {
        let frozen = Source::new(&root).freeze(&session).await.unwrap();
        let imported = Incoming::open(frozen.save().unwrap()).unwrap().import().unwrap();
        let there: Arc<Thing<Box_>> =
            imported.patch(&session).await.unwrap().resume(&session).await.unwrap();
        frozen.commit().await.unwrap();
        there
    });
    assert_stages(&there, RUNNING);
    assert_stages(&root, DEAD);
}

#[test]
fn the_timeline_has_every_phase_every_hook_and_the_bytes_of_every_controller() {
    let (root, script) = (tree(), Script::new());
    let session = script.session();
    assert_eq!(session.timeline().blackout, None);
    let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
    let snapshot = frozen.save().unwrap();
    block_on(frozen.commit()).unwrap();
    let timeline = session.timeline();
    let phases: Vec<_> = timeline.phases.iter().map(|time| time.phase.as_str()).collect();
    assert_eq!(phases, ["freeze", "save", "commit"]);
    assert_eq!(timeline.controllers.len(), 2 * IDS.len());
    assert_eq!(timeline.blackout, session.timeline().blackout, "it has ended");
    let saved: Vec<_> = timeline.saved.iter().map(|saved| saved.id.as_str()).collect();
    assert_eq!(saved, IDS);
    // A payload of 5 + 2 + n bytes each: version, stage, name.
    let inner = timeline.saved.iter().find(|saved| saved.id.as_str().ends_with("inner")).unwrap();
    assert_eq!(inner.bytes, 2 + (2 + "inner".len()) + 2);
    // What is not in a child is in its parent, the `Any` around the child included.
    let sum: usize = timeline.saved.iter().map(|saved| saved.bytes).sum();
    assert_eq!(sum, snapshot.payload().len());
}
