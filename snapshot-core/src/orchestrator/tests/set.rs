//! `ControllerSet`, the built-in root.

use std::sync::Arc;

use futures_executor::block_on;
use prost::Message;
use prost_types::Any;

use super::*;
use crate::wire::v1::{ControllerSetSnapshot, controller_set_snapshot::Entry};
use crate::{Code, ControllerSet, Incoming, Snapshot, Source};

fn set() -> Arc<ControllerSet> {
    let set = ControllerSet::new();
    set.insert("vm", Thing::<Box_>::new("ignored: the set has its own names", [leaf::<Disk>("d")]))
        .unwrap();
    set.insert("a/b", Thing::<Net>::new("net", [])).unwrap();
    set.insert_after("job", Thing::<Box_>::new("job", []), &["vm", "a/b"]).unwrap();
    Arc::new(set)
}

#[test]
fn members_move_in_the_order_that_the_set_says_under_their_own_names() {
    let (set, script) = (set(), Script::new());
    let session = script.session();
    let frozen = block_on(Source::new(&set).freeze(&session)).unwrap();
    let log = script.take_log();
    let at = |step: &str| log.iter().position(|s| s == step).unwrap_or_else(|| panic!("{log:?}"));
    assert!(at("freeze job") < at("freeze vm"));
    assert!(at("freeze job") < at("freeze a%2Fb"));
    assert!(at("freeze vm/children/d") < at("freeze vm"));

    let snapshot = frozen.save().unwrap();
    let imported = Incoming::open(snapshot.clone()).unwrap().import::<ControllerSet>().unwrap();
    let patched = block_on(imported.patch(&session)).unwrap();
    let log = script.take_log();
    let at = |step: &str| log.iter().position(|s| s == step).unwrap();
    assert!(at("patch vm") < at("patch job") && at("patch a%2Fb") < at("patch job"));
    let there = block_on(patched.resume(&session)).unwrap();
    block_on(frozen.commit()).unwrap();
    assert_eq!(there.ids(), ["a/b", "job", "vm"]);
    assert_eq!(there.get::<Thing<Net>>("a/b").unwrap().lock().name, "net");
    assert!(there.get::<Thing<Disk>>("a/b").is_none());

    // prost reads it, and it is the same again.
    let message = ControllerSetSnapshot::decode(snapshot.payload()).unwrap();
    assert_eq!(message.schema_version, 1);
    let entries: Vec<_> = message.entries.iter().map(|e| (e.id.as_str(), e.after.len())).collect();
    assert_eq!(entries, [("a/b", 0), ("job", 2), ("vm", 0)]);
    assert_eq!(message.encode_to_vec(), snapshot.payload());
}

#[test]
fn a_hook_reaches_the_members_that_it_comes_after() {
    let (set, script) = (set(), Script::new());
    script.on("freeze job", |cx| {
        Box::pin(async {
            assert_eq!(cx.controller_at::<Thing<Net>>("a%2Fb")?.lock().name, "net");
            assert_eq!(cx.controller::<Thing<Net>>()?.lock().name, "net");
            assert!(cx.controller_at::<Thing<Disk>>("vm/children/d").is_err());
            Ok(())
        })
    });
    let frozen = block_on(Source::new(&set).freeze(&script.session())).unwrap();
    block_on(frozen.rollback()).unwrap();
}

#[test]
fn a_set_refuses_an_id_twice_an_empty_one_that_of_the_root_and_an_unknown_predecessor() {
    let set = set();
    let net = || Thing::<Net>::new("net", []);
    for (result, expected) in [
        (set.insert("vm", net()), "\"vm\" is already in the set"),
        (set.insert("", net()), "a member of a set needs an id"),
        (set.insert(".", net()), "\".\" is the id of the root: give the member another id"),
        (
            set.insert_after("new", net(), &["vm", "gone"]),
            "\"new\" comes after \"gone\", which is not in the set",
        ),
    ] {
        let error = result.unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (Code::InvalidArgument, expected));
    }
    assert_eq!(set.len(), 3);
    assert!(set.remove("vm").unwrap().is_some());
    assert!(set.remove("vm").unwrap().is_none());
    // Nobody waits for what was taken out.
    let frozen = block_on(Source::new(&set).freeze(&Script::new().session())).unwrap();
    block_on(frozen.rollback()).unwrap();
    assert_eq!(format!("{set:?}").matches("test.").count(), 2);
}

