//! Verdicts on hand-made manifests: one change each.

use super::{Manifest, Verdict, compatible};
use crate::wire::v1::manifest::{Enum, Field, Message, Payload, StageRules, Value};

fn field(number: u32, name: &str, kind: &str) -> Field {
    let (name, kind) = (name.to_owned(), kind.to_owned());
    Field { number, name, kind, ..Field::default() }
}

fn value(number: i32, name: &str) -> Value {
    Value { number, name: name.to_owned() }
}

fn manifest() -> Manifest {
    Manifest {
        payloads: vec![Payload {
            type_url: "t/a.Root".to_owned(),
            version: 2,
            accepts: vec![2],
            message: "a.Root".to_owned(),
            stage_rules: Some(StageRules {
                save_from: vec!["Running".to_owned()],
                carried: true,
                ..StageRules::default()
            }),
            ..Payload::default()
        }],
        messages: vec![
            Message {
                name: "a.Leaf".to_owned(),
                fields: vec![
                    field(1, "size", "uint32"),
                    field(2, "stage", "a.Leaf.Stage"),
                    // Recursive.
                    field(3, "next", "a.Leaf"),
                ],
            },
            Message {
                name: "a.Root".to_owned(),
                fields: vec![
                    field(1, "name", "string"),
                    field(2, "leaves", "map<uint32, a.Leaf>"),
                    field(3, "tags", "repeated string"),
                    Field { oneof: "choice".to_owned(), ..field(4, "one", "bool") },
                ],
            },
        ],
        enums: vec![Enum {
            name: "a.Leaf.Stage".to_owned(),
            values: vec![value(0, "NEW"), value(1, "OLD")],
        }],
    }
}

/// The verdict on a destination that differs from [`manifest`] by a change.
fn verdict(change: impl FnOnce(&mut Manifest)) -> Verdict {
    let mut destination = manifest();
    change(&mut destination);
    compatible(&manifest(), &destination).payloads.remove(0).verdict
}

#[track_caller]
fn differs(change: impl FnOnce(&mut Manifest), expected: &[(&str, &str)]) {
    match verdict(change) {
        Verdict::Differs(differences) => {
            let found: Vec<_> =
                differences.iter().map(|d| (d.place.as_str(), d.reason.as_str())).collect();
            assert_eq!(found, expected);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_manifest_is_the_same_as_itself_in_any_order() {
    assert_eq!(verdict(|_| {}), Verdict::Same);
    assert_eq!(
        verdict(|m| {
            m.messages.reverse();
            m.messages.iter_mut().for_each(|message| message.fields.reverse());
        }),
        Verdict::Same
    );
    assert!(compatible(&manifest(), &manifest()).is_compatible());
}

#[test]
fn names_are_not_on_the_wire() {
    let readable = [
        verdict(|m| m.messages[1].fields[0].name = "title".to_owned()),
        verdict(|m| m.enums[0].values[1].name = "ANCIENT".to_owned()),
        verdict(|m| m.enums[0].values.push(value(2, "NEWEST"))),
        verdict(|m| {
            m.messages[0].name = "b.Leaf".to_owned();
            m.messages[0].fields[2].kind = "b.Leaf".to_owned();
            m.messages[1].fields[1].kind = "map<uint32, b.Leaf>".to_owned();
        }),
    ];
    for verdict in readable {
        assert_eq!(verdict, Verdict::Readable);
    }
}

#[test]
fn what_the_destination_would_refuse_or_miss_is_a_difference_at_its_place() {
    differs(
        |m| drop(m.messages[1].fields.remove(2)),
        &[("a.Root", "only the source has field 3 (tags)")],
    );
    differs(
        |m| m.messages[0].fields.push(field(9, "new", "bool")),
        &[("a.Leaf", "only the destination has field 9 (new)")],
    );
    let kind_of_size = "field 1 (size) is uint32 at the source and int32 at the destination";
    differs(|m| m.messages[0].fields[0].kind = "int32".to_owned(), &[("a.Leaf", kind_of_size)]);
    differs(
        |m| m.messages[1].fields[2].kind = "string".to_owned(),
        &[(
            "a.Root",
            "field 3 (tags) is repeated string at the source and string at the destination",
        )],
    );
    differs(
        |m| m.messages[1].fields[3].oneof.clear(),
        &[(
            "a.Root",
            "field 4 (one) is bool in oneof choice at the source and bool at the destination",
        )],
    );
    differs(
        |m| drop(m.enums[0].values.pop()),
        &[("a.Leaf.Stage", "only the source has value 1 (OLD)")],
    );
    differs(
        |m| m.messages[0].fields[1].kind = "a.Leaf".to_owned(),
        &[("a.Leaf.Stage", "is a.Leaf at the destination")],
    );
}

#[test]
fn every_difference_is_told_once() {
    differs(
        |m| {
            m.messages[0].fields.clear();
            m.messages[1].fields[0].kind = "bytes".to_owned();
        },
        &[
            ("a.Root", "field 1 (name) is string at the source and bytes at the destination"),
            ("a.Leaf", "only the source has field 1 (size)"),
            ("a.Leaf", "only the source has field 2 (stage)"),
            ("a.Leaf", "only the source has field 3 (next)"),
        ],
    );
}

#[test]
fn a_stage_that_only_the_source_saves_is_a_difference() {
    differs(
        |m| {
            let rules = m.payloads[0].stage_rules.as_mut().unwrap();
            rules.save_from = vec!["Stopped".to_owned()];
        },
        &[("t/a.Root", "only the source can be saved in stage Running")],
    );
    differs(
        |m| m.payloads[0].stage_rules.as_mut().unwrap().carried = false,
        &[("t/a.Root", "the stage travels only for the source")],
    );
}

#[test]
fn versions_decide_before_fields() {
    assert_eq!(verdict(|m| m.payloads.clear()), Verdict::Missing);
    assert_eq!(
        verdict(|m| {
            m.payloads[0].version = 3;
            m.payloads[0].accepts = vec![3];
            m.messages.clear();
        }),
        Verdict::VersionNotAccepted { version: 2, accepts: vec![3] }
    );
    assert_eq!(
        verdict(|m| {
            m.payloads[0].version = 3;
            m.payloads[0].accepts = vec![2, 3];
            m.messages.clear();
        }),
        Verdict::Readable
    );
}

#[test]
fn the_check_names_every_payload_that_cannot_be_restored() {
    let mut source = manifest();
    let other = Payload { type_url: "t/b.Other".to_owned(), ..source.payloads[0].clone() };
    source.payloads.push(other);
    let mut destination = manifest();
    destination.payloads[0].version = 1;
    destination.payloads[0].accepts = vec![1];
    let report = compatible(&source, &destination);
    assert!(!report.is_compatible());
    assert_eq!(
        report.check().unwrap_err().to_string(),
        "the destination cannot restore t/a.Root: version 2, it reads 1\n\
         the destination cannot restore t/b.Other: it has no controller for it"
    );
    assert_eq!(
        report.to_string(),
        "t/a.Root: version 2, it reads 1\nt/b.Other: it has no controller for it"
    );
}
