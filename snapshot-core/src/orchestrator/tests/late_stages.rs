//! Stages that controllers enter on their own while they are moved, as by an exit event that comes
//! late: who wins, and where it is reported.

use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;

use super::order::{assert_stages, freeze, import, tree};
use super::*;
use crate::{Code, Context, LateStage, Phase, Session, Source};

fn disk(root: &Arc<Thing<Box_>>) -> Arc<Thing<Disk>> {
    root.lock().children[2].downcast().unwrap()
}

fn enter(root: &Arc<Thing<Box_>>, stage: i32) {
    disk(root).lock().stage = stage;
}

/// The late stages that a session has recorded, each as `phase id: expected, found`.
fn late(session: &Session) -> Vec<String> {
    let text = |late: &LateStage| {
        let kept = if late.kept { "" } else { ", not kept" };
        format!("{} {}: {}, {}{kept}", late.phase, late.id, late.expected, late.found)
    };
    session.timeline().late_stages.iter().map(text).collect()
}

#[test]
fn a_save_refuses_a_stage_that_has_changed_since_the_freeze_and_a_rollback_keeps_it() {
    let (root, script) = (tree(), Script::new());
    let session = script.session();
    let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
    frozen.save().unwrap();
    enter(&root, DEAD);
    root.lock().stage = STOPPED;
    let error = frozen.save().unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    let mut lines: Vec<_> = error.to_string().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            ".: its stage changed from Frozen to Stopped while it was frozen: roll back, the \
             controller stays in Stopped",
            "children/disk: its stage changed from Frozen to Dead while it was frozen: roll back, \
             the controller stays in Dead",
        ]
    );
    assert_eq!((disk(&root).stage(), root.stage()), (DEAD, STOPPED), "a save changes nothing");
    block_on(frozen.rollback()).unwrap();
    assert_eq!((disk(&root).stage(), root.stage()), (DEAD, STOPPED));
    let mut found = late(&session);
    found.sort();
    assert_eq!(found, ["thaw .: Frozen, Stopped", "thaw children/disk: Frozen, Dead"]);
    let report = session.report("source");
    assert_eq!(report.late_stages.len(), 2);
    assert!(report.late_stages.iter().all(|late| late.kept && late.expected == "Frozen"));
}

#[test]
fn a_commit_ends_the_source_and_reports_the_stage_that_the_destination_does_not_have() {
    let (root, script) = (tree(), Script::new());
    let session = script.session();
    let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
    frozen.save().unwrap();
    enter(&root, STOPPED);
    let failure = block_on(frozen.commit()).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "commit failed: children/disk: its stage changed from Frozen to Stopped while it was moved: \
         the destination has it as Running; make the change there"
    );
    assert_eq!((failure.phase(), failure.code()), (Phase::Commit, Code::FailedPrecondition));
    assert_stages(&root, DEAD);
    assert_eq!(late(&session), ["commit children/disk: Frozen, Stopped, not kept"]);
}

/// The most frequent one: it has ended on its own, and that is what a commit leaves behind too.
#[test]
fn a_commit_reports_a_controller_that_ended_by_itself() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    enter(&root, DEAD);
    let failure = block_on(frozen.commit()).unwrap_err().to_string();
    assert!(failure.contains("changed from Frozen to Dead while it was moved"), "{failure}");
    assert_stages(&root, DEAD);
}

#[test]
fn a_stage_that_is_entered_during_a_freeze_that_fails_is_kept() {
    let (root, script) = (tree(), Script::new());
    let ends = disk(&root);
    script.on("freeze .", move |cx| {
        ends.lock().stage = DEAD;
        fail(cx)
    });
    let session = script.session();
    let failure = block_on(Source::new(&root).freeze(&session)).unwrap_err();
    assert!(failure.undo_error().is_none(), "{failure}");
    assert_eq!(disk(&root).stage(), DEAD);
}

