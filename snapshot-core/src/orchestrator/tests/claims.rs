//! Two transactions over the same controllers.

use std::sync::Arc;

use futures_executor::block_on;

use super::abandoned::{DESTINATIONS, begin_and_drop};
use super::order::{assert_stages, freeze, import, tree};
use super::*;
use crate::registry::registry;
use crate::{Abandoned, Child, Code, Controller, Failure, Phase, Source};

fn refused<C: Controller>(root: &Arc<C>, script: &Arc<Script>) -> Failure {
    let failure = block_on(Source::new(root).freeze(&script.session())).unwrap_err();
    assert_eq!((failure.phase(), failure.code()), (Phase::Freeze, Code::FailedPrecondition));
    assert!(failure.controllers().is_empty(), "nothing was begun");
    let preflight = Source::new(root).preflight(&registry().unwrap().manifest()).unwrap_err();
    assert_eq!(preflight.to_string(), failure.cause().to_string());
    failure
}

fn job(root: &Arc<Thing<Box_>>) -> Arc<Thing<Job>> {
    root.lock().children[0].downcast().unwrap()
}

#[test]
fn a_part_of_a_frozen_tree_cannot_be_frozen_and_the_error_says_by_whom_it_is_held() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let expected = ".: is already migrating, as children/job under \
                    type.googleapis.com/test.BoxSnapshot: commit that migration or roll it back \
                    first";
    assert_eq!(refused(&job(&root), &script).cause().to_string(), expected);
    let expected = ".: is already migrating, as the root, type.googleapis.com/test.BoxSnapshot: \
                    commit that migration or roll it back first";
    assert_eq!(refused(&root, &script).cause().to_string(), expected);
    frozen.save().unwrap();
    block_on(frozen.rollback()).unwrap();
    let alone = block_on(Source::new(&job(&root)).freeze(&script.session())).unwrap();
    block_on(alone.rollback()).unwrap();
    assert_stages(&root, RUNNING);
}

#[test]
fn a_tree_around_a_frozen_one_cannot_be_frozen() {
    let (root, script) = (tree(), Script::new());
    let disk: Arc<Thing<Disk>> = root.lock().children[2].downcast().unwrap();
    let job = block_on(Source::new(&job(&root)).freeze(&script.session())).unwrap();
    let disk = block_on(Source::new(&disk).freeze(&script.session())).unwrap();
    // Of a subtree the top is enough.
    assert_eq!(
        refused(&root, &script).cause().to_string(),
        "children/job: is already migrating, as the root, type.googleapis.com/test.JobSnapshot: \
         commit that migration or roll it back first\n\
         children/disk: is already migrating, as the root, type.googleapis.com/test.DiskSnapshot: \
         commit that migration or roll it back first"
    );
    block_on(job.rollback()).unwrap();
    block_on(disk.rollback()).unwrap();
    block_on(freeze(&root, &script).rollback()).unwrap();
}

#[test]
fn two_trees_that_share_a_controller_cannot_be_frozen_together() {
    let script = Script::new();
    let shared = Thing::<Disk>::new("shared", []);
    let one = Thing::<Box_>::new("one", [Child::of(Arc::clone(&shared))]);
    let other = Thing::<Box_>::new("other", [leaf::<Net>("own"), Child::of(shared)]);
    let frozen = freeze(&one, &script);
    let failure = refused(&other, &script);
    let expected = "children/shared: is already migrating, as children/shared under ";
    assert!(failure.cause().to_string().starts_with(expected), "{failure}");
    block_on(frozen.commit()).unwrap();
}

#[test]
fn what_was_left_frozen_is_recovered_with_its_own_root() {
    let (root, script) = (tree(), Script::new());
    drop(freeze(&root, &script));
    // Whatever the stages say, which were left at `Frozen`.
    let failure = refused(&root, &script);
    let expected = ".: was left frozen by a migration that did not end, as the root, \
                    type.googleapis.com/test.BoxSnapshot: call `Source::recover` with that root first";
    assert_eq!(failure.cause().to_string(), expected);
    let failure = refused(&job(&root), &script);
    assert!(failure.cause().to_string().contains("as children/job under"), "{failure}");

    let failure = block_on(Source::recover(&job(&root), &script.session())).unwrap_err();
    assert_eq!(
        failure.cause().to_string(),
        ".: is children/job of a tree that was left frozen: call `Source::recover` with its root, \
         type.googleapis.com/test.BoxSnapshot"
    );
    assert_stages(&root, FROZEN);
    block_on(Source::recover(&root, &script.session())).unwrap();
    assert_stages(&root, RUNNING);
    block_on(Source::recover(&job(&root), &script.session())).unwrap();
}

