//! One expansion for each kind of type, compared with the committed text.
//!
//! `tests/expansions/KIND.rs` is a type as the user writes it, and `KIND.expanded.rs` beside it is its
//! expansion. After a change of the generated code, `SNAPSHOT_UPDATE_EXPANSIONS=1 cargo test -p
//! snapshot-derive expansion` writes these texts again; their diff shows what changes for users.

use std::fs;
use std::path::Path;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::{derive_snapshot, schema};

/// The formatted expansion of the type in `tests/expansions/KIND.rs`, which must be free of mistakes,
/// compared with the committed text.
#[track_caller]
fn assert_expansion(kind: &str, derive: fn(&DeriveInput) -> TokenStream) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expansions");
    let input = fs::read_to_string(folder.join(format!("{kind}.rs"))).unwrap();
    let input: DeriveInput = syn::parse_str(&input).unwrap();
    let expanded = derive(&input);
    assert!(!expanded.to_string().contains("compile_error"), "{kind}.rs has a mistake: {expanded}");
    let expanded = prettyplease::unparse(&syn::parse2(expanded).unwrap());
    let path = folder.join(format!("{kind}.expanded.rs"));
    if is_update() {
        fs::write(&path, &expanded).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    // A checkout may have other line ends.
    let committed = committed.replace("\r\n", "\n");
    if let Some((line, (new, old))) = first_difference(&expanded, &committed) {
        panic!(
            "{kind}.expanded.rs:{line} is `{}`, the derive now writes `{}`: if that is meant, run \
             `SNAPSHOT_UPDATE_EXPANSIONS=1 cargo test -p snapshot-derive expansion` and read the diff",
            old.trim(),
            new.trim()
        );
    }
}

fn is_update() -> bool {
    std::env::var_os("SNAPSHOT_UPDATE_EXPANSIONS").is_some_and(|value| value == "1")
}

/// The first line in which two texts differ, from 1, with both contents.
fn first_difference<'t>(a: &'t str, b: &'t str) -> Option<(usize, (&'t str, &'t str))> {
    let count = a.lines().count().max(b.lines().count());
    let lines = |text: &'t str| text.lines().chain(std::iter::repeat("")).take(count);
    (1..).zip(lines(a).zip(lines(b))).find(|(_, (a, b))| a != b)
}

#[test]
fn the_expansion_of_a_struct_is_the_committed_one() {
    assert_expansion("struct", derive_snapshot);
}

#[test]
fn the_expansion_of_a_versioned_payload_is_the_committed_one() {
    assert_expansion("payload", derive_snapshot);
}

#[test]
fn the_expansion_of_a_newtype_is_the_committed_one() {
    assert_expansion("newtype", derive_snapshot);
}

#[test]
fn the_expansion_of_a_stage_is_the_committed_one() {
    assert_expansion("stage", derive_snapshot);
}

#[test]
fn the_expansion_of_an_enumeration_is_the_committed_one() {
    assert_expansion("enumeration", derive_snapshot);
}

#[test]
fn the_expansion_of_a_oneof_is_the_committed_one() {
    assert_expansion("oneof", derive_snapshot);
}

#[test]
fn the_expansion_of_a_message_is_the_committed_one() {
    assert_expansion("message", schema::derive);
}

#[test]
fn every_committed_expansion_belongs_to_an_input() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expansions");
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let kind = name.strip_suffix(".rs").unwrap_or_else(|| panic!("{name} is no Rust file"));
        let twin = match kind.strip_suffix(".expanded") {
            Some(kind) => format!("{kind}.rs"),
            None => format!("{kind}.expanded.rs"),
        };
        // Another test may be about to write it.
        assert!(folder.join(&twin).exists() || is_update(), "{name} has no {twin} beside it");
    }
}

#[test]
fn the_first_difference_is_found_in_texts_of_any_length() {
    assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
    assert_eq!(first_difference("a\nb", "a\nc"), Some((2, ("b", "c"))));
    assert_eq!(first_difference("a\nb", "a"), Some((2, ("b", ""))));
    assert_eq!(first_difference("", "a"), Some((1, ("", "a"))));
}
