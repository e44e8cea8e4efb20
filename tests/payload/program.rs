//! Runs the example.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| crate::example_binary::build("payload"))
}

/// A finished run.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the example to its end.
pub(crate) fn run<S: AsRef<OsStr>>(args: impl Iterator<Item = S>) -> Ended {
    let Output { status, stdout, stderr } = Command::new(binary()).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ended { code: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) }
}
