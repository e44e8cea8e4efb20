//! Checks that the reference of the hand-over has every message, mark and limit.

use std::fs;

use snapshot_docs::{Page, root};
use snapshot_handover::decision::Mark;

use crate::assert_none;

const PAGE: &str = "docs/reference/handover.md";

/// The names of the members of a oneof, or of the fields of a struct, in a block of a file.
fn block(path: &str, begin: &str, end: &str) -> String {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let block = text.split_once(begin).unwrap().1;
    block.split_once(end).unwrap().0.to_owned()
}

#[test]
fn every_message_is_in_the_reference() {
    let page = Page::read(PAGE).unwrap();
    let members = block("proto/snapshot/handover/v1/handover.proto", "oneof body {", "}");
    let messages: Vec<&str> =
        members.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(messages.len(), 13);
    let missing = messages.iter().filter(|name| !page.text.contains(&format!("\n| `{name}` |")));
    assert_none(&missing.map(|name| format!("{name} is not explained")).collect::<Vec<_>>());
}

#[test]
fn every_mark_is_in_the_reference() {
    let page = Page::read(PAGE).unwrap();
    let marks = [Mark::Begun, Mark::Given, Mark::Live, Mark::Aborted, Mark::Committed, Mark::Kept];
    let written = block("proto/snapshot/handover/v1/handover.proto", "enum Mark {", "}\n}");
    assert_eq!(written.matches("MARK_").count(), marks.len());
    let missing =
        marks.iter().filter(|mark| !page.text.contains(&format!("\n| `{}` |", mark.as_str())));
    assert_none(&missing.map(|mark| format!("{mark:?} is not explained")).collect::<Vec<_>>());
}

#[test]
fn every_limit_is_in_the_reference_with_its_default() {
    let page = Page::read(PAGE).unwrap();
    let defaults =
        block("snapshot-handover/src/frame/limits.rs", "        Self {\n", "        }\n");
    let mut missing = Vec::new();
    for line in defaults.lines() {
        let (name, value) = line.trim().trim_end_matches(',').split_once(": ").unwrap();
        let default = match value.strip_prefix("Duration::from_secs(") {
            Some(seconds) => format!("{} s", seconds.trim_end_matches(')')),
            None => "256 MiB".to_owned(),
        };
        if !page.text.contains(&format!("\n| `{name}` | {default} |")) {
            missing.push(format!("{name}, {default}, is not explained"));
        }
    }
    assert_none(&missing);
}
