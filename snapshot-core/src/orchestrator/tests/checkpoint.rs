//! Checkpoints of a running tree.

use std::sync::{Arc, Mutex};

use super::order::{assert_stages, tree};
use super::*;
use crate::{Child, Code, Incoming, Origin, Provenance, Session, Source};
use futures_executor::block_on;

fn names(root: &Thing<Box_>) -> usize {
    root.lock().children.len()
}

#[test]
fn a_running_tree_is_saved_and_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    assert!(Incoming::from_checkpoint(&path).unwrap().is_none());
    let root = tree();
    Source::new(&root).checkpoint(&path).unwrap();
    assert_stages(&root, RUNNING);
    let before = names(&root);
    root.lock().children.push(leaf::<Disk>("new"));
    Source::new(&root).checkpoint(&path).unwrap();
    let session = Session::new();
    let imported = Incoming::from_checkpoint(&path).unwrap().unwrap().import::<Thing<Box_>>();
    let patched = block_on(imported.unwrap().patch(&session)).unwrap();
    let taken_up = block_on(patched.resume(&session)).unwrap();
    assert_eq!(names(&taken_up), before + 1);
    assert_stages(&taken_up, RUNNING);
}

#[test]
fn a_tree_that_cannot_be_saved_leaves_the_earlier_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let root = tree();
    Source::new(&root).checkpoint(&path).unwrap();
    let good = std::fs::read(&path).unwrap();
    root.lock().children.push(Child::of(Thing::<Disk>::in_stage("dead", DEAD, [])));
    let twins = [leaf::<Disk>("twin"), leaf::<Disk>("twin")];
    root.lock().children.extend(twins);
    let error = Source::new(&root).checkpoint(&path).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition, "{error}");
    assert!(error.to_string().contains("children/dead: is in stage Dead"), "{error}");
    assert!(error.to_string().contains("twin"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), good);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no other file is left");
}

#[test]
fn hooks_find_which_stored_snapshot_they_take_up_unless_the_session_says_another_origin() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let provenance = Provenance::new("7", "shim", "1").unwrap();
    Source::new(&tree()).provenance(provenance.clone()).checkpoint(&path).unwrap();
    let stored = Origin::Stored(Arc::new(provenance));
    let handed_over = Origin::Handover { session: "s".into() };
    let checkpoint = || Incoming::from_checkpoint(&path).unwrap().unwrap();
    let imported = || checkpoint().import::<Thing<Box_>>().unwrap();
    for (said, expected) in [(Origin::Unknown, stored), (handed_over.clone(), handed_over)] {
        let (script, seen) = (Script::new(), Arc::new(Mutex::new(Vec::new())));
        for step in ["prepare children/disk", "patch children/disk", "resume children/disk"] {
            let seen = Arc::clone(&seen);
            script.on(step, move |cx| {
                seen.lock().unwrap().push(cx.origin().clone());
                Box::pin(async { Ok(()) })
            });
        }
        let session = script.session().origin(said);
        let patched = block_on(imported().patch(&session)).unwrap();
        block_on(patched.resume(&session)).unwrap();
        let prepared = block_on(imported().prepare(&session)).unwrap();
        let patched = block_on(prepared.patch(checkpoint(), &session)).unwrap();
        block_on(patched.abort()).unwrap();
        assert_eq!(*seen.lock().unwrap(), vec![expected; 4]);
    }
}

#[test]
fn a_frozen_tree_is_not_checkpointed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let root = tree();
    Source::new(&root).checkpoint(&path).unwrap();
    let good = std::fs::read(&path).unwrap();
    let frozen = block_on(Source::new(&root).freeze(&Session::new())).unwrap();
    let error = Source::new(&root).checkpoint(&path).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition, "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), good);
    block_on(frozen.rollback()).unwrap();
    Source::new(&root).checkpoint(&path).unwrap();
}

#[test]
fn a_damaged_checkpoint_is_an_error_and_never_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    Source::new(&tree()).checkpoint(&path).unwrap();
    let good = std::fs::read(&path).unwrap();
    for length in [0, 1, 20, good.len() / 2, good.len() - 1] {
        std::fs::write(&path, &good[..length]).unwrap();
        let error = Incoming::from_checkpoint(&path).unwrap_err();
        assert_eq!(error.code(), Code::DataLoss, "{length}: {error}");
    }
    #[cfg(unix)]
    {
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(folder.path().join("gone"), &path).unwrap();
        assert!(Incoming::from_checkpoint(&path).is_err(), "a link to nothing is not nothing");
    }
}

#[test]
fn concurrent_checkpoints_of_one_file_leave_the_newest_state() {
    let folder = tempfile::tempdir().unwrap();
    // Two spellings of one file.
    let paths = ["checkpoint", "./checkpoint"].map(|name| folder.path().join(name));
    let root = tree();
    std::thread::scope(|scope| {
        for (number, path) in paths.iter().enumerate() {
            let root = Arc::clone(&root);
            scope.spawn(move || {
                for round in 0..8 {
                    let child = leaf::<Disk>(&format!("disk-{number}-{round}"));
                    root.lock().children.push(child);
                    Source::new(&root).checkpoint(path).unwrap();
                }
            });
        }
    });
    let restored = Incoming::from_checkpoint(&paths[0]).unwrap().unwrap();
    let restored = restored.import::<Thing<Box_>>().unwrap();
    assert_eq!(names(restored.root()), names(&root));
}
