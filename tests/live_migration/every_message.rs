//! At every message of the hand-over, the link is lost, or one or both shims are killed.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rustix::process::Signal;

use crate::program::{run, signal};
use crate::proxy::{At, Direction, FROM_DESTINATION, FROM_SOURCE, Proxy};
use crate::shims::{Shims, Who};

/// The messages of a successful migration, in order.
const MESSAGES: [(Direction, &str); 10] = [
    (FROM_SOURCE, "Hello"),
    (FROM_DESTINATION, "Welcome"),
    (FROM_SOURCE, "Rehearsal"),
    (FROM_DESTINATION, "Ready"),
    (FROM_SOURCE, "Snapshot"),
    (FROM_DESTINATION, "Patched"),
    (FROM_SOURCE, "Resume"),
    (FROM_DESTINATION, "Resumed"),
    (FROM_SOURCE, "Committed"),
    (FROM_DESTINATION, "Settled"),
];

/// Longer than any sandbox of these tests runs.
const TO_THE_END: Duration = Duration::from_secs(60);

/// Runs all cases, some concurrently: most of their time is waiting.
fn all<T: Send + std::fmt::Debug>(cases: impl IntoIterator<Item = T>, one: impl Fn(&T) + Sync) {
    let cases: VecDeque<T> = cases.into_iter().collect();
    println!("{} cases", cases.len());
    let cases = Mutex::new(cases);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(case) = { cases.lock().unwrap().pop_front() } {
                    println!("{case:?}");
                    one(&case);
                }
            });
        }
    });
}

/// Runs shims with a proxy between them that kills `victims` at a message, before it is lost or
/// after it has arrived. Returns the shims after that.
fn killed_at(
    (direction, message): (Direction, &'static str),
    delivered: bool,
    victims: &[Who],
) -> (Shims, tempfile::TempDir) {
    let pids: Arc<OnceLock<Vec<u32>>> = Arc::default();
    let happened = Arc::new(AtomicBool::new(false));
    let proxy = Proxy::new();
    let mut shims = Shims::new(
        &proxy.destination(),
        &proxy.source(),
        1,
        &["--seconds", "0.1", "--patience", "30"],
    );
    let (targets, done) = (Arc::clone(&pids), Arc::clone(&happened));
    let act = Box::new(move || {
        for pid in targets.wait() {
            signal(*pid, Signal::KILL);
        }
        done.store(true, Ordering::SeqCst);
    });
    let relaying = proxy.at(At { direction, message, delivered, act }).start();
    for who in [Who::Destination, Who::Source] {
        shims.start(who);
    }
    pids.set(victims.iter().map(|who| shims.id(*who).unwrap()).collect()).unwrap();
    crate::wait_until("the message has come", || happened.load(Ordering::SeqCst).then_some(()));
    for who in victims {
        shims.kill(*who);
    }
    (shims, relaying)
}

#[test]
fn whatever_is_lost_or_killed_at_a_message_the_sandbox_runs_to_its_end() {
    let mut cases = Vec::new();
    for message in MESSAGES {
        for delivered in [false, true] {
            for victims in [&[][..], &[Who::Source], &[Who::Destination], &Who::BOTH] {
                // A message that is lost together with both sides was never sent.
                if delivered || victims.len() < 2 {
                    cases.push((message, delivered, victims));
                }
            }
        }
    }
    all(cases, |&(message, delivered, victims)| {
        let case = format!("{message:?}, delivered: {delivered}, killed: {victims:?}");
        let (mut shims, _relaying) = killed_at(message, delivered, victims);
        for who in victims {
            shims.start(*who);
        }
        assert!(shims.finish(TO_THE_END), "{case}: lost\n{}", shims.said());
        assert!(!shims.said().contains("IN DOUBT"), "{case}\n{}", shims.said());
        shims.assert_whole(&case);
    });
}

#[test]
fn a_source_that_is_killed_and_not_started_again_has_a_status_and_loses_nothing() {
    for message in [MESSAGES[0], MESSAGES[4], MESSAGES[6]] {
        let (mut shims, _relaying) = killed_at(message, false, &[Who::Source]);
        let line = shims.status_line();
        assert!(line.contains("the sandbox is the source's"), "{message:?}: {}", shims.said());
        assert!(line.contains("--connect"), "{message:?}: it says what to type: {line}");
        let (wrong, _) = shims.wrong_lines(false);
        assert!(wrong.is_empty(), "{message:?}: {wrong:#?}");
        let workloads =
            shims.left_over_now().iter().filter(|(_, line)| line.contains("workload")).count();
        assert_eq!(workloads, 1, "{message:?}: the container lives on");
        shims.get(Who::Destination).terminate();
        shims.wait(Who::Destination);
        shims.end_sandbox();
        assert!(shims.left_over().is_empty(), "{message:?}: {}", shims.said());
    }
}

#[test]
fn a_source_in_doubt_is_answered_by_a_command_of_the_operator() {
    // Killed before it is asked to resume: the sandbox is the source's.
    let (mut shims, _relaying) = killed_at((FROM_SOURCE, "Resume"), false, &[Who::Destination]);
    let folder = shims.folder();
    let folder = folder.to_str().unwrap();
    crate::wait_until("the source is in doubt", || {
        shims.get(Who::Source).has_said("in doubt").then_some(())
    });
    assert!(shims.status_line().contains("decide"), "{}", shims.status());
    let refused = run(&["decide", folder, "commit"]);
    refused.failed();
    refused.says("the destination does not have the sandbox");
    run(&["decide", folder, "rollback"]).succeeded();
    assert!(shims.finish(TO_THE_END), "{}", shims.said());
    shims.assert_whole("rollback");

    // Killed after its answer: the sandbox is the destination's.
    let (mut shims, _relaying) =
        killed_at((FROM_DESTINATION, "Resumed"), false, &[Who::Destination]);
    let folder = shims.folder();
    let folder = folder.to_str().unwrap();
    let refused = run(&["decide", folder, "rollback"]);
    refused.failed();
    refused.says("the destination has the sandbox");
    run(&["decide", folder, "commit"]).succeeded();
    shims.wait(Who::Source).says("has released the sandbox");
    assert!(shims.status_line().contains("the destination's, and its shim has ended: type"));
    shims.start(Who::Destination);
    assert!(shims.finish(TO_THE_END), "{}", shims.said());
    shims.assert_whole("commit");
}

#[test]
fn a_decision_is_written_down_for_a_source_that_is_not_there() {
    let (mut shims, _relaying) = killed_at((FROM_SOURCE, "Resume"), false, &Who::BOTH);
    let folder = shims.folder();
    run(&["decide", folder.to_str().unwrap(), "rollback"]).succeeded();
    let again = run(&["decide", folder.to_str().unwrap(), "rollback"]);
    again.failed();
    again.says("the source is not in doubt");
    shims.start(Who::Destination);
    shims.start(Who::Source);
    assert!(shims.finish(TO_THE_END), "{}", shims.said());
    shims.assert_whole("decided");
}
