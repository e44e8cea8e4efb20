//! Ten thousand controllers: what grows grows with their number, counted and not timed.

use std::sync::Arc;

use futures_executor::block_on;

use super::order::import;
use super::*;
use crate::Source;
use crate::orchestrator::plan::First;
use crate::orchestrator::tree::Tree;

/// `pods` pods, each with a network, 4 jobs and a disk; every other without a network, so that its
/// jobs come after all networks of the others.
fn many(pods: usize) -> Arc<Thing<Box_>> {
    let pod = |n: usize| {
        let jobs = (0..4).map(|job| leaf::<Job>(&format!("job {job}")));
        let net = n.is_multiple_of(2).then(|| leaf::<Net>("net"));
        node::<Box_>(&n.to_string(), jobs.chain(net).chain([leaf::<Disk>("disk")]))
    };
    Thing::new("root", (0..pods).map(pod))
}

#[test]
fn the_edges_of_a_plan_grow_with_the_number_of_controllers() {
    let edges = |pods| {
        let tree = Tree::of(many(pods) as _).unwrap();
        let (before, after) = tree.plan.edges(First::Dependencies);
        let count = |edges: &[Vec<u32>]| edges.iter().map(Vec::len).sum::<usize>();
        assert_eq!(count(before), count(after));
        (tree.plan.units().len(), count(before))
    };
    let (controllers, few) = edges(100);
    let (ten_times, many) = edges(1_000);
    assert_eq!(ten_times - 1, 10 * (controllers - 1));
    assert!(many <= 10 * few, "{few} edges of {controllers}, {many} of {ten_times}");
}

#[test]
fn ten_thousand_controllers_move() {
    let root = many(1_540);
    let script = Script::new();
    let session = script.session();
    let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
    let imported = import(&frozen);
    let patched = block_on(imported.patch(&session)).unwrap();
    let there = block_on(patched.resume(&session)).unwrap();
    block_on(frozen.commit()).unwrap();
    let count = Tree::of(there as _).unwrap().nodes().len();
    assert!(count > 10_000, "{count}");
    let log = script.take_log();
    assert_eq!(log.len(), 4 * count, "each hook once");
    assert_eq!(session.timeline().saved.len(), count);
}
