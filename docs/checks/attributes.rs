//! Checks that the reference of the attributes has every attribute and no other.

use std::collections::BTreeSet;

use snapshot_docs::Page;

use crate::{assert_none, first_cell, spans};

#[test]
fn every_attribute_is_in_the_reference() {
    let derive = Page::read("snapshot-derive/src/snapshot.md").unwrap();
    let headings = derive.prose().filter_map(|(_, line)| line.strip_prefix("## "));
    let name = |span: String| {
        let end = span.find([' ', '(']).unwrap_or(span.len());
        span[..end].to_owned()
    };
    let described: BTreeSet<String> = headings.flat_map(spans).map(name).collect();
    let page = Page::read("docs/reference/attributes.md").unwrap();
    let (attributes, _) = page.text.split_once("## Elsewhere").unwrap();
    let listed: BTreeSet<String> = attributes.lines().filter_map(first_cell).map(name).collect();
    assert_eq!(listed, described);
}

#[test]
fn every_attribute_has_a_default_in_the_documentation() {
    let derive = Page::read("snapshot-derive/src/snapshot.md").unwrap();
    let silent: Vec<String> = derive
        .text
        .split("\n## ")
        .skip(1)
        .filter(|section| !section.contains("When not present") && !section.contains("- Required"))
        .filter_map(|section| section.lines().next().map(str::to_owned))
        .collect();
    assert_none(&silent);
}
