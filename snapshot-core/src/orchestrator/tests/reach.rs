//! What comes after what, and what a hook reaches through its context.

use std::sync::Arc;

use futures_executor::block_on;

use super::order::{assert_ran, freeze, import};
use super::*;
use crate::orchestrator::tree::Met;
use crate::{Child, Code, Source};

/// The ids of the disks that the controller `of` is ordered after by its type or finds as nearest.
fn nearest_disks(root: &Arc<Thing<Box_>>, of: &str) -> Vec<String> {
    let tree = Met::under(Arc::clone(root) as _, usize::MAX).into_tree().unwrap();
    let unit = tree.plan.find(&of.into()).unwrap();
    let disk = std::any::TypeId::of::<Thing<Disk>>();
    tree.plan.nearest(unit, disk).into_iter().map(|unit| tree.id(unit).to_string()).collect()
}

#[test]
fn after_means_the_nearest_instances_in_the_tree() {
    let pod = |name: &str, disks: &[&str]| {
        let disks = disks.iter().map(|disk| leaf::<Disk>(disk));
        node::<Box_>(name, disks.chain([leaf::<Job>("job")]))
    };
    let far = node::<Box_>("far", [leaf::<Disk>("deep")]);
    let deeper = node::<Box_>("deeper", [pod("inner", &[])]);
    let root = Thing::new("root", [pod("one", &["a", "b"]), pod("none", &[]), far, deeper]);
    // Its own pod has some.
    assert_eq!(
        nearest_disks(&root, "children/one/children/job"),
        ["children/one/children/a", "children/one/children/b"]
    );
    // Its pod has none: all that the next ancestor has, wherever they are.
    let all = ["children/one/children/a", "children/one/children/b", "children/far/children/deep"];
    assert_eq!(nearest_disks(&root, "children/none/children/job"), all);
    assert_eq!(nearest_disks(&root, "children/deeper/children/inner/children/job"), all);
}

