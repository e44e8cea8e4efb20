//! A tree that does not stand still: what came, went or was replaced between the calls and during the
//! hooks, and who says so.

use std::sync::Arc;

use futures_executor::block_on;

use super::order::{IDS, assert_ran, assert_stages, freeze, import, tree};
use super::*;
use crate::{Child, Code, Error, Failure, Frozen, Incoming, Phase, Source};

type Root = Arc<Thing<Box_>>;

/// What happens to the children of [`tree`], which are a job, a network and a disk.
type Edit = fn(&mut Vec<AnyChild>);

fn add(children: &mut Vec<AnyChild>) {
    children.push(leaf::<Disk>("late"));
}

fn remove(children: &mut Vec<AnyChild>) {
    children.remove(2);
}

fn replace(children: &mut Vec<AnyChild>) {
    children.remove(2);
    children.insert(2, leaf::<Disk>("disk"));
}

/// One comes and another one goes.
fn exchange(children: &mut Vec<AnyChild>) {
    children.push(leaf::<Disk>("spare"));
    children.remove(1);
}

/// The job goes into a box that is new.
fn wrap(children: &mut Vec<AnyChild>) {
    let job = children.remove(0);
    children.push(node::<Box_>("wrapped", [job]));
}

const EDITS: [(Edit, &[&str]); 5] = [
    (add, &["children/late: was added"]),
    (remove, &["children/disk: was removed"]),
    (replace, &["children/disk: was replaced"]),
    (exchange, &["children/net: was removed", "children/spare: was added"]),
    (
        wrap,
        &[
            "children/wrapped: was added",
            "children/wrapped/children/job: was moved here from children/job",
        ],
    ),
];

fn edit(root: &Root, edit: Edit) {
    edit(&mut root.lock().children);
}

#[track_caller]
fn assert_reported(error: &Error, expected: &[&str]) {
    assert!(error.findings().all(|f| f.code() == Code::FailedPrecondition), "{error}");
    let text = error.to_string();
    assert_eq!(text.lines().count(), expected.len(), "{text}");
    for (line, expected) in text.lines().zip(expected) {
        assert!(line.starts_with(expected), "{line}\nexpected: {expected}");
    }
}

#[track_caller]
fn assert_save_refuses(frozen: &Frozen<Thing<Box_>>, expected: &[&str]) {
    let error = frozen.save().unwrap_err();
    assert_reported(&error, expected);
    assert!(error.to_string().lines().all(|line| line.ends_with("roll back and start again")));
}

#[test]
fn a_save_refuses_by_name_what_came_went_or_was_replaced_since_the_freeze() {
    for (change, expected) in EDITS {
        let (root, script) = (tree(), Script::new());
        let frozen = freeze(&root, &script);
        edit(&root, change);
        assert_save_refuses(&frozen, expected);
        script.take_log();
        let failure = block_on(frozen.rollback()).unwrap_err();
        assert_eq!(failure.phase(), Phase::Thaw);
        assert_reported(failure.cause(), expected);
        assert_ran(&script.take_log(), "thaw", &IDS, true);
        // It has ended, and the tree as it is now can be moved.
        let again = block_on(Source::new(&root).freeze(&script.session())).unwrap();
        again.save().unwrap();
        block_on(again.commit()).unwrap();
    }
}

#[test]
fn a_save_refuses_what_came_since_the_save_before() {
    for (change, expected) in EDITS {
        let (root, script) = (tree(), Script::new());
        let frozen = freeze(&root, &script);
        frozen.save().unwrap();
        edit(&root, change);
        assert_save_refuses(&frozen, expected);
        drop(block_on(frozen.rollback()));
    }
}

#[test]
fn a_change_that_was_taken_back_is_none() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let disk = root.lock().children.pop().unwrap();
    assert_save_refuses(&frozen, &["children/disk: was removed"]);
    root.lock().children.push(disk);
    frozen.save().unwrap();
    block_on(frozen.commit()).unwrap();
}

