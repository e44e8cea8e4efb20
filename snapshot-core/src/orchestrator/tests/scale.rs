//! Ten thousand controllers: what grows grows with their number, counted and not timed.

use std::sync::Arc;

use futures_executor::block_on;

use super::order::import;
use super::*;
use crate::Source;
use crate::orchestrator::plan::First;
use crate::orchestrator::tree::Met;

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
        let tree = Met::under(many(pods) as _, usize::MAX).into_tree().unwrap();
        let blockers = tree.plan.blockers(First::Dependencies).expect("jobs come after nets");
        let before = blockers.iter().map(|&count| count as usize).sum::<usize>();
        let mut after = 0;
        for step in 0..blockers.len() {
            tree.plan.each_after(First::Dependencies, step..step + 1, |_| after += 1);
        }
        assert_eq!(before, after);
        (tree.plan.units().len(), before)
    };
    let (controllers, few) = edges(100);
    let (ten_times, many) = edges(1_000);
    assert_eq!(ten_times - 1, 10 * (controllers - 1));
    assert!(many <= 10 * few, "{few} edges of {controllers}, {many} of {ten_times}");
}

/// Moves a tree, and gives the number of its controllers.
fn move_all(pods: usize) -> usize {
    let root = many(pods);
    let script = Script::new();
    let session = script.session();
    let frozen = block_on(Source::new(&root).freeze(&session)).unwrap();
    let imported = import(&frozen);
    let patched = block_on(imported.patch(&session)).unwrap();
    let there = block_on(patched.resume(&session)).unwrap();
    block_on(frozen.commit()).unwrap();
    let count = Met::under(there as _, usize::MAX).into_tree().unwrap().nodes().len();
    assert_eq!(script.take_log().len(), 4 * count, "each hook once");
    assert_eq!(session.timeline().saved.len(), count);
    count
}

#[test]
fn ten_thousand_controllers_take_ten_times_the_work_and_memory_of_a_thousand() {
    let mut controllers = (0, 0);
    // The first use of the registry and of the timer is not counted.
    move_all(1);
    let few = allocation_counter::measure(|| controllers.0 = move_all(154));
    let many = allocation_counter::measure(|| controllers.1 = move_all(1_540));
    assert!(controllers.1 > 10_000, "{controllers:?}");
    let times = |many: u64, few: u64| many as f64 / few as f64;
    let grown = times(controllers.1 as u64, controllers.0 as u64);
    println!("{controllers:?} controllers\n{few:?}\n{many:?}");
    for (what, times) in [
        ("allocations", times(many.count_total, few.count_total)),
        ("bytes", times(many.bytes_total, few.bytes_total)),
        ("most bytes at once", times(many.bytes_max, few.bytes_max)),
    ] {
        // Collections that grow by doubling are up to twice as large as needed.
        assert!(times < 1.5 * grown, "{what}: {times:.2} times for {grown:.2} times as many");
    }
}

#[test]
fn the_work_of_undoing_ten_thousand_grows_as_their_number() {
    let undo = |pods| {
        let root = many(pods);
        let script = Script::new();
        script.on("freeze .", fail);
        let failure = block_on(Source::new(&root).freeze(&script.session())).unwrap_err();
        assert!(failure.undo_error().is_none());
        assert_eq!(script.take_log().len(), 2 * failure.controllers().len());
    };
    undo(1);
    let few = allocation_counter::measure(|| undo(154)).count_total;
    let many = allocation_counter::measure(|| undo(1_540)).count_total;
    assert!(many < 12 * few, "{few} allocations, then {many}");
}
