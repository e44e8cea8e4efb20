//! Deadlines, cancelling, and hooks that block their thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_executor::block_on;

use super::order::{IDS, assert_ran, assert_stages, freeze, import, tree};
use super::*;
use crate::{Code, ControllerId, Error, Outcome, Phase, Progress, Source};

const SOON: Duration = Duration::from_millis(20);

#[test]
fn a_phase_past_its_deadline_names_the_controllers_that_it_waits_for() {
    let (root, script) = (tree(), Script::new());
    script.on("freeze children/disk", hangs).on("freeze children/net", hangs);
    let session = script.session().deadline(Phase::Freeze, SOON);
    let events = Events::default();
    let failure = events.capture(|| block_on(Source::new(&root).freeze(&session))).unwrap_err();
    assert_eq!(
        failure.cause().to_string(),
        "the freeze phase did not end within 20ms, it waits for children/net, children/disk"
    );
    assert_eq!(failure.code(), Code::DeadlineExceeded);
    assert_stages(&root, RUNNING);
    assert!(events.has(&["exceeded its deadline", "phase=\"freeze\"", "children/disk"]));
}

#[test]
fn a_hook_that_blocks_its_thread_is_named_by_the_timer_thread_while_it_blocks() {
    let (root, script) = (tree(), Script::new());
    let events = Events::default();
    let seen = Arc::new(AtomicBool::new(false));
    let (sees, heard) = (Arc::clone(&seen), events.clone());
    script.on("freeze children/disk", move |cx| {
        let told = ["exceeded its deadline", "controller=children/disk", "phase=\"freeze\""];
        // Until the alarm has sounded; nobody polls anything meanwhile.
        while !heard.has(&told) || !cx.is_cancelled() {
            std::thread::sleep(Duration::from_millis(1));
        }
        sees.store(true, Ordering::SeqCst);
        Box::pin(async { Ok(()) })
    });
    let session = script.session().hook_deadline(SOON).deadline(Phase::Freeze, 2 * SOON);
    let failure = events.capture(|| block_on(Source::new(&root).freeze(&session))).unwrap_err();
    assert_eq!(failure.code(), Code::DeadlineExceeded);
    assert!(seen.load(Ordering::SeqCst));
    assert_stages(&root, RUNNING);
}

#[test]
fn a_hook_that_blocks_its_thread_after_it_has_waited_is_named_too() {
    let (root, script) = (tree(), Script::new());
    let events = Events::default();
    let heard = events.clone();
    script.on("freeze children/disk", move |_| {
        let heard = heard.clone();
        Box::pin(async move {
            let mut waited = false;
            std::future::poll_fn(|task| {
                task.waker().wake_by_ref();
                match std::mem::replace(&mut waited, true) {
                    false => std::task::Poll::Pending,
                    true => std::task::Poll::Ready(()),
                }
            })
            .await;
            while !heard.has(&["exceeded its deadline", "controller=children/disk"]) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        })
    });
    let session = script.session().hook_deadline(SOON);
    let frozen = events.capture(|| block_on(Source::new(&root).freeze(&session))).unwrap();
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_hook_that_listens_returns_by_itself_when_another_fails() {
    let (root, script) = (tree(), Script::new());
    script.on("freeze children/net", listens).on("freeze children/disk", fail);
    // No grace could cut it short in this test's time.
    let session = script.session().grace(Duration::MAX);
    let failure = block_on(Source::new(&root).freeze(&session)).unwrap_err();
    assert_eq!(failure.cause().to_string(), "children/disk: no freeze today");
    let outcome =
        |id: &str| failure.controllers().iter().find(|c| c.id.as_str() == id).unwrap().outcome;
    assert_eq!(outcome("children/net"), Outcome::Failed);
    assert_eq!(outcome("children/disk"), Outcome::Failed);
    assert_eq!(outcome("."), Outcome::NotBegun);
}

#[test]
fn a_failed_dependency_stops_its_dependents_before_they_start() {
    for hook in ["patch", "resume"] {
        let (root, script) = (tree(), Script::new());
        let frozen = freeze(&root, &script);
        let session = script.session();
        script.on(&format!("{hook} children/disk"), fail);
        let imported = import(&frozen);
        script.take_log();
        let failure = match block_on(imported.patch(&session)) {
            Ok(patched) => block_on(patched.resume(&session)).unwrap_err(),
            Err(failure) => failure,
        };
        let log = script.take_log();
        for dependent in ["children/job", "children/job/children/inner"] {
            let step = format!("{hook} {dependent}");
            assert!(!log.contains(&step), "{step} has begun: {log:?}");
            let report = failure.controllers().iter().find(|c| c.id.as_str() == dependent);
            assert_eq!(report.unwrap().outcome, Outcome::NotBegun);
        }
        block_on(frozen.rollback()).unwrap();
    }
    // On the source it is the other way round: a parent is not frozen over children that are not.
    let (root, script) = (tree(), Script::new());
    script.on("freeze children/job/children/inner", fail);
    block_on(Source::new(&root).freeze(&script.session())).unwrap_err();
    let log = script.take_log();
    for step in ["freeze children/job", "freeze ."] {
        assert!(!log.contains(&step.to_owned()), "{step} has begun: {log:?}");
    }
}

#[test]
fn the_blackout_budget_counts_on_the_destination_too() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    for hook in ["patch", "resume"] {
        let there = Script::new();
        there.on(&format!("{hook} children/disk"), hangs);
        let session = there.session().blackout_budget(SOON);
        let failure = match block_on(import(&frozen).patch(&session)) {
            Ok(patched) => block_on(patched.resume(&session)).unwrap_err(),
            Err(failure) => failure,
        };
        assert_eq!(failure.code(), Code::DeadlineExceeded, "{failure}");
        assert!(failure.undo_error().is_none(), "{failure}");
    }
    block_on(frozen.rollback()).unwrap();
    assert_stages(&root, RUNNING);
}

