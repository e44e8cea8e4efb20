//! Destinations that are prepared while the source runs, and take later states in.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_executor::block_on;

use super::order::{IDS, assert_ran, assert_stages, freeze, tree};
use super::undo::{Trouble, begun, ids};
use super::*;
use crate::controller::address;
use crate::registry::registry;
use crate::{
    Abandoned, Code, Fault, Imported, Incoming, Outcome, Phase, Prepared, Purpose, Source, Undo,
};

type Root = Arc<Thing<Box_>>;

fn rehearsal(root: &Root) -> Incoming {
    let manifest = registry().unwrap().manifest();
    Incoming::from(Source::new(root).rehearse(&manifest).unwrap())
}

fn imported(root: &Root) -> Imported<Thing<Box_>> {
    rehearsal(root).import().unwrap()
}

fn prepared(root: &Root, script: &Arc<Script>) -> Prepared<Thing<Box_>> {
    block_on(imported(root).prepare(&script.session())).unwrap()
}

/// The addresses of the children, by name.
fn children(root: &Root) -> Vec<(String, usize)> {
    let mut children = Vec::new();
    for child in &root.lock().children {
        if let Some(disk) = child.downcast::<Thing<Disk>>() {
            children.push((format!("disk {}", disk.lock().name), address(&*disk)));
        } else if let Some(net) = child.downcast::<Thing<Net>>() {
            children.push((format!("net {}", net.lock().name), address(&*net)));
        } else if let Some(job) = child.downcast::<Thing<Job>>() {
            children.push((format!("job {}", job.lock().name), address(&*job)));
        }
    }
    children
}

#[test]
fn a_rehearsal_leaves_the_source_as_it_is_and_says_so_to_the_hooks() {
    let (root, script) = (tree(), Script::new());
    let seen = Arc::new(Mutex::new(Vec::new()));
    for step in ["prepare children/disk", "patch children/disk", "abort children/disk"] {
        let seen = Arc::clone(&seen);
        script.on(step, move |cx| {
            seen.lock().unwrap().push((cx.phase(), cx.purpose()));
            Box::pin(async { Ok(()) })
        });
    }
    let prepared = prepared(&root, &script);
    assert_ran(&script.take_log(), "prepare", &IDS, true);
    assert_stages(&root, RUNNING);
    let there = Arc::clone(prepared.root());
    assert_stages(&there, IMPORTED);
    block_on(prepared.abort()).unwrap();
    assert_ran(&script.take_log(), "abort", &IDS, false);
    assert_stages(&there, DEAD);

    let session = script.session();
    let prepared = block_on(imported(&root).prepare(&session)).unwrap();
    let frozen = freeze(&root, &script);
    let last = Incoming::open(frozen.save().unwrap()).unwrap();
    let patched = block_on(prepared.patch(last, &session)).unwrap();
    block_on(patched.abort()).unwrap();
    block_on(frozen.rollback()).unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        [
            (Phase::Prepare, Purpose::Rehearsal),
            (Phase::Abort, Purpose::Rehearsal),
            (Phase::Prepare, Purpose::Rehearsal),
            (Phase::Patch, Purpose::Migration),
            (Phase::Abort, Purpose::Migration),
        ]
    );
    let phases: Vec<_> = session.timeline().phases.iter().map(|phase| phase.phase).collect();
    assert_eq!(phases, [Phase::Import, Phase::Prepare, Phase::Refresh, Phase::Patch, Phase::Abort]);
}