#[test]
fn after_a_commit_that_was_dropped_the_next_freeze_says_recover() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    script.on("commit children/job", hangs);
    begin_and_drop(frozen.commit());
    script.reset();
    assert!(refused(&root, &script).to_string().contains("call `Source::recover`"));
    block_on(Source::recover(&root, &script.session())).unwrap();
    assert_stages(&root, DEAD);
}

#[test]
fn a_destination_cannot_be_frozen_before_it_is_live() {
    let _alone = DESTINATIONS.lock();
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let imported = import(&frozen);
    let there = Arc::clone(imported.root());
    let expected = ".: was imported and is not live yet, as the root, \
                    type.googleapis.com/test.BoxSnapshot: resume or abort that tree first";
    assert_eq!(refused(&there, &script).cause().to_string(), expected);
    assert!(refused(&job(&there), &script).to_string().contains("as children/job under"));
    let patched = block_on(imported.patch(&script.session())).unwrap();
    assert!(refused(&there, &script).to_string().contains("is not live yet"));
    drop(patched);
    assert!(refused(&there, &script).to_string().contains("`Abandoned::take_all`"));
    for abandoned in Abandoned::take_all() {
        block_on(abandoned.abort(&script.session())).unwrap();
    }
    // In the stage that an abort leaves behind, nothing can be saved.
    let failure = block_on(Source::new(&there).freeze(&script.session())).unwrap_err();
    assert!(failure.to_string().contains("is in stage Dead"), "{failure}");

    let patched = block_on(import(&frozen).patch(&script.session())).unwrap();
    let there = block_on(patched.resume(&script.session())).unwrap();
    block_on(frozen.commit()).unwrap();
    block_on(freeze(&there, &script).rollback()).unwrap();
}

#[test]
fn an_imported_tree_that_is_dropped_or_given_up_is_free() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    for aborts in [true, false] {
        let imported = import(&frozen);
        let there = Arc::clone(imported.root());
        match aborts {
            true => imported.abort(),
            false => drop(imported),
        }
        let failure = block_on(Source::new(&there).freeze(&script.session())).unwrap_err();
        assert!(failure.to_string().contains("is in stage"), "{failure}");
    }
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn what_was_moved_away_is_not_moved_a_second_time_for_as_long_as_it_lives() {
    let (root, script) = (tree(), Script::new());
    // Without a stage, which would refuse it too.
    let net = root.lock().children[1].downcast::<Thing<Net>>().unwrap();
    block_on(freeze(&root, &script).commit()).unwrap();
    let manifest = registry().unwrap().manifest();
    let preflight = Source::new(&net).preflight(&manifest).unwrap_err();
    let failure = refused(&net, &script);
    assert_eq!(preflight.to_string(), failure.cause().to_string());
    assert_eq!(
        preflight.to_string(),
        ".: was moved away, as children/net under type.googleapis.com/test.BoxSnapshot: that migration \
         was committed and the destination has it; build a new controller if one is to run here"
    );
    let around = Thing::<Box_>::new("around", [Child::of(Arc::clone(&net))]);
    assert!(refused(&around, &script).to_string().contains("children/net: was moved away"));
    drop(root);
    assert!(refused(&net, &script).to_string().contains("was moved away"));
    block_on(Source::recover(&net, &script.session())).unwrap();
}

#[test]
fn a_recovery_of_a_migration_that_goes_on_is_refused() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let failure = block_on(Source::recover(&root, &script.session())).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "thaw failed: .: is in a migration that was not dropped, so there is nothing to recover: \
         commit it or roll it back"
    );
    assert_eq!(failure.code(), Code::FailedPrecondition);
    block_on(frozen.rollback()).unwrap();
    block_on(Source::recover(&root, &script.session())).unwrap();
}
