//! Preflight: whether a migration can succeed, before anything is frozen.

use std::sync::Arc;

use futures_executor::block_on;

use super::order::{assert_stages, tree};
use super::*;
use crate::registry::{Manifest, registry};
use crate::{Child, Session, Source};

fn theirs() -> Manifest {
    registry().unwrap().manifest()
}

fn problems(root: &Arc<Thing<Box_>>, theirs: &Manifest) -> Vec<String> {
    let error = Source::new(root).preflight(theirs).unwrap_err();
    error.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn a_tree_that_can_be_moved_passes_and_is_left_alone() {
    let root = tree();
    Source::new(&root).preflight(&theirs()).unwrap();
    assert_stages(&root, RUNNING);
}

#[test]
fn every_obstacle_is_told_at_once() {
    let root = tree();
    root.lock().children.push(Child::of(Thing::<Disk>::in_stage("dead", DEAD, [])));
    let mut theirs = theirs();
    theirs.payloads.retain(|payload| payload.message != "test.NetSnapshot");
    for payload in &mut theirs.payloads {
        if payload.message == "test.JobSnapshot" {
            (payload.version, payload.accepts) = (4, vec![3, 4]);
        }
    }
    assert_eq!(
        problems(&root, &theirs),
        [
            "children/dead: is in stage Dead, but can be saved only in Running or Stopped",
            "the destination cannot restore type.googleapis.com/test.JobSnapshot: version 1, but \
             the destination reads 3, 4",
            "the destination cannot restore type.googleapis.com/test.NetSnapshot: no controller is \
             registered for it",
        ]
    );
    assert_eq!(root.stage(), RUNNING);
}

#[test]
fn a_tree_that_cannot_be_put_in_order_does_not_hide_the_other_obstacles() {
    let root = tree();
    let dead = Child::of(Thing::<Disk>::in_stage("dead", DEAD, []));
    let twins = [leaf::<Disk>("twin"), leaf::<Disk>("twin")];
    root.lock().children.extend(twins.into_iter().chain([dead]));
    let mut theirs = theirs();
    theirs.payloads.retain(|payload| payload.message != "test.NetSnapshot");
    assert_eq!(
        problems(&root, &theirs),
        [
            "children/dead: is in stage Dead, but can be saved only in Running or Stopped",
            "children/twin: 2 controllers have this id: give each its own name",
            "the destination cannot restore type.googleapis.com/test.NetSnapshot: no controller is \
             registered for it",
        ]
    );
    assert_eq!(root.stage(), RUNNING);
}

#[test]
fn what_is_not_in_the_tree_is_not_asked_of_the_destination() {
    let mut theirs = theirs();
    theirs.payloads.retain(|payload| payload.message != "test.TailSnapshot");
    Source::new(&tree()).preflight(&theirs).unwrap();
}

#[test]
fn what_cannot_be_saved_is_found_before_the_freeze() {
    let root = tree();
    root.lock().children.push(leaf::<Disk>("unsavable"));
    assert_eq!(
        problems(&root, &theirs()),
        ["children/unsavable: test.DiskSnapshot.name: cannot be saved"]
    );
}

#[test]
fn what_could_not_be_read_back_is_found_before_the_freeze() {
    let root = tree();
    root.lock().children.extend([leaf::<Disk>("twin"), leaf::<Disk>("twin")]);
    assert_eq!(
        problems(&root, &theirs()),
        ["children/twin: 2 controllers have this id: give each its own name"]
    );
}

#[test]
fn a_save_after_a_preflight_has_its_memory_before_the_freeze() {
    let save = |is_rehearsed: bool| {
        let root = tree();
        // Longer than is guessed without a preflight.
        let disk = |n: u32| leaf::<Disk>(&format!("disk {n:0500}"));
        root.lock().children.extend((0..500).map(disk));
        let source = Source::new(&root);
        if is_rehearsed {
            source.preflight(&theirs()).unwrap();
        }
        let frozen = block_on(source.freeze(&Session::new())).unwrap();
        let mut length = 0;
        let info = allocation_counter::measure(|| length = frozen.save().unwrap().as_bytes().len());
        block_on(frozen.rollback()).unwrap();
        (info.bytes_max, length as u64)
    };
    save(false);
    let ((rehearsed, length), (unrehearsed, _)) = (save(true), save(false));
    assert!(rehearsed + length <= unrehearsed, "{rehearsed} and {unrehearsed} for {length} bytes");
}