fn entry(id: &str, after: &[&str], controller: Option<Any>) -> Entry {
    let after = after.iter().map(|&id| id.to_owned()).collect();
    Entry { id: id.to_owned(), after, controller }
}

fn payload<S: Sort>(stage: i32, extra: &[u8]) -> Option<Any> {
    let message = NetSnapshot { schema_version: 1, name: String::new(), stage, children: vec![] };
    let value = [&message.encode_to_vec(), extra].concat();
    Some(Any { type_url: S::TYPE_URL.to_owned(), value })
}

fn refusal(entries: impl IntoIterator<Item = Entry>) -> Vec<String> {
    let message =
        ControllerSetSnapshot { schema_version: 1, entries: entries.into_iter().collect() };
    let type_url = "type.googleapis.com/snapshot.v1.ControllerSetSnapshot".to_owned();
    let snapshot = Snapshot::from_any(&Any { type_url, value: message.encode_to_vec() }).unwrap();
    let error = Incoming::from(snapshot).import::<ControllerSet>().unwrap_err();
    let line = |line: &str| line.split(" (byte").next().unwrap_or_default().to_owned();
    error.to_string().lines().map(line).collect()
}

#[test]
fn what_is_wrong_with_members_is_told_by_their_ids() {
    let unknown = Some(Any { type_url: "type.googleapis.com/no.Such".to_owned(), value: vec![] });
    let set = "snapshot.v1.ControllerSetSnapshot.entries";
    assert_eq!(
        refusal([
            entry("net", &[], payload::<Net>(0, &[0x48, 0x01])),
            entry("stranger", &[], unknown),
            entry("nothing", &[], None),
            entry("", &[], payload::<Net>(0, &[])),
            entry(".", &[], payload::<Net>(0, &[])),
            entry("good", &[], payload::<Net>(0, &[])),
            entry("good", &[], payload::<Net>(0, &[])),
            entry("dead", &[], payload::<Disk>(DEAD, &[])),
        ]),
        [
            "net: test.NetSnapshot: unknown field 9".to_owned(),
            format!(
                ".: {set}[\"stranger\"].controller: no controller is registered for type URL \
                 \"type.googleapis.com/no.Such\""
            ),
            format!(".: {set}[\"nothing\"].controller: is missing"),
            format!(".: {set}.id: has no id"),
            format!(".: {set}[\".\"].id: is the id of the root: give the member another id"),
            format!(".: {set}[\"good\"]: occurs twice"),
            "dead: test.DiskSnapshot: is in stage Dead, but can be saved only in Running or Stopped"
                .to_owned(),
        ]
    );
}

#[test]
fn members_that_no_set_would_write_in_this_order_are_refused() {
    let net = |id: &str| entry(id, &[], payload::<Net>(0, &[]));
    assert_eq!(
        refusal([net("b"), net("a")]),
        [
            ".: snapshot.v1.ControllerSetSnapshot.entries[\"a\"]: comes after \"b\", but the members \
          of a set are written in ascending order of their ids"
        ]
    );
}

#[test]
fn members_that_wait_for_each_other_or_for_nobody_are_refused_at_once() {
    let net = || payload::<Net>(0, &[]);
    assert_eq!(
        refusal([
            entry("a", &["b"], net()),
            entry("b", &["c"], net()),
            entry("c", &["a"], net()),
            entry("d", &["a"], net()),
            entry("e", &["gone"], net()),
            entry("f", &["f"], net()),
        ]),
        [
            "e: comes after \"gone\", which is not in the set",
            "f: comes after itself",
            "a: comes after b, which comes after c, which comes after a: remove one of the \
             `after`s",
        ]
    );
}