#[test]
fn a_hook_that_never_returns_is_named_and_all_others_are_undone() {
    let (root, script) = (tree(), Script::new());
    // One that hangs on the way there, another on the way back.
    script.on("freeze .", hangs).on("thaw children/net", hangs);
    let session = script.session().hook_deadline(10 * SOON).undo_deadline(10 * SOON);
    let failure = block_on(Source::new(&root).freeze(&session)).unwrap_err();
    let named = |error: &Error| error.first().controller().unwrap().to_string();
    assert_eq!(named(failure.cause()), ".");
    assert_eq!(named(failure.undo_error().unwrap()), "children/net");
    for report in failure.controllers() {
        let undone = report.id.as_str() != "children/net";
        assert_eq!(report.undo == crate::Undo::Done, undone, "{}", report.id);
    }
    script.reset();
    block_on(Source::recover(&root, &script.session())).unwrap();
    assert_stages(&root, RUNNING);
}

#[test]
fn hooks_in_flight_that_fail_as_well_are_part_of_the_cause() {
    let (root, script) = (tree(), Script::new());
    script.on("freeze children/net", fail).on("freeze children/disk", fail);
    let failure = block_on(Source::new(&root).freeze(&script.session())).unwrap_err();
    let mut failed: Vec<_> = failure.cause().findings().map(ToString::to_string).collect();
    failed.sort_unstable();
    assert_eq!(failed, ["children/disk: no freeze today", "children/net: no freeze today"]);
}