#[test]
fn controllers_that_are_in_both_states_stay_new_ones_are_built_and_gone_ones_are_aborted() {
    let (root, script) = (tree(), Script::new());
    let prepared = prepared(&root, &script);
    let there = Arc::clone(prepared.root());
    let before = children(&there);
    assert_eq!(before.len(), 3);
    let gone: Arc<Thing<Net>> = there.lock().children[1].downcast().unwrap();

    // The network goes, a disk of its name comes, and another one; the old disk stops.
    {
        let mut state = root.lock();
        state.children.remove(1);
        let disk: Arc<Thing<Disk>> = state.children[1].downcast().unwrap();
        disk.lock().stage = STOPPED;
        state.children.extend([leaf::<Disk>("net"), leaf::<Disk>("spare")]);
    }
    let frozen = freeze(&root, &script);
    script.take_log();
    let last = Incoming::open(frozen.save().unwrap()).unwrap();
    let session = script.session();
    let patched = block_on(prepared.patch(last, &session)).unwrap();
    let log = script.take_log();
    assert_eq!(log[0], "abort children/net", "{log:?}");
    assert_eq!(log.iter().filter(|step| step.starts_with("abort")).count(), 1, "{log:?}");
    assert_eq!(log.iter().filter(|step| step.starts_with("patch")).count(), 6, "{log:?}");
    assert_eq!(gone.stage(), RUNNING, "a sort without rules");

    assert!(Arc::ptr_eq(patched.root(), &there));
    let after = children(&there);
    let names: Vec<_> = after.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["job job", "disk disk", "disk net", "disk spare"]);
    assert!(after.contains(&before[0]) && after.contains(&before[2]));

    let there = block_on(patched.resume(&session)).unwrap();
    assert_eq!(there.lock().children[1].downcast::<Thing<Disk>>().unwrap().stage(), STOPPED);
    assert_eq!(there.stage(), RUNNING);
    block_on(frozen.commit()).unwrap();
    // It can be moved on: nobody holds a claim on it.
    block_on(Source::new(&there).freeze(&script.session())).unwrap().blackout_left();
    block_on(Source::recover(&there, &script.session())).unwrap();
}

#[test]
fn a_tree_is_prepared_as_often_as_there_are_rehearsals() {
    let (root, script) = (tree(), Script::new());
    let mut prepared = prepared(&root, &script);
    for round in 0..3 {
        root.lock().children.push(leaf::<Disk>(&format!("disk{round}")));
        script.take_log();
        prepared = block_on(prepared.prepare_again(rehearsal(&root), &script.session())).unwrap();
        let log = script.take_log();
        assert_eq!(log.len(), IDS.len() + 1 + round, "{log:?}");
        assert!(log.contains(&format!("prepare children/disk{round}")), "{log:?}");
    }
    let there = Arc::clone(prepared.root());
    block_on(prepared.abort()).unwrap();
    assert_eq!(script.take_log().len(), IDS.len() + 3);
    assert_stages(&there, DEAD);
}

#[test]
fn whatever_happens_to_a_prepare_exactly_what_was_begun_is_aborted_and_a_retry_succeeds() {
    for trouble in Trouble::ALL {
        for id in IDS {
            let (root, script) = (tree(), Script::new());
            let imported = imported(&root);
            let there = Arc::clone(imported.root());
            let session = trouble.session(&script, &format!("prepare {id}"));
            let failure = block_on(imported.prepare(&session)).unwrap_err();
            undo::assert_failure(&failure, Phase::Prepare, id, trouble);
            let log = script.take_log();
            let begun = begun(&log, "prepare");
            assert!(begun.iter().any(|at| at == id));
            assert_ran(&log, "abort", &ids(&begun), false);
            assert_stages(&there, DEAD);
            assert_stages(&root, RUNNING);

            script.reset();
            block_on(prepared(&root, &script).abort()).unwrap();
        }
    }
}

#[test]
fn whatever_happens_to_a_refresh_everything_is_aborted_and_the_source_goes_on() {
    for fault in [Fault::Error, Fault::Panic, Fault::Hang, Fault::Cancel] {
        for id in IDS {
            let (root, script) = (tree(), Script::new());
            let prepared = prepared(&root, &script);
            let there = Arc::clone(prepared.root());
            script.take_log();
            let frozen = freeze(&root, &script);
            let last = Incoming::open(frozen.save().unwrap()).unwrap();
            let session = script.session().fault_at(Phase::Refresh, id, fault);
            script.take_log();
            let failure = block_on(prepared.patch(last, &session)).unwrap_err();
            assert_eq!(failure.phase(), Phase::Refresh);
            assert!(failure.undo_error().is_none(), "{failure}");
            assert!(failure.to_string().contains(id), "{failure}");
            assert_ran(&script.take_log(), "abort", &IDS, false);
            assert_stages(&there, DEAD);
            let undone = |undo| matches!(undo, Undo::Done);
            assert!(failure.controllers().iter().all(|controller| undone(controller.undo)));

            block_on(frozen.rollback()).unwrap();
            assert_stages(&root, RUNNING);
        }
    }
}

