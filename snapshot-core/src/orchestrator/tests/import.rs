//! Verifying a snapshot: everything that is wrong at once, before anything is built.

use prost::Message;
use prost_types::Any;

use super::*;
use crate::{Code, Error, Incoming, Snapshot};

/// A payload by its prost message, valid if nothing is changed.
fn message(name: &str, children: impl IntoIterator<Item = Any>) -> BoxSnapshot {
    let (name, children) = (name.to_owned(), children.into_iter().collect());
    BoxSnapshot { schema_version: 1, name, stage: RUNNING, children }
}

/// All sorts have the same fields.
fn any<S: Sort>(message: &BoxSnapshot) -> Any {
    Any { type_url: S::TYPE_URL.to_owned(), value: message.encode_to_vec() }
}

pub(super) fn good<S: Sort>(name: &str) -> Any {
    any::<S>(&message(name, []))
}

fn incoming(root: Any) -> Incoming {
    Incoming::from(Snapshot::from_any(&root).unwrap())
}

pub(super) fn root(children: impl IntoIterator<Item = Any>) -> Incoming {
    incoming(any::<Box_>(&message("root", children)))
}

/// The findings of an import that fails, each as a line without its place in the bytes.
fn refusal(incoming: Incoming) -> Vec<String> {
    let checked = incoming.check::<Thing<Box_>>().map(drop).map_err(|error| error.to_string());
    let previewed = incoming.preview().map(drop).map_err(|error| error.to_string());
    let error = incoming.import::<Thing<Box_>>().unwrap_err();
    assert_eq!(checked.unwrap_err(), error.to_string());
    assert_eq!(previewed.unwrap_err(), error.to_string());
    lines(&error)
}

fn lines(error: &Error) -> Vec<String> {
    let line = |line: &str| line.split(" (byte").next().unwrap_or_default().to_owned();
    error.to_string().lines().map(line).collect()
}

#[test]
fn everything_that_is_wrong_within_payloads_is_told_at_once_each_once() {
    let mut unknown_field = good::<Disk>("unknown field");
    unknown_field.value.extend([0x48, 0x01]);
    let mut cut_off = good::<Disk>("cut off");
    cut_off.value.truncate(5);
    let old = any::<Disk>(&BoxSnapshot { schema_version: 7, ..message("old", []) });
    let dead = any::<Disk>(&BoxSnapshot { stage: DEAD, ..message("dead", []) });
    let frozen = any::<Disk>(&BoxSnapshot { stage: FROZEN, ..message("frozen", []) });
    let stranger = Any { type_url: "type.googleapis.com/no.Such".to_owned(), value: Vec::new() };
    let outer = any::<Box_>(&message("outer", [unknown_field.clone(), good::<Disk>("fine")]));
    let errors = refusal(root([outer, old, dead, frozen, stranger, unknown_field, cut_off]));
    assert_eq!(
        errors,
        [
            "children/outer/children/unknown field: test.DiskSnapshot: unknown field 9",
            "children/1: test.DiskSnapshot.schema_version: schema version 7, but this build reads \
             version 1",
            "children/dead: test.DiskSnapshot: is in stage Dead, but can be saved only in Running \
             or Stopped",
            "children/frozen: test.DiskSnapshot: is in stage Frozen, but can be saved only in \
             Running or Stopped",
            ".: test.BoxSnapshot.children[4]: no controller is registered for type URL \
             \"type.googleapis.com/no.Such\"",
            "children/unknown field: test.DiskSnapshot: unknown field 9",
            "children/6: test.DiskSnapshot.name: needs 7 bytes, but has 1 left",
        ]
    );
}

#[test]
fn everything_that_is_wrong_among_controllers_is_told_at_once_each_once() {
    let dead = any::<Disk>(&BoxSnapshot { stage: DEAD, ..message("dead", []) });
    let job = any::<Job>(&message("job", [good::<Disk>("inner")]));
    let twins = ["twin", "twin", "other", "twin"].map(good::<Disk>);
    let errors = refusal(root(twins.into_iter().chain([dead, job])));
    assert_eq!(
        errors,
        [
            "children/dead: is in stage Dead, but can be saved only in Running or Stopped",
            "children/twin: 3 controllers have this id: give each its own name",
            "children/job: comes after children/job/children/inner, which cannot come before it: \
             remove Thing<Disk> from the `after` of its type",
        ]
    );
}