#[test]
fn controllers_that_changed_places_are_refused_though_all_of_them_were_frozen() {
    let (root, script) = (tree(), Script::new());
    let twins = [leaf::<Disk>("left"), leaf::<Disk>("right")];
    root.lock().children.extend(twins);
    let frozen = freeze(&root, &script);
    let rename = |at: usize, name: &str| {
        let child = root.lock().children[at].downcast::<Thing<Disk>>().unwrap();
        child.lock().name = name.to_owned();
    };
    rename(3, "right");
    rename(4, "left");
    root.lock().children.swap(3, 4);
    assert_save_refuses(&frozen, &["children/left: was replaced", "children/right: was replaced"]);
    drop(block_on(frozen.rollback()));
}

#[test]
fn a_controller_in_two_places_is_refused_with_both() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let disk = root.lock().children[2].downcast::<Thing<Disk>>().unwrap();
    root.lock().children.insert(0, node::<Box_>("twice", [Child::of(disk)]));
    let error = frozen.save().unwrap_err().to_string();
    assert!(error.contains("is the same controller as"), "{error}");
    assert!(error.contains("children/twice: was added while the tree was frozen"), "{error}");
    drop(block_on(frozen.rollback()));
}

#[test]
fn a_state_that_saves_other_children_than_it_shows_is_a_bug_of_the_program() {
    for (name, expected) in [
        (
            "hides",
            "children/hides: saves a controller that it does not show: \
             type.googleapis.com/test.DiskSnapshot",
        ),
        ("omits", "children/omits/children/inner: is in the tree, but its parent did not save it"),
    ] {
        let (root, script) = (tree(), Script::new());
        root.lock().children.push(node::<Box_>(name, [leaf::<Disk>("inner")]));
        let frozen = freeze(&root, &script);
        let error = frozen.save().unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (Code::Internal, expected));
        block_on(frozen.rollback()).unwrap();
    }
}

#[test]
fn a_change_and_a_value_that_cannot_be_saved_are_reported_together() {
    let (root, script) = (tree(), Script::new());
    root.lock().children.push(leaf::<Disk>("unsavable"));
    let frozen = freeze(&root, &script);
    edit(&root, |children| drop(children.remove(1)));
    let error = frozen.save().unwrap_err().to_string();
    assert!(error.contains("children/unsavable: test.DiskSnapshot.name: cannot"), "{error}");
    drop(block_on(frozen.rollback()));
}

#[test]
fn a_commit_runs_on_all_that_was_frozen_and_reports_what_the_destination_does_not_know() {
    for (change, expected) in EDITS {
        let (root, script) = (tree(), Script::new());
        let disk = root.lock().children[2].downcast::<Thing<Disk>>().unwrap();
        let frozen = freeze(&root, &script);
        frozen.save().unwrap();
        edit(&root, change);
        script.take_log();
        let failure = block_on(frozen.commit()).unwrap_err();
        assert_eq!(failure.phase(), Phase::Commit);
        assert_reported(failure.cause(), expected);
        assert_ran(&script.take_log(), "commit", &IDS, false);
        assert_eq!(disk.stage(), DEAD, "also what was removed is over here");
        block_on(Source::recover(&root, &script.session())).unwrap();
        assert!(script.take_log().is_empty(), "there is nothing left to recover");
    }
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    edit(&root, add);
    assert_eq!(
        block_on(frozen.commit()).unwrap_err().to_string(),
        "commit failed: children/late: was added while the tree was frozen: it is not at the \
         destination and still runs here: end it yourself"
    );
}

