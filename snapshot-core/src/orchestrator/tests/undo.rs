//! After a failure at any step, both sides are as they were before.

use std::sync::Arc;
use std::time::Duration;

use futures_executor::block_on;

use super::order::{IDS, assert_ran, assert_stages, freeze, import, stages, tree};
use super::*;
use crate::{Code, Failure, Incoming, Outcome, Phase, Session, Source, Undo};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Trouble {
    Fails,
    Panics,
    Hangs,
    IsCancelled,
}

impl Trouble {
    pub(super) const ALL: [Trouble; 4] =
        [Trouble::Fails, Trouble::Panics, Trouble::Hangs, Trouble::IsCancelled];

    fn code(self) -> Code {
        match self {
            Trouble::Fails => Code::FailedPrecondition,
            Trouble::Panics => Code::Internal,
            Trouble::Hangs => Code::DeadlineExceeded,
            Trouble::IsCancelled => Code::Cancelled,
        }
    }

    fn outcome(self) -> Outcome {
        match self {
            Trouble::Hangs | Trouble::IsCancelled => Outcome::CutShort,
            _ => Outcome::Failed,
        }
    }

    /// A session in which the hook at `step` has this trouble.
    pub(super) fn session(self, script: &Arc<Script>, step: &str) -> Session {
        let session = script
            .session()
            .hook_deadline(Duration::from_millis(match self {
                Trouble::Hangs => 10,
                _ => 60_000,
            }))
            .grace(Duration::from_millis(5));
        let cancel = session.cancel_handle();
        match self {
            Trouble::Fails => script.on(step, fail),
            Trouble::Panics => script.on(step, panics),
            Trouble::Hangs => script.on(step, hangs),
            Trouble::IsCancelled => script.on(step, move |cx| {
                cancel.cancel();
                hangs(cx)
            }),
        };
        session
    }
}

/// The ids on which a hook began.
pub(super) fn begun(log: &[String], hook: &str) -> Vec<String> {
    let ids = log.iter().filter_map(|step| step.strip_prefix(hook)?.strip_prefix(' '));
    ids.map(str::to_owned).collect()
}

#[track_caller]
pub(super) fn assert_failure(failure: &Failure, phase: Phase, id: &str, trouble: Trouble) {
    assert_eq!(failure.phase(), phase, "{failure:?}");
    assert_eq!(failure.code(), trouble.code(), "{failure:?}");
    assert!(failure.undo_error().is_none(), "{failure:?}");
    let report = failure.controllers().iter().find(|c| c.id.as_str() == id).unwrap();
    assert_eq!((report.outcome, report.undo), (trouble.outcome(), Undo::Done), "{id} {trouble:?}");
    if trouble != Trouble::IsCancelled {
        let controller = failure.cause().first().controller().unwrap();
        assert_eq!(controller.as_str(), id, "{failure:?}");
    }
}

pub(super) fn ids(begun: &[String]) -> Vec<&str> {
    begun.iter().map(String::as_str).collect()
}

#[test]
fn whatever_happens_to_a_freeze_exactly_what_was_begun_is_thawed_and_a_retry_succeeds() {
    for trouble in Trouble::ALL {
        for id in IDS {
            let (root, script) = (tree(), Script::new());
            let session = trouble.session(&script, &format!("freeze {id}"));
            let failure = block_on(Source::new(&root).freeze(&session)).unwrap_err();
            assert_failure(&failure, Phase::Freeze, id, trouble);
            let log = script.take_log();
            let begun = begun(&log, "freeze");
            assert!(begun.iter().any(|at| at == id));
            assert_ran(&log, "thaw", &ids(&begun), true);
            assert_stages(&root, RUNNING);
            let reported = failure.controllers().iter();
            let reported = reported.filter(|c| c.outcome != Outcome::NotBegun).count();
            assert_eq!(reported, begun.len());

            script.reset();
            let frozen = freeze(&root, &script);
            import(&frozen).abort();
            block_on(frozen.commit()).unwrap();
        }
    }
}