#[test]
fn a_type_that_is_not_there_is_waited_for_by_nobody() {
    let root = Thing::new("root", [leaf::<Job>("job")]);
    let script = Script::new();
    let frozen = freeze(&root, &script);
    assert_ran(&script.take_log(), "freeze", &["children/job", "."], false);
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_type_below_the_one_that_comes_after_it_is_a_cycle() {
    let root = Thing::<Box_>::new("root", [node::<Job>("job", [leaf::<Disk>("disk")])]);
    let failure = block_on(Source::new(&root).freeze(&Script::new().session())).unwrap_err();
    assert_eq!(
        failure.cause().to_string(),
        "children/job: comes after children/job/children/disk, which cannot come before it: \
         remove Thing<Disk> from the `after` of its type"
    );
    assert_eq!(failure.code(), Code::InvalidArgument);
}

#[test]
fn a_cycle_across_the_tree_is_named_from_end_to_end() {
    // The tail in `a` comes after the job in `b`, which comes after the disk in `a`'s job... which
    // is below the tail.
    let tail = node::<Tail>("tail", [leaf::<Disk>("disk")]);
    let root = Thing::<Box_>::new("root", [tail, leaf::<Job>("job")]);
    let failure = block_on(Source::new(&root).freeze(&Script::new().session())).unwrap_err();
    assert_eq!(
        failure.cause().to_string(),
        "children/tail: comes after children/job, which comes after children/tail/children/disk, \
         which comes after children/tail: remove one of the `after`s"
    );
}

#[test]
fn a_controller_has_one_place_in_the_tree() {
    let disk = Thing::<Disk>::new("disk", []);
    let (here, there) = (Child::of(Arc::clone(&disk)), Child::of(disk));
    let root = Thing::<Box_>::new("root", [node::<Box_>("a", [here]), node::<Box_>("b", [there])]);
    let failure = block_on(Source::new(&root).freeze(&Script::new().session())).unwrap_err();
    assert_eq!(
        failure.cause().to_string(),
        "children/b/children/disk: is the same controller as children/a/children/disk: a \
         controller has one place in the tree"
    );
    // A controller inside itself would be a tree without an end.
    let root = Thing::<Box_>::new("root", []);
    root.lock().children.push(Child::of(Arc::clone(&root)));
    let failure = block_on(Source::new(&root).freeze(&Script::new().session())).unwrap_err();
    assert!(failure.to_string().contains("is the same controller as ."), "{failure}");
    root.lock().children.clear();
}

#[test]
fn a_tree_that_is_too_deep_to_be_read_back_is_not_frozen() {
    let mut at = leaf::<Box_>("0");
    for depth in 1..60 {
        at = node::<Box_>(&depth.to_string(), [at]);
    }
    let root = Thing::<Box_>::new("root", [at]);
    let failure = block_on(Source::new(&root).freeze(&Script::new().session())).unwrap_err();
    assert!(failure.to_string().contains("is nested deeper than 50 controllers"), "{failure}");
}

#[test]
fn a_hook_reaches_what_it_comes_after_and_nothing_else() {
    let pod = node::<Box_>("pod", [leaf::<Disk>("disk"), leaf::<Job>("job")]);
    let two = [leaf::<Net>("net a"), leaf::<Net>("net b")];
    let root = Thing::<Box_>::new("root", [pod, leaf::<Tail>("tail")].into_iter().chain(two));
    let script = Script::new().on("patch children/pod/children/job", |cx| {
        Box::pin(async {
            assert_eq!(cx.id().as_str(), "children/pod/children/job");
            assert_eq!(cx.phase().as_str(), "patch");
            assert!(!cx.is_cancelled());
            // By its type, by being an ancestor, and by id.
            assert_eq!(cx.controller::<Thing<Disk>>()?.lock().name, "disk");
            assert_eq!(cx.controller::<Thing<Box_>>()?.lock().name, "pod");
            assert_eq!(cx.controller_at::<Thing<Box_>>(".")?.lock().name, "root");
            // Neither which of two, nor what it does not come after, nor what is not there.
            assert_eq!(
                cx.controller::<Thing<Net>>().unwrap_err().to_string(),
                "comes after several Thing<Net>, including children/net a and children/net b: \
                 choose with `Context::controller_at` or take all with `Context::controllers`"
            );
            let nets = cx.controllers::<Thing<Net>>()?;
            let nets: Vec<_> = nets.iter().map(|net| net.lock().name.clone()).collect();
            assert_eq!(nets, ["net a", "net b"]);
            assert_eq!(cx.controller_at::<Thing<Net>>("children/net b")?.lock().name, "net b");
            assert_eq!(
                cx.controller::<Thing<Tail>>().unwrap_err().to_string(),
                "does not come after any Thing<Tail>: add it to `after(...)` of its state"
            );
            assert!(cx.controllers::<Thing<Tail>>()?.is_empty());
            assert_eq!(
                cx.controller_at::<Thing<Tail>>("children/tail").unwrap_err().to_string(),
                "does not come after children/tail: add its type to `after(...)` of its state"
            );
            assert_eq!(
                cx.controller_at::<Thing<Net>>("children/gone").unwrap_err().to_string(),
                "there is no controller children/gone"
            );
            assert_eq!(
                cx.controller_at::<Thing<Net>>("children/pod/children/disk")
                    .unwrap_err()
                    .to_string(),
                "children/pod/children/disk is a Thing<Disk>, not a Thing<Net>"
            );
            assert_eq!(
                cx.resource::<String>().unwrap_err().to_string(),
                "the session has no resource String: give it one with `Session::resource`"
            );
            assert_eq!(&*cx.resource::<str>()?, "a trait object or a slice");
            Ok(())
        })
    });
    let frozen = freeze(&root, &script);
    let session = script.session().resource::<str>("a trait object or a slice".into());
    let patched = block_on(import(&frozen).patch(&session)).unwrap();
    assert!(script.take_log().contains(&"patch children/pod/children/job".to_owned()));
    block_on(patched.abort()).unwrap();
    block_on(frozen.rollback()).unwrap();
}
