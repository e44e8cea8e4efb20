//! Verdicts on manifests written by hand, with one change each.

use super::{Verdict, compatible};
use crate::schema::Manifest;
use crate::wire::v1::manifest::{Enum, Field, Message, Older, Payload, StageRules, Value};

fn field(number: u32, name: &str, kind: &str) -> Field {
    let (name, kind) = (name.to_owned(), kind.to_owned());
    Field { number, name, kind, ..Field::default() }
}

fn value(number: i32, name: &str) -> Value {
    Value { number, name: name.to_owned(), since: 0 }
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
        limits: None,
    }
}

/// Returns the verdict on a destination that differs from [`manifest`] by one change.
fn verdict(change: impl FnOnce(&mut Manifest)) -> Verdict {
    let mut destination = manifest();
    change(&mut destination);
    compatible(&manifest(), &destination).payloads.remove(0).verdict
}

#[track_caller]
fn differs(change: impl FnOnce(&mut Manifest), expected: &[(&str, &str)]) {
    match verdict(change) {
        Verdict::Differs { differences, .. } => {
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
fn a_change_that_breaks_a_restore_is_a_difference_with_its_place() {
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
        &[(
            "a.Leaf",
            "field 2 (stage) is a.Leaf.Stage at the source and a.Leaf at the destination",
        )],
    );
}

#[test]
fn every_difference_is_reported_once() {
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
        &[("t/a.Root", "stage Running may be saved only at the source")],
    );
    differs(
        |m| m.payloads[0].stage_rules.as_mut().unwrap().carried = false,
        &[("t/a.Root", "the stage is carried only at the source")],
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
            m.messages[1].fields.push(Field { since: 3, ..field(9, "new", "bool") });
        }),
        Verdict::ReadableAfterUpgrade { version: 2 }
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
        "the destination cannot restore t/a.Root: version 2, but the destination reads 1\n\
         the destination cannot restore t/b.Other: no controller is registered for it"
    );
    assert_eq!(
        report.to_string(),
        "t/a.Root: version 2, but the destination reads 1\nt/b.Other: no controller is registered \
         for it"
    );
}

/// A payload of version 3 that reads and writes all older versions: version 1 has its own message,
/// version 2 does not have one of the fields.
#[test]
fn the_text_of_a_peer_is_shown_escaped() {
    let mut peer = manifest();
    peer.payloads[0].type_url = "a\nERROR b".to_owned();
    peer.messages[0].fields[0].kind = "string\u{202e}\u{1b}[2J".to_owned();
    for report in [compatible(&peer, &manifest()), compatible(&manifest(), &peer)] {
        for payload in &report.payloads {
            let shown = payload.to_string();
            let hides = |c: char| c.is_control() || c == '\u{202e}';
            assert!(!shown.contains(hides), "{shown:?}");
        }
    }
    let verdict = verdict(|peer| peer.messages[0].fields[0].kind = "\u{1b}[2J".to_owned());
    assert!(verdict.to_string().contains("\\u{1b}[2J"), "{verdict}");
}

fn third() -> Manifest {
    let mut third = manifest();
    let payload = &mut third.payloads[0];
    payload.version = 3;
    payload.accepts = vec![1, 2, 3];
    payload.saves = vec![1, 2, 3];
    payload.older = vec![Older { version: 1, message: "a.First".to_owned(), ..Older::default() }];
    third.messages[1].fields.push(Field { since: 3, ..field(9, "newest", "a.Newest") });
    third.messages.push(Message {
        name: "a.First".to_owned(),
        fields: vec![field(1, "name", "string"), field(2, "sizes", "repeated uint64")],
    });
    third.messages.push(Message { name: "a.Newest".to_owned(), fields: vec![] });
    third
}

fn first() -> Manifest {
    let mut first = third();
    let payload = &mut first.payloads[0];
    payload.version = 1;
    (payload.accepts, payload.saves) = (vec![1], vec![1]);
    payload.message = std::mem::take(&mut payload.older[0].message);
    payload.older.clear();
    first
}

fn between(source: &Manifest, destination: &Manifest) -> Verdict {
    compatible(source, destination).payloads.remove(0).verdict
}

#[test]
fn an_older_version_is_compared_with_the_schema_that_the_destination_reads_it_by() {
    let upgraded = |version| Verdict::ReadableAfterUpgrade { version };
    assert_eq!(between(&first(), &third()), upgraded(1));
    assert_eq!(between(&manifest(), &third()), upgraded(2));

    let mut other = first();
    other.messages[2].fields[1].kind = "repeated string".to_owned();
    assert_eq!(
        compatible(&other, &third()).to_string(),
        "t/a.Root: version 1 is not the same on both sides; a.First: field 2 (sizes) is repeated \
         string at the source and repeated uint64 at the destination"
    );
    let mut early = third();
    early.messages[1].fields[4].since = 2;
    assert_eq!(
        compatible(&manifest(), &early).to_string(),
        "t/a.Root: version 2 is not the same on both sides; a.Root: only the destination has field \
         9 (newest)"
    );
}