#[test]
fn a_hook_that_fails_and_a_change_are_reported_together() {
    for commits in [true, false] {
        let (root, script) = (tree(), Script::new());
        let frozen = freeze(&root, &script);
        edit(&root, add);
        script.on(if commits { "commit ." } else { "thaw ." }, fail);
        let ended = match commits {
            true => block_on(frozen.commit()),
            false => block_on(frozen.rollback()),
        };
        let failure = ended.unwrap_err().to_string();
        assert!(failure.contains(".: no ") && failure.contains("children/late: "), "{failure}");
        script.reset();
        drop(block_on(Source::recover(&root, &script.session())));
    }
}

#[test]
fn a_change_during_the_freeze_undoes_it() {
    for (change, expected) in EDITS {
        let (root, script) = (tree(), Script::new());
        let grows = Arc::clone(&root);
        script.on("freeze children/job", move |_| {
            edit(&grows, change);
            Box::pin(async { Ok(()) })
        });
        let failure = block_on(Source::new(&root).freeze(&script.session())).unwrap_err();
        assert_reported(failure.cause(), expected);
        assert!(failure.undo_error().is_none(), "{failure}");
        assert_ran(&script.take_log(), "thaw", &IDS, true);
    }
}

/// A commit hook may take the controllers of the source apart: they are over.
#[test]
fn a_change_by_a_commit_or_thaw_hook_is_of_no_concern() {
    for step in ["commit .", "thaw ."] {
        let (root, script) = (tree(), Script::new());
        let frozen = freeze(&root, &script);
        let shrinks = Arc::clone(&root);
        script.on(step, move |_| {
            shrinks.lock().children.clear();
            Box::pin(async { Ok(()) })
        });
        match step {
            "commit ." => block_on(frozen.commit()).unwrap(),
            _ => block_on(frozen.rollback()).unwrap(),
        }
    }
}

fn patch_after(change: Edit) -> (Failure, Vec<String>, Root) {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let imported = import(&frozen);
    let there = Arc::clone(imported.root());
    edit(&there, change);
    script.take_log();
    let failure = block_on(imported.patch(&script.session())).unwrap_err();
    let log = script.take_log();
    block_on(frozen.rollback()).unwrap();
    (failure, log, there)
}

/// On the destination ids may change, so that only identity counts.
const THERE: [(Edit, &[&str]); 4] = [
    (add, &["children/late: was added"]),
    (remove, &["children/disk: was removed"]),
    (replace, &["children/disk: was removed", "children/disk: was added"]),
    (exchange, &["children/net: was removed", "children/spare: was added"]),
];

#[test]
fn a_change_between_import_and_patch_is_refused_before_any_hook() {
    for (change, expected) in THERE {
        let (failure, log, _) = patch_after(change);
        assert_eq!(failure.phase(), Phase::Patch);
        assert_reported(failure.cause(), expected);
        assert_eq!(log, [""; 0]);
    }
    let (_, _, there) = patch_after(add);
    assert_eq!(there.stage(), DEAD);
}

#[test]
fn a_change_between_patch_and_resume_or_during_the_patch_aborts_all() {
    for (change, expected) in THERE {
        for during in [true, false] {
            let (root, script) = (tree(), Script::new());
            let frozen = freeze(&root, &script);
            let imported = import(&frozen);
            let there = Arc::clone(imported.root());
            let changes = Arc::clone(&there);
            if during {
                script.on("patch children/disk", move |_| {
                    edit(&changes, change);
                    Box::pin(async { Ok(()) })
                });
            }
            let patched = block_on(imported.patch(&script.session())).unwrap();
            if !during {
                edit(&there, change);
            }
            script.take_log();
            let failure = block_on(patched.resume(&script.session())).unwrap_err();
            assert_eq!(failure.phase(), Phase::Resume);
            assert_reported(failure.cause(), expected);
            assert!(failure.undo_error().is_none(), "{failure}");
            assert_ran(&script.take_log(), "abort", &IDS, false);
            assert_eq!(there.stage(), DEAD);
            block_on(frozen.rollback()).unwrap();
            assert_stages(&root, RUNNING);
        }
    }
}