#[test]
fn a_stage_that_a_controller_enters_before_it_is_resumed_is_kept() {
    for before_patch in [true, false] {
        let (root, script) = (tree(), Script::new());
        let frozen = freeze(&root, &script);
        let session = script.session();
        let imported = import(&frozen);
        if before_patch {
            enter(imported.root(), STOPPED);
        }
        let patched = block_on(imported.patch(&session)).unwrap();
        if !before_patch {
            enter(patched.root(), STOPPED);
        }
        let there = block_on(patched.resume(&session)).unwrap();
        assert_eq!(disk(&there).stage(), STOPPED);
        assert_eq!(there.stage(), RUNNING);
        assert_eq!(late(&session), ["resume children/disk: Imported, Stopped"]);
        block_on(frozen.commit()).unwrap();
    }
}

#[test]
fn a_stage_that_a_hook_sets_on_purpose_is_kept() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let session = script.session();
    let imported = import(&frozen);
    let sets = |controller: Arc<Thing<Disk>>, stage: i32| {
        move |_: &Context| -> Played<'static> {
            controller.lock().stage = stage;
            Box::pin(async { Ok(()) })
        }
    };
    let set = sets(disk(imported.root()), STOPPED);
    script.on("resume children/disk", move |cx| set(cx));
    let patched = block_on(imported.patch(&session)).unwrap();
    let there = block_on(patched.resume(&session)).unwrap();
    assert_eq!(disk(&there).stage(), STOPPED);
    // It was in the stage that the resume leads to before: this is a change like any other.
    assert!(late(&session).is_empty());

    let set = sets(disk(&root), RUNNING);
    script.on("thaw children/disk", move |cx| set(cx));
    let thawed = script.session();
    drop(frozen);
    block_on(Source::recover(&root, &thawed)).unwrap();
    assert_stages(&root, RUNNING);
    assert!(late(&thawed).is_empty());
}

#[test]
fn an_abort_ends_the_destination_whatever_its_stage() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let patched = block_on(import(&frozen).patch(&script.session())).unwrap();
    let there = Arc::clone(patched.root());
    enter(&there, STOPPED);
    block_on(patched.abort()).unwrap();
    assert_stages(&there, DEAD);
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_hook_that_fails_leaves_the_stage_that_was_there_before_it() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let session = script.session();
    let patched = block_on(import(&frozen).patch(&session)).unwrap();
    let there = disk(patched.root());
    script.on("resume children/disk", fail);
    // The abort hook finds it, before its own stage is set.
    block_on(patched.resume(&session)).unwrap_err();
    assert_eq!(script.stage_at("resume children/disk"), RUNNING);
    assert_eq!(script.stage_at("abort children/disk"), IMPORTED);
    assert_eq!(there.stage(), DEAD);

    script.on("thaw children/disk", fail);
    block_on(frozen.rollback()).unwrap_err();
    assert_eq!(script.stage_at("thaw children/disk"), RUNNING);
    assert_eq!(disk(&root).stage(), FROZEN);
    assert_eq!(root.stage(), RUNNING);

    script.on("thaw children/disk", hangs);
    let hurried = script.session().undo_deadline(Duration::from_millis(5));
    block_on(Source::recover(&root, &hurried)).unwrap_err();
    assert_eq!(disk(&root).stage(), FROZEN);

    // A stage that the failing hook has set is the controller's own.
    let disk_here = disk(&root);
    script.on("thaw children/disk", move |cx| {
        disk_here.lock().stage = STOPPED;
        fail(cx)
    });
    block_on(Source::recover(&root, &script.session())).unwrap_err();
    assert_eq!(disk(&root).stage(), STOPPED);
    script.reset();
    let session = script.session();
    block_on(Source::recover(&root, &session)).unwrap();
    assert_eq!(disk(&root).stage(), STOPPED);
    assert_eq!(late(&session), ["thaw children/disk: Frozen, Stopped"]);
}

#[test]
fn a_stage_that_was_found_before_a_phase_failed_is_reported_once() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let session = script.session().fail_at(Phase::Resume, "children/job");
    let patched = block_on(import(&frozen).patch(&session)).unwrap();
    enter(patched.root(), STOPPED);
    block_on(patched.resume(&session)).unwrap_err();
    assert_eq!(late(&session), ["resume children/disk: Imported, Stopped"]);
    block_on(frozen.rollback()).unwrap();
}
