//! The tool in another program: it has the name, the version and the texts of that program, and adds no
//! types and no C code.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;

use snapshot_cli::{Knowledge, Problem, Program};

const ACME: Program<'_> =
    Program { name: "acme-look", version: "7.8.9", about: "Look into the snapshots of acme." };

/// The text that the tool prints instead of running: its help, its version, an error.
fn said(words: &[&str]) -> String {
    let line = ["some/path/acme"].iter().chain(words);
    let ended = ACME.run(line, &Knowledge::default(), false, &mut Vec::new());
    ended.unwrap_err().to_string()
}

#[test]
fn the_help_the_version_and_the_errors_name_the_program() {
    assert_eq!(said(&["--version"]), "acme-look 7.8.9\n");
    let help = said(&["--help"]);
    assert!(help.starts_with("Look into the snapshots of acme."), "{help}");
    assert!(help.contains("Usage: acme-look "), "{help}");
    assert!(help.contains("  acme-look diff before.snapshot after.snapshot"), "{help}");
    assert!(help.contains("`-` is the standard input"), "{help}");
    assert!(said(&["inspekt"]).contains("Usage: acme-look"), "{}", said(&["inspekt"]));
    assert!(said(&["man", "--limit", "1"]).contains("--limit has no effect on `man`"));
}

#[test]
fn no_help_mentions_the_binary_or_its_types() {
    let commands = [
        &["--help"][..],
        &["-h"],
        &["inspect", "--help"],
        &["verify", "--help"],
        &["diff", "--help"],
        &["json", "--help"],
        &["from-json", "--help"],
        &["timeline", "--help"],
        &["schema", "--help"],
        &["schema", "show", "--help"],
        &["schema", "check", "--help"],
        &["schema", "diff", "--help"],
        &["completions", "--help"],
        &["man", "--help"],
    ];
    for words in commands {
        let help = said(words);
        for word in ["lcow", "LCOW", "hcsshim", "{program}", "  snapshot ", "live_migration"] {
            assert!(!help.contains(word), "{words:?}: {word}: {help}");
        }
    }
}

#[test]
fn completions_and_man_pages_name_the_program() {
    for words in [&["completions", "bash"][..], &["man"]] {
        let mut out = Vec::new();
        let line = ["acme"].iter().chain(words);
        ACME.run(line, &Knowledge::default(), false, &mut out).unwrap().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("acme-look") || text.contains("acme\\-look"), "{text}");
    }
}

#[test]
fn without_a_version_there_is_no_option_for_it() {
    let program = Program { version: "", ..ACME };
    let ended = program.run(["a", "--version"], &Knowledge::default(), false, &mut Vec::new());
    assert_eq!(ended.unwrap_err().exit_code(), 2);
}

#[test]
fn a_type_that_is_not_linked_is_still_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("any");
    std::fs::write(&file, b"\x0a\x03a/b\x12\x01x").unwrap();
    let line = ["acme".as_ref(), "inspect".as_ref(), file.as_os_str()];
    let mut out = Vec::new();
    ACME.run(line, &Knowledge::default(), false, &mut out).unwrap().unwrap();
    assert!(String::from_utf8(out).unwrap().contains("of an unknown type"));
    let missing = ["acme".as_ref(), "inspect".as_ref(), folder.path().as_os_str()];
    let ended = ACME.run(missing, &Knowledge::default(), false, &mut Vec::new()).unwrap();
    assert!(matches!(ended, Err(Problem::Error(_))), "{ended:?}");
}

#[test]
fn the_library_depends_on_neither_the_examples_nor_c_code() {
    let tree = |features: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["tree", "--offline", "--package", "snapshot-cli", "--edges", "normal,build"]);
        cargo.args(["--prefix", "none"]).args(features).current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let library = tree(&["--no-default-features"]);
    for name in ["snapshot-examples ", "snapshot-proto ", "oci-spec ", "zstd ", "zstd-sys ", "cc "]
    {
        assert!(!library.lines().any(|line| line.starts_with(name)), "{name}: {library}");
    }
    assert!(tree(&[]).contains("snapshot-examples "), "the binary has them");
}