#[test]
fn a_patch_may_give_controllers_other_names_and_another_order() {
    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let imported = import(&frozen);
    let renames = Arc::clone(imported.root());
    script.on("patch children/disk", move |_| {
        let children = &mut renames.lock().children;
        children[2].downcast::<Thing<Disk>>().unwrap().lock().name = "renamed".to_owned();
        children.reverse();
        Box::pin(async { Ok(()) })
    });
    let patched = block_on(imported.patch(&script.session())).unwrap();
    block_on(patched.resume(&script.session())).unwrap();
    block_on(frozen.commit()).unwrap();
}

#[test]
fn a_recovery_reports_what_came_while_the_source_was_left_frozen() {
    let (root, script) = (tree(), Script::new());
    drop(freeze(&root, &script));
    // One is gone for good, one is gone from the tree.
    let net = root.lock().children.remove(1);
    root.lock().children.remove(1);
    edit(&root, add);
    script.take_log();
    let failure = block_on(Source::recover(&root, &script.session())).unwrap_err();
    assert_reported(failure.cause(), &["children/net: was removed", "children/late: was added"]);
    assert_ran(&script.take_log(), "thaw", &IDS[..4], true);
    drop(net);
    let again = block_on(Source::new(&root).freeze(&script.session())).unwrap();
    assert_eq!(Incoming::from(again.save().unwrap()).preview().unwrap().controllers.len(), 4);
    block_on(again.rollback()).unwrap();
}

#[test]
fn a_cancelled_migration_is_not_saved_and_can_be_rolled_back() {
    let (root, script) = (tree(), Script::new());
    let session = script.session();
    let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
    session.cancel_handle().cancel();
    let error = frozen.save().unwrap_err();
    assert_eq!(error.code(), Code::Cancelled);
    assert_eq!(error.to_string(), "the migration was cancelled: roll back");
    block_on(frozen.rollback()).unwrap();
    assert_stages(&root, RUNNING);
}

#[test]
fn what_came_while_a_destination_was_made_is_reported_if_that_is_aborted() {
    let expected = "children/late: was added after the import: it was not aborted and keeps \
                    running: end it yourself";
    for phase in [Phase::Patch, Phase::Resume] {
        let (root, script) = (tree(), Script::new());
        let frozen = freeze(&root, &script);
        let imported = import(&frozen);
        let (there, changes) = (Arc::clone(imported.root()), Arc::clone(imported.root()));
        script.on(&format!("{phase} children/disk"), move |_| {
            edit(&changes, add);
            Box::pin(async { Ok(()) })
        });
        let session = script.session().fail_at(phase, "children/job");
        let failure = match block_on(imported.patch(&session)) {
            Ok(patched) => block_on(patched.resume(&session)).unwrap_err(),
            Err(failure) => failure,
        };
        assert_eq!(failure.phase(), phase);
        assert!(failure.cause().to_string().starts_with("children/job: "), "{failure}");
        assert_eq!(failure.undo_error().unwrap().to_string(), expected);
        assert_eq!(there.stage(), DEAD);
        block_on(frozen.rollback()).unwrap();
    }

    let (root, script) = (tree(), Script::new());
    let frozen = freeze(&root, &script);
    let patched = block_on(import(&frozen).patch(&script.session())).unwrap();
    // What has gone was aborted all the same.
    edit(patched.root(), exchange);
    edit(patched.root(), |children| children.truncate(2));
    script.take_log();
    block_on(patched.abort()).unwrap();
    assert_ran(&script.take_log(), "abort", &IDS, false);
    let patched = block_on(import(&frozen).patch(&script.session())).unwrap();
    edit(patched.root(), add);
    let failure = block_on(patched.abort()).unwrap_err();
    assert_eq!((failure.phase(), failure.cause().to_string().as_str()), (Phase::Abort, expected));
    block_on(frozen.rollback()).unwrap();
}
