//! What `derive(Schema)` says about types that it cannot describe.

use std::path::Path;
use std::process::Command;

/// The folder with the cases and, beside each, what the compiler says about it.
const CASES: &str = "ui/schema";

#[test]
fn every_mistake_is_told_where_it_is() {
    if !is_the_compiler_of_the_expected_messages() {
        println!("skipped: the messages are those of rustc {}", env!("CARGO_PKG_RUST_VERSION"));
        return;
    }
    trybuild::TestCases::new().compile_fail(format!("{CASES}/*.rs"));
}

#[test]
fn every_expected_message_belongs_to_a_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(CASES);
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        assert!(path.with_extension("rs").exists(), "{} has no case", path.display());
        assert!(path.with_extension("stderr").exists(), "{} expects nothing", path.display());
    }
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
