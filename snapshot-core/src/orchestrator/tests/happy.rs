//! What happens when nothing fails.

use std::sync::Arc;

use futures_executor::block_on;

use super::*;
use crate::{Incoming, Source};

/// `.` with `children/net`, `children/disk` and `children/job` with `children/job/children/inner`.
fn tree() -> Arc<Thing<Box_>> {
    let job = node::<Job>("job", [leaf::<Tail>("inner")]);
    Thing::new("root", [job, leaf::<Net>("net"), leaf::<Disk>("disk")])
}

#[test]
fn a_tree_moves_with_its_hooks_in_order() {
    let script = Script::new();
    let session = script.session();
    let root = tree();
    block_on(async {
        let frozen = Source::new(&root).freeze(&session).await.unwrap();
        let snapshot = frozen.save().unwrap();
        let log = script.take_log();
        println!("{log:?}");
        let imported = Incoming::open(snapshot.into_bytes()).unwrap().import::<Thing<Box_>>();
        let patched = imported.unwrap().patch(&session).await.unwrap();
        println!("{:?}", script.take_log());
        let there = patched.resume(&session).await.unwrap();
        println!("{:?}", script.take_log());
        assert_eq!(there.stage(), RUNNING);
        frozen.commit().await.unwrap();
        println!("{:?}", script.take_log());
        assert_eq!(root.stage(), DEAD);
    });
    println!("{}", session.timeline());
}
