//! Futures and steps that are dropped before the end.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use futures_executor::block_on;

use super::order::{IDS, assert_ran, assert_stages, freeze, import, tree};
use super::*;
use crate::{Abandoned, Code, Source};

/// The list of abandoned destinations is one for the whole program, and so for all tests.
pub(super) static DESTINATIONS: Mutex<()> = Mutex::new(());

/// Polls a future once, which must not be enough, and drops it.
pub(super) fn begin_and_drop<T>(future: impl Future<Output = T>) {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(future).poll(&mut cx).is_pending());
}

#[test]
fn a_dropped_frozen_source_is_an_error_stays_frozen_and_can_be_recovered() {
    let (root, script) = (tree(), Script::new());
    let events = Events::default();
    let frozen = freeze(&root, &script);
    events.capture(|| drop(frozen));
    assert!(events.has(&["dropped without commit or rollback", "test.BoxSnapshot"]));
    assert_stages(&root, FROZEN);
    let failure = block_on(Source::new(&root).freeze(&script.session())).unwrap_err();
    assert_eq!(failure.code(), Code::FailedPrecondition);

    script.take_log();
    block_on(Source::recover(&root, &script.session())).unwrap();
    assert_ran(&script.take_log(), "thaw", &IDS, true);
    assert_stages(&root, RUNNING);
    block_on(Source::recover(&root, &script.session())).unwrap();
    assert!(script.take_log().is_empty(), "there is nothing left to recover");
    block_on(freeze(&root, &script).commit()).unwrap();
}

#[test]
fn a_freeze_that_is_dropped_half_way_thaws_exactly_what_it_had_begun() {
    let (root, script) = (tree(), Script::new());
    script.on("freeze children/disk", hangs);
    let session = script.session();
    begin_and_drop(Source::new(&root).freeze(&session));
    let log = script.take_log();
    let begun: Vec<&str> = log.iter().filter_map(|step| step.strip_prefix("freeze ")).collect();
    assert!(begun.contains(&"children/disk") && !begun.contains(&"."), "{begun:?}");
    block_on(Source::recover(&root, &session)).unwrap();
    assert_ran(&script.take_log(), "thaw", &begun, true);
    assert_stages(&root, RUNNING);
}

#[test]
fn a_rollback_that_is_dropped_half_way_is_gone_on_with() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    script.on("thaw children/disk", hangs);
    begin_and_drop(frozen.rollback());
    let log = script.take_log();
    assert!(log.contains(&"thaw children/disk".to_owned()), "{log:?}");
    script.reset();
    block_on(Source::recover(&root, &script.session())).unwrap();
    let again = script.take_log();
    assert!(again.contains(&"thaw children/disk".to_owned()));
    assert!(!again.contains(&"thaw .".to_owned()), "the root was thawed: {again:?}");
    assert_stages(&root, RUNNING);
}

#[test]
fn a_commit_that_is_dropped_half_way_can_only_be_gone_on_with() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    script.on("commit children/job", hangs);
    begin_and_drop(frozen.commit());
    script.reset();
    block_on(Source::recover(&root, &script.session())).unwrap();
    let log = script.take_log();
    assert!(log.iter().all(|step| step.starts_with("commit")), "{log:?}");
    assert!(log.contains(&"commit .".to_owned()));
    assert_stages(&root, DEAD);
}

#[test]
fn a_source_whose_controllers_are_gone_is_forgotten() {
    let (root, script) = (tree(), Script::new());
    drop(freeze(&root, &script));
    let weak = Arc::downgrade(&root);
    drop(root);
    assert!(weak.upgrade().is_none(), "what was abandoned is not kept alive");
    // A controller that goes away on its own is not called.
    let (root, script) = (tree(), Script::new());
    drop(freeze(&root, &script));
    root.lock().children.retain(|child| child.type_url() != Some(Disk::TYPE_URL));
    script.take_log();
    block_on(Source::recover(&root, &script.session())).unwrap();
    assert_ran(&script.take_log(), "thaw", &[IDS[0], IDS[1], IDS[2], IDS[3]], true);
}

#[test]
fn an_imported_tree_may_be_dropped() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let events = Events::default();
    events.capture(|| drop(import(&frozen)));
    assert_eq!(events.all(), Vec::<String>::new());
    let imported = import(&frozen);
    let there = Arc::clone(imported.root());
    script.take_log();
    imported.abort();
    assert_stages(&there, DEAD);
    assert!(script.take_log().is_empty(), "nothing was begun");
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_patched_destination_that_is_dropped_is_an_error_and_can_be_aborted_later() {
    let _alone = DESTINATIONS.lock();
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let patched = block_on(import(&frozen).patch(&script.session())).unwrap();
    let there = Arc::clone(patched.root());
    let events = Events::default();
    events.capture(|| drop(patched));
    assert!(events.has(&["dropped without resume or abort"]));
    script.take_log();
    for abandoned in Abandoned::take_all() {
        assert_eq!(abandoned.type_url(), Box_::TYPE_URL);
        block_on(abandoned.abort(&script.session())).unwrap();
    }
    assert_ran(&script.take_log(), "abort", &IDS, false);
    assert_stages(&there, DEAD);
    assert!(Abandoned::take_all().is_empty());
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_patch_or_resume_that_is_dropped_half_way_can_be_aborted_later() {
    let _alone = DESTINATIONS.lock();
    for hook in ["patch", "resume"] {
        let (root, script) = (tree(), Script::new());
        let frozen = freeze(&root, &script);
        let session = script.session();
        script.on(&format!("{hook} children/disk"), hangs);
        let imported = import(&frozen);
        if hook == "patch" {
            begin_and_drop(imported.patch(&session));
        } else {
            let patched = block_on(imported.patch(&session)).unwrap();
            begin_and_drop(patched.resume(&session));
        }
        let log = script.take_log();
        let begun: Vec<&str> = log.iter().filter_map(|step| step.strip_prefix("patch ")).collect();
        for abandoned in Abandoned::take_all() {
            block_on(abandoned.abort(&session)).unwrap();
        }
        assert_ran(&script.take_log(), "abort", &begun, false);
        block_on(frozen.rollback()).unwrap();
    }
}

#[test]
fn a_commit_that_was_never_polled_is_gone_on_with_too() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    frozen.save().unwrap();
    script.take_log();
    drop(frozen.commit());
    assert_eq!(script.take_log(), [""; 0]);
    block_on(Source::recover(&root, &script.session())).unwrap();
    assert_ran(&script.take_log(), "commit", &IDS, false);
    assert_stages(&root, DEAD);
}