#[test]
fn a_cancel_from_another_thread_ends_a_phase_that_waits() {
    let (root, script) = (tree(), Script::new());
    script.on("patch children/disk", listens);
    let session = script.session();
    let frozen = freeze(&root, &script);
    let imported = import(&frozen);
    let cancel = session.cancel_handle();
    let canceller = std::thread::spawn(move || cancel.cancel());
    let failure = block_on(imported.patch(&session)).unwrap_err();
    canceller.join().unwrap();
    assert_eq!(failure.cause().to_string(), "cancelled during the patch phase");
    assert_eq!(failure.code(), Code::Cancelled);
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_session_that_was_cancelled_starts_no_hook() {
    let (root, script) = (tree(), Script::new());
    let session = script.session();
    session.cancel_handle().cancel();
    let failure = block_on(Source::new(&root).freeze(&session)).unwrap_err();
    assert_eq!(failure.code(), Code::Cancelled);
    assert!(script.take_log().is_empty());
    block_on(freeze(&root, &script).rollback()).unwrap();
}

#[test]
fn a_cancel_between_two_hooks_is_heard_even_if_no_hook_ever_waits() {
    let (root, script) = (tree(), Script::new());
    let session = script.session();
    let cancel = session.cancel_handle();
    script.on("freeze children/job/children/inner", move |_| {
        cancel.cancel();
        Box::pin(async { Ok(()) })
    });
    let failure = block_on(Source::new(&root).freeze(&session)).unwrap_err();
    assert_eq!(failure.code(), Code::Cancelled);
    let log = script.take_log();
    assert!(!log.contains(&"freeze children/job".to_owned()), "{log:?}");
    assert_stages(&root, RUNNING);
}

#[test]
fn a_used_up_blackout_budget_fails_the_phase_and_refuses_the_save() {
    let (root, script) = (tree(), Script::new());
    let session = script.session().blackout_budget(SOON);
    script.on("freeze children/disk", hangs);
    let failure = block_on(Source::new(&root).freeze(&session)).unwrap_err();
    assert_eq!(failure.code(), Code::DeadlineExceeded);

    // The retry has the whole budget again.
    script.reset();
    let events = Events::default();
    let frozen = events.capture(|| block_on(Source::new(&root).freeze(&session))).unwrap();
    while !frozen.blackout_left().unwrap().is_zero() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let error = frozen.save().unwrap_err();
    assert_eq!(error.to_string(), "the blackout budget of 20ms is used up: roll back");
    assert_eq!(error.code(), Code::DeadlineExceeded);
    while !events.has(&["the blackout budget is used up"]) {
        std::thread::sleep(Duration::from_millis(1));
    }
    block_on(frozen.rollback()).unwrap();
    assert_ran(&script.take_log(), "thaw", &IDS, true);
}

#[test]
fn a_panic_when_a_hook_is_cut_short_stays_inside() {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("when dropped");
        }
    }

    let (root, script) = (tree(), Script::new());
    script.on("freeze children/disk", |_| {
        Box::pin(async {
            let _bomb = Bomb;
            std::future::pending().await
        })
    });
    let session = script.session().deadline(Phase::Freeze, SOON);
    let failure = block_on(Source::new(&root).freeze(&session)).unwrap_err();
    assert_eq!(failure.code(), Code::DeadlineExceeded);
    assert_stages(&root, RUNNING);

    let session = script.session().hook_deadline(SOON);
    let failure = block_on(Source::new(&root).freeze(&session)).unwrap_err();
    assert_eq!(
        failure.cause().to_string(),
        "children/disk: freeze did not return within 20ms\nchildren/disk: panicked: when dropped"
    );
    assert_stages(&root, RUNNING);
}

#[derive(Default)]
struct Observer {
    seen: std::sync::Mutex<Vec<String>>,
    panics: bool,
}

impl Observer {
    fn see(&self, event: String) {
        self.seen.lock().unwrap().push(event);
        assert!(!self.panics, "the observer breaks");
    }
}

impl Progress for Observer {
    fn phase_started(&self, phase: Phase, controllers: usize) {
        self.see(format!("{phase} of {controllers}"));
    }

    fn controller_started(&self, phase: Phase, id: &ControllerId) {
        self.see(format!("{phase} {id}"));
    }

    fn controller_ended(&self, phase: Phase, id: &ControllerId, result: Result<(), &Error>) {
        self.see(format!("{phase} {id} {}", if result.is_ok() { "done" } else { "failed" }));
    }

    fn phase_ended(&self, phase: Phase, result: Result<(), &Error>) {
        self.see(format!("{phase} {}", if result.is_ok() { "done" } else { "failed" }));
    }
}

#[test]
fn the_observer_sees_every_step_in_order() {
    let root = Thing::<Box_>::new("root", [leaf::<Disk>("disk")]);
    let script = Script::new();
    let observer = Arc::new(Observer::default());
    let observed = Arc::clone(&observer);
    let session = script.session().progress(observed);
    let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
    frozen.save().unwrap();
    script.on("thaw .", fail);
    block_on(frozen.rollback()).unwrap_err();
    assert_eq!(
        *observer.seen.lock().unwrap(),
        [
            "freeze of 2",
            "freeze children/disk",
            "freeze children/disk done",
            "freeze .",
            "freeze . done",
            "freeze done",
            "save of 2",
            "save done",
            "thaw of 2",
            "thaw .",
            "thaw . failed",
            "thaw children/disk",
            "thaw children/disk done",
            "thaw failed",
        ]
    );
    script.reset();
    block_on(Source::recover(&root, &script.session())).unwrap();
}

#[test]
fn an_observer_that_panics_does_not_disturb_the_migration() {
    let (root, script) = (tree(), Script::new());
    let observer = Arc::new(Observer { panics: true, ..Observer::default() });
    let session = script.session().progress(observer);
    let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
    frozen.save().unwrap();
    block_on(frozen.commit()).unwrap();
    assert_ran(&script.take_log(), "commit", &IDS, false);
}