#[test]
fn a_later_state_that_is_refused_changes_no_controller_before_all_are_aborted() {
    let job = || import::good::<Job>("job");
    let later = [
        ("does not fit this host", import::root([job(), import::good::<Disk>("unfit")])),
        ("while it was built", import::root([job(), import::good::<Disk>("import panics")])),
        ("2 controllers have this id", import::root([job(), job()])),
    ];
    for (reason, later) in later {
        let (root, script) = (tree(), Script::new());
        let prepared = prepared(&root, &script);
        let there = Arc::clone(prepared.root());
        let found = Arc::new(Mutex::new(0));
        let (seen, at) = (Arc::clone(&found), Arc::clone(&there));
        script.on("abort .", move |_| {
            *seen.lock().unwrap() = at.lock().children.len();
            Box::pin(async { Ok(()) })
        });
        script.take_log();
        let failure = block_on(prepared.patch(later, &script.session())).unwrap_err();
        assert_eq!(failure.phase(), Phase::Refresh);
        assert!(failure.to_string().contains(reason), "{failure}");
        assert!(failure.undo_error().is_none(), "{failure}");
        assert_ran(&script.take_log(), "abort", &IDS, false);
        assert_eq!(*found.lock().unwrap(), 3, "the earlier children are still there");
        assert_stages(&there, DEAD);
    }
}

#[test]
fn a_stage_that_a_prepared_controller_enters_on_its_own_is_not_overwritten() {
    let (root, script) = (tree(), Script::new());
    let prepared = prepared(&root, &script);
    let there = Arc::clone(prepared.root());
    let disk: Arc<Thing<Disk>> = there.lock().children[2].downcast().unwrap();
    disk.lock().stage = STOPPED;
    let failure = block_on(prepared.patch(rehearsal(&root), &script.session())).unwrap_err();
    assert_eq!((failure.phase(), failure.code()), (Phase::Refresh, Code::FailedPrecondition));
    let text = failure.to_string();
    assert!(text.contains("children/disk: its stage changed from Imported to Stopped"), "{text}");
    assert_stages(&there, DEAD);
}

#[test]
fn what_is_gone_and_cannot_be_aborted_fails_the_refresh() {
    let (root, script) = (tree(), Script::new());
    let prepared = prepared(&root, &script);
    let there = Arc::clone(prepared.root());
    script.on("abort children/disk", fail);
    script.take_log();
    let later = import::root([import::good::<Net>("net")]);
    let failure = block_on(prepared.patch(later, &script.session())).unwrap_err();
    assert_eq!(failure.phase(), Phase::Refresh);
    assert!(failure.to_string().contains("children/disk: no abort today"), "{failure}");
    let log = script.take_log();
    let first: Vec<_> = log.iter().take(3).map(String::as_str).collect();
    assert_eq!(first[0], "abort children/job/children/inner", "{log:?}");
    assert_eq!(log.len(), IDS.len(), "{log:?}");
    assert_eq!(there.stage(), DEAD);
}

#[test]
fn a_prepared_tree_that_is_dropped_can_be_aborted_later() {
    let _lock = abandoned::DESTINATIONS.lock().unwrap();
    drop(Abandoned::take_all());
    let (root, script) = (tree(), Script::new());
    let there = {
        let events = Events::default();
        let prepared = prepared(&root, &script);
        let there = Arc::clone(prepared.root());
        events.capture(|| drop(prepared));
        assert!(events.has(&["dropped without resume or abort", "test.BoxSnapshot"]));
        there
    };
    script.take_log();
    let [abandoned] = <[Abandoned; 1]>::try_from(Abandoned::take_all()).unwrap();
    block_on(abandoned.abort(&script.session())).unwrap();
    assert_ran(&script.take_log(), "abort", &IDS, false);
    assert_stages(&there, DEAD);
}

#[test]
fn a_prepare_has_a_deadline_of_its_own_and_no_part_in_the_blackout() {
    let (root, script) = (tree(), Script::new());
    script.on("prepare children/disk", hangs);
    let session = script
        .session()
        .blackout_budget(Duration::ZERO)
        .deadline(Phase::Prepare, Duration::from_millis(20))
        .grace(Duration::from_millis(5));
    let failure = block_on(imported(&root).prepare(&session)).unwrap_err();
    assert_eq!((failure.phase(), failure.code()), (Phase::Prepare, Code::DeadlineExceeded));
    assert!(failure.to_string().contains("did not end within 20ms"), "{failure}");
    assert_eq!(session.timeline().blackout_began, None);
    let cut_short = |outcome| matches!(outcome, Outcome::CutShort);
    assert!(failure.controllers().iter().any(|controller| cut_short(controller.outcome)));
}
