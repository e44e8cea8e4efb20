//! The program of an example, for the tests that run it.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Builds the example of this name. `cargo test` builds it only as a test, so cargo is asked for the
/// program; this does nothing if the program is up to date. It builds within the whole workspace, so
/// that the dependencies have the same features as those of the tests.
pub(crate) fn build(name: &str) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--example", name])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("--workspace")
        .stderr(Stdio::inherit());
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let Output { status, stdout, .. } = cargo.output().unwrap();
    assert!(status.success(), "the example does not build");
    let messages = serde_json::Deserializer::from_slice(&stdout).into_iter();
    let built = messages.map(Result::unwrap).find_map(|message: serde_json::Value| {
        let is_it = message["target"]["name"] == name;
        message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
    });
    built.expect("cargo names the binary that it has built")
}
