//! Runs the built binary on files.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use futures_executor::block_on;
use snapshot_core::{Session, Snapshot, Source};
use snapshot_examples::lcow::{Sandbox, sample};
use tempfile::TempDir;

/// A finished run.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ended {
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// The output of a successful run.
    #[track_caller]
    pub(crate) fn fine(&self) -> &str {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{}", self.text());
        self.text()
    }
}

/// Runs the tool.
pub(crate) fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snapshot"));
    let Output { status, stdout, stderr } = command.args(args).output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert!(!stderr.contains("panicked"), "{stderr}");
    Ended { code: status.code().expect("not killed"), stdout, stderr }
}

/// A folder for the files of one test.
pub(crate) struct Files {
    folder: TempDir,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// A running sandbox of one pod and two containers, and its snapshot.
pub(crate) fn sandbox() -> (Arc<Sandbox>, Snapshot) {
    let sandbox = sample::sandbox(2).unwrap();
    let snapshot = save(&sandbox);
    (sandbox, snapshot)
}

/// Freezes a live sandbox, saves it, and rolls it back.
pub(crate) fn save(sandbox: &Arc<Sandbox>) -> Snapshot {
    block_on(async {
        let frozen = Source::new(sandbox).freeze(&Session::new()).await.unwrap();
        let snapshot = frozen.save().unwrap();
        frozen.rollback().await.unwrap();
        snapshot
    })
}

/// A payload as hcsshim sends it.
pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/hcsshim").join(name)
}

/// Every bare `Any` that hcsshim would send and accept.
pub(crate) fn goldens() -> Vec<PathBuf> {
    let table = std::fs::read_to_string(golden("expected.tsv")).unwrap();
    let rows = table.lines().map(|row| row.split('\t').collect::<Vec<_>>());
    let good = rows.filter(|row| row.len() > 3 && row[1] == "any" && row[3] == "same");
    good.map(|row| golden(&format!("{}.binpb", row[0]))).collect()
}