#[test]
fn a_source_writes_the_newest_version_that_the_destination_reads() {
    assert_eq!(between(&third(), &first()), Verdict::WritableAs { version: 1 });
    assert_eq!(between(&third(), &manifest()), Verdict::WritableAs { version: 2 });
    let mut both = manifest();
    both.payloads[0].accepts = vec![1, 2];
    both.payloads[0].older =
        vec![Older { version: 1, message: "a.Leaf".to_owned(), ..Older::default() }];
    assert_eq!(between(&third(), &both), Verdict::WritableAs { version: 2 });
    // Version 2 is another thing there, version 1 is the same.
    both.messages.push(third().messages[2].clone());
    both.payloads[0].older[0].message = "a.First".to_owned();
    both.messages[1].fields.pop();
    assert_eq!(between(&third(), &both), Verdict::WritableAs { version: 1 });

    let mut newest_only = third();
    newest_only.payloads[0].saves = vec![3];
    assert_eq!(
        between(&newest_only, &manifest()),
        Verdict::VersionNotAccepted { version: 3, accepts: vec![2] }
    );
    let mut other = manifest();
    other.messages[1].fields.pop();
    match between(&third(), &other) {
        Verdict::Differs { version: 2, differences } => assert_eq!(differences.len(), 1),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_name_with_another_number_has_moved_even_if_the_wire_types_agree() {
    let mut source = manifest();
    source.messages[0].fields.push(field(4, "count", "uint32"));
    let mut destination = source.clone();
    destination.messages[0].fields[0].name = "count".to_owned();
    destination.messages[0].fields[3].name = "size".to_owned();
    let Verdict::Differs { differences, .. } = between(&source, &destination) else { panic!() };
    let moved: Vec<_> = differences
        .iter()
        .filter_map(|d| d.field.as_ref())
        .map(|f| (f.name.as_str(), f.source, f.destination))
        .collect();
    assert_eq!(moved, [("size", Some(1), Some(4)), ("count", Some(4), Some(1))]);

    differs(
        |m| m.enums[0].values = vec![value(0, "OLD"), value(1, "NEW")],
        &[
            ("a.Leaf.Stage", "value NEW is 0 at the source and 1 at the destination"),
            ("a.Leaf.Stage", "value OLD is 1 at the source and 0 at the destination"),
        ],
    );
}

#[test]
fn the_members_of_a_oneof_matter_and_its_name_does_not() {
    let member = |number, name: &str, oneof: &str| Field {
        oneof: oneof.to_owned(),
        ..field(number, name, "bool")
    };
    let with = |oneofs: [&str; 2]| {
        let mut manifest = manifest();
        manifest.messages[1].fields[3].oneof = oneofs[0].to_owned();
        manifest.messages[1].fields.push(member(5, "two", oneofs[1]));
        manifest
    };
    assert_eq!(between(&with(["a", "a"]), &with(["b", "b"])), Verdict::Readable);
    assert_eq!(between(&with(["a", "b"]), &with(["b", "a"])), Verdict::Readable);
    for [from, to] in [[["a", "a"], ["a", "b"]], [["a", "b"], ["a", "a"]]] {
        assert!(matches!(between(&with(from), &with(to)), Verdict::Differs { .. }), "{from:?}");
    }
}

#[test]
fn a_peer_with_very_many_fields_and_values_gets_a_fast_answer() {
    const COUNT: i32 = 60_000;
    let large = |prefix: &str| {
        let mut large = manifest();
        large.enums[0].values.extend((2..COUNT).map(|n| value(n, &format!("{prefix}{n}"))));
        let fields = (5..COUNT as u32).map(|n| field(n, &format!("f{n}"), "uint32"));
        large.messages[1].fields.extend(fields);
        large
    };
    // Every value has another name. By comparing each with each this would take minutes.
    let report = compatible(&large("A"), &large("B"));
    assert_eq!(report.payloads[0].verdict, Verdict::Readable);
    let report = compatible(&large("A"), &manifest());
    let Verdict::Differs { differences, .. } = &report.payloads[0].verdict else {
        panic!("{report}");
    };
    assert_eq!(differences.len() as i32, COUNT - 2 + COUNT - 5);
}
