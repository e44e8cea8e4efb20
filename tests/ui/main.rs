//! The compiler's messages for mistakes of users of the derives.
//!
//! A case under `fail/` or `schema/` must not compile, and the `.stderr` file next to it has the
//! compiler's message. A case under `pass/` must compile and run. After a change of a text,
//! `TRYBUILD=overwrite cargo test -p snapshot-ui-tests` rewrites the files: read each as the
//! user who made the mistake. `-- trybuild=NAME` runs the cases with this text in their path.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cases that must not compile: one folder for each kind of mistake, and the mistakes of prost types.
const FAIL: [&str; 2] = ["fail/*/*.rs", "schema/*.rs"];

/// Cases that must compile and run.
const PASS: &str = "pass/*.rs";

// trybuild compiles all cases at once only if none must pass, so these are two tests.
#[test]
fn every_mistake_is_reported_at_its_place() {
    if is_the_compiler_of_the_expected_messages() {
        let cases = trybuild::TestCases::new();
        for folder in FAIL {
            cases.compile_fail(folder);
        }
    } else {
        println!("skipped: the messages are those of rustc {}", env!("CARGO_PKG_RUST_VERSION"));
    }
}

#[test]
fn valid_cases_compile_and_run() {
    trybuild::TestCases::new().pass(PASS);
}

#[test]
fn every_expected_message_belongs_to_a_case() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["fail", "schema", "pass"] {
        collect(&root.join(folder), &mut files).unwrap();
    }
    for path in files {
        let place = path.display();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => {
                let passes = path.starts_with(root.join("pass"));
                let expects = path.with_extension("stderr").exists();
                assert_ne!(passes, expects, "{place} must expect something, or pass");
            }
            Some("stderr") => assert!(path.with_extension("rs").exists(), "{place} has no case"),
            _ => panic!("{place} is neither a case nor what one expects"),
        }
    }
}

/// The files in a folder and its subfolders.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// The wording of the compiler's own messages changes from release to release.
fn is_the_compiler_of_the_expected_messages() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = concat!("rustc ", env!("CARGO_PKG_RUST_VERSION"), ".");
    Command::new(rustc)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.stdout.starts_with(version.as_bytes()))
}