#[test]
fn whatever_happens_to_a_patch_exactly_what_was_begun_is_aborted_and_the_source_goes_on() {
    for trouble in Trouble::ALL {
        for id in IDS {
            let (root, script) = (tree(), Script::new());
            let frozen = freeze(&root, &script);
            script.take_log();
            let imported = import(&frozen);
            let there = Arc::clone(imported.root());
            let session = trouble.session(&script, &format!("patch {id}"));
            let failure = block_on(imported.patch(&session)).unwrap_err();
            assert_failure(&failure, Phase::Patch, id, trouble);
            let log = script.take_log();
            let begun = begun(&log, "patch");
            assert!(begun.iter().any(|at| at == id));
            assert_ran(&log, "abort", &ids(&begun), false);
            assert_stages(&there, DEAD);

            assert_stages(&root, FROZEN);
            block_on(frozen.rollback()).unwrap();
            assert_stages(&root, RUNNING);
        }
    }
}

#[test]
fn whatever_happens_to_a_resume_everything_is_aborted_and_a_second_destination_succeeds() {
    for trouble in Trouble::ALL {
        for id in IDS {
            let (root, script) = (tree(), Script::new());
            let frozen = freeze(&root, &script);
            let snapshot = frozen.save().unwrap();
            let patched = block_on(import(&frozen).patch(&script.session())).unwrap();
            let there = Arc::clone(patched.root());
            script.take_log();
            let session = trouble.session(&script, &format!("resume {id}"));
            let failure = block_on(patched.resume(&session)).unwrap_err();
            assert_failure(&failure, Phase::Resume, id, trouble);
            // Those that were patched and not resumed are aborted as well.
            assert_ran(&script.take_log(), "abort", &IDS, false);
            assert_stages(&there, DEAD);

            script.reset();
            let session = script.session();
            let imported = Incoming::open(snapshot).unwrap().import::<Thing<Box_>>().unwrap();
            let patched = block_on(imported.patch(&session)).unwrap();
            assert_stages(&block_on(patched.resume(&session)).unwrap(), RUNNING);
            block_on(frozen.commit()).unwrap();
            assert_stages(&root, DEAD);
        }
    }
}

#[test]
fn an_undo_goes_on_past_its_own_failures_and_reports_each() {
    for trouble in [Trouble::Fails, Trouble::Panics, Trouble::Hangs] {
        let (root, script) = (tree(), Script::new());
        script.on("freeze .", fail);
        let session = trouble.session(&script, "thaw .");
        let session = session.undo_deadline(Duration::from_millis(10));
        match trouble {
            Trouble::Fails => script.on("thaw children/disk", fail),
            Trouble::Panics => script.on("thaw children/disk", panics),
            _ => script.on("thaw children/disk", hangs),
        };
        let failure = block_on(Source::new(&root).freeze(&session)).unwrap_err();
        assert_eq!(failure.cause().to_string(), ".: no freeze today");
        let failed = failure.undo_error().unwrap().findings();
        let failed: Vec<_> = failed.map(|f| f.controller().unwrap().to_string()).collect();
        assert_eq!(failed, [".", "children/disk"], "{trouble:?}");
        assert_ran(&script.take_log(), "thaw", &IDS, true);
        // The root was never frozen, so its stage is its own; the disk stays frozen, in truth.
        for (id, stage) in stages(&root) {
            let expected = match id.as_str() {
                "children/disk" => Some(FROZEN),
                "children/net" => None,
                _ => Some(RUNNING),
            };
            assert_eq!(stage, expected, "{id}");
        }

        // It can be tried again, until it succeeds.
        let refused = block_on(Source::new(&root).freeze(&script.session())).unwrap_err();
        assert_eq!(refused.phase(), Phase::Freeze);
        script.reset();
        script.on("thaw .", fail);
        assert!(block_on(Source::recover(&root, &script.session())).is_err());
        assert_ran(&script.take_log(), "thaw", &[".", "children/disk"], true);
        assert_stages(&root, RUNNING);
        script.reset();
        block_on(Source::recover(&root, &script.session())).unwrap();
        assert_ran(&script.take_log(), "thaw", &["."], true);
        block_on(freeze(&root, &script).rollback()).unwrap();
    }
}