#[test]
fn what_is_wrong_within_payloads_and_among_the_others_is_told_at_once() {
    let mut unknown_field = good::<Disk>("unknown field");
    unknown_field.value.extend([0x48, 0x01]);
    let dead = any::<Disk>(&BoxSnapshot { stage: DEAD, ..message("dead", []) });
    let job = any::<Job>(&message("job", [good::<Disk>("inner")]));
    let bad_job = any::<Job>(&message("bad job", [unknown_field.clone()]));
    let twins = ["twin", "twin"].map(good::<Disk>);
    let errors = refusal(root(twins.into_iter().chain([unknown_field, dead, job, bad_job])));
    assert_eq!(
        errors,
        [
            "children/unknown field: test.DiskSnapshot: unknown field 9",
            "children/dead: test.DiskSnapshot: is in stage Dead, but can be saved only in Running \
             or Stopped",
            "children/bad job/children/unknown field: test.DiskSnapshot: unknown field 9",
            "children/twin: 2 controllers have this id: give each its own name",
            "children/job: comes after children/job/children/inner, which cannot come before it: \
             remove Thing<Disk> from the `after` of its type",
        ]
    );
}

#[test]
fn a_root_of_another_type_is_refused() {
    let error = incoming(good::<Disk>("disk")).import::<Thing<Box_>>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "has type URL \"type.googleapis.com/test.DiskSnapshot\", expected \
         \"type.googleapis.com/test.BoxSnapshot\""
    );
}

#[test]
fn nothing_is_built_before_everything_is_verified() {
    // The first child would refuse to be built; the second is not even readable.
    let mut bad = good::<Disk>("bad");
    bad.value.extend([0x48, 0x01]);
    let errors = refusal(root([good::<Disk>("unfit"), bad]));
    assert_eq!(errors, ["children/bad: test.DiskSnapshot: unknown field 9"]);
}

#[test]
fn offsets_are_those_of_the_bytes_that_arrived() {
    let mut bad = good::<Disk>("bad");
    bad.value.extend([0x48, 0x01]);
    let incoming = root([bad]);
    let error = incoming.check::<Thing<Box_>>().unwrap_err();
    let bytes = incoming.snapshot().as_bytes();
    // The unknown field is the last thing in the snapshot: a tag and a value of one byte each.
    assert_eq!(error.first().offset(), Some(bytes.len() - 1));
    assert!(
        error.to_string().ends_with(
            &format!("(byte {} of {0})", bytes.len() - 1)
                .replace(&format!("of {}", bytes.len() - 1), &format!("of {}", bytes.len()))
        )
    );
}

#[test]
fn a_preview_lists_every_controller_with_its_version_and_stage() {
    let stopped = any::<Disk>(&BoxSnapshot { stage: STOPPED, ..message("disk", []) });
    let incoming = root([stopped, good::<Net>("net")]);
    let preview = incoming.preview().unwrap();
    assert_eq!(
        preview.to_string(),
        format!(
            "3 controllers, {} bytes\n\
             .: type.googleapis.com/test.BoxSnapshot version 1, Running\n\
             children/disk: type.googleapis.com/test.DiskSnapshot version 1, Stopped\n\
             children/net: type.googleapis.com/test.NetSnapshot version 1",
            incoming.snapshot().payload().len()
        )
    );
    assert_eq!(preview.type_url, Box_::TYPE_URL);
    incoming.import::<Thing<Box_>>().unwrap().abort();
}

#[test]
fn no_truncation_and_no_changed_byte_of_a_snapshot_is_taken() {
    let incoming = root([good::<Disk>("disk"), good::<Net>("net")]);
    let bytes = incoming.snapshot().as_bytes();
    for length in 0..bytes.len() {
        let error = Incoming::open(bytes[..length].to_vec()).unwrap_err();
        assert_eq!(error.code(), Code::DataLoss, "{length}: {error}");
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1 << bit;
            assert!(Incoming::open(changed).is_err(), "bit {bit} of byte {at}");
        }
    }
}