#[test]
fn a_failed_abort_is_reported_and_the_others_go_on() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    script.on("patch children/job", fail);
    script.on("abort children/disk", fail);
    let failure = block_on(import(&frozen).patch(&script.session())).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "patch failed: children/job: no patch today\n\
         and its undo failed: children/disk: no abort today"
    );
    let begun = [".", "children/net", "children/disk", "children/job"];
    assert_ran(&script.take_log(), "abort", &begun, false);
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_commit_goes_on_past_failures_and_never_leaves_a_source_that_could_go_on() {
    for trouble in [Trouble::Fails, Trouble::Panics, Trouble::Hangs] {
        let (root, script) = (tree(), Script::new());
        let session = trouble.session(&script, "commit children/job");
        let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
        script.take_log();
        let failure = block_on(frozen.commit()).unwrap_err();
        assert_eq!((failure.phase(), failure.code()), (Phase::Commit, trouble.code()));
        assert_ran(&script.take_log(), "commit", &IDS, false);
        assert_stages(&root, DEAD);
        // There is nothing to go back to.
        block_on(Source::recover(&root, &script.session())).unwrap();
        assert!(script.take_log().is_empty());
    }
}

#[test]
fn an_end_goes_on_without_a_timer_and_a_beginning_does_not() {
    use crate::orchestrator::timer::IS_MISSING;

    for commits in [true, false] {
        let (root, script) = (tree(), Script::new());
        let frozen = freeze(&root, &script);
        script.take_log();
        IS_MISSING.set(true);
        let (ended, hook) = match commits {
            true => (block_on(frozen.commit()), "commit"),
            false => (block_on(frozen.rollback()), "thaw"),
        };
        let refused = block_on(Source::new(&tree()).freeze(&script.session()));
        IS_MISSING.set(false);
        ended.unwrap();
        assert_ran(&script.take_log(), hook, &IDS, !commits);
        assert_eq!(refused.unwrap_err().code(), Code::Internal);
    }
}

#[test]
fn a_cancel_stops_neither_an_undo_nor_a_commit() {
    for commits in [true, false] {
        let (root, script) = (tree(), Script::new());
        let session = script.session();
        let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
        session.cancel_handle().cancel();
        script.take_log();
        if commits {
            block_on(frozen.commit()).unwrap();
            assert_ran(&script.take_log(), "commit", &IDS, false);
        } else {
            block_on(frozen.rollback()).unwrap();
            assert_ran(&script.take_log(), "thaw", &IDS, true);
        }
    }
}

#[test]
fn a_save_that_fails_leaves_the_tree_frozen_and_names_the_controller_and_the_field() {
    let (root, script) = (tree(), Script::new());
    root.lock().children.push(node::<Box_>("outer", [leaf::<Disk>("unsavable")]));
    let frozen = freeze(&root, &script);
    let mut buffer = crate::SaveBuffer::new();
    let error = frozen.save_into(&mut buffer).unwrap_err();
    assert_eq!(
        error.to_string(),
        "children/outer/children/unsavable: test.DiskSnapshot.name: cannot be saved"
    );
    assert!(buffer.as_bytes().is_empty());
    block_on(frozen.rollback()).unwrap();
    assert_eq!(root.stage(), RUNNING);
}

#[test]
fn a_panic_in_a_save_leaves_every_controller_in_its_frozen_stage() {
    let (root, script) = (tree(), Script::new());
    root.lock().children.push(leaf::<Disk>("save panics"));
    let frozen = freeze(&root, &script);
    let error = frozen.save().unwrap_err();
    assert_eq!(
        error.to_string(),
        "children/save panics: test.DiskSnapshot: panicked: while it was saved"
    );
    assert_stages(&root, FROZEN);
    block_on(frozen.rollback()).unwrap();
    assert_stages(&root, RUNNING);
}

#[test]
fn an_import_that_cannot_be_built_reports_every_controller_that_could_not() {
    let (root, script) = (tree(), Script::new());
    let outer = node::<Box_>("outer", [leaf::<Disk>("unfit"), leaf::<Disk>("fit")]);
    root.lock().children.extend([outer, leaf::<Disk>("import panics")]);
    let frozen = freeze(&root, &script);
    let incoming = Incoming::open(frozen.save().unwrap()).unwrap();
    incoming.check::<Thing<Box_>>().unwrap();
    let error = incoming.import::<Thing<Box_>>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "children/outer/children/unfit: does not fit this host\n\
         children/import panics: panicked: while it was built"
    );
    block_on(frozen.rollback()).unwrap();
}
