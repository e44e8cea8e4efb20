//! Files: whole or not at all, and never over an existing one unless asked.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::super::{Snapshot, WriteOptions};
#[cfg(feature = "zstd")]
use super::any;
use super::snapshot;
use crate::Code;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_holds_what_was_written_and_nothing_is_left_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.snapshot");
    snapshot().write_to_path(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), snapshot().as_bytes());
    assert_eq!(Snapshot::read_from_path(&path).unwrap(), snapshot());
    assert_eq!(names(folder.path()), ["a.snapshot"]);
}

#[test]
fn an_existing_file_is_replaced_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.snapshot");
    fs::write(&path, "precious").unwrap();
    let error = snapshot().write_to_path(&path).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    let told =
        format!("{}: exists already: choose another name, or ask to replace it", path.display());
    assert_eq!(error.to_string(), told);
    assert_eq!(fs::read(&path).unwrap(), b"precious");

    WriteOptions::new().replace(true).write_to_path(&snapshot(), &path).unwrap();
    assert_eq!(Snapshot::read_from_path(&path).unwrap(), snapshot());
    assert_eq!(names(folder.path()), ["a.snapshot"]);
}

#[test]
fn of_two_writers_of_one_name_one_wins_and_the_other_hears_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.snapshot");
    let results: Vec<_> = std::thread::scope(|scope| {
        let writers: Vec<_> =
            (0..8).map(|_| scope.spawn(|| snapshot().write_to_path(&path))).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert_eq!(names(folder.path()), ["a.snapshot"]);
}

#[test]
fn a_path_that_cannot_be_written_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing/a.snapshot");
    let error = snapshot().write_to_path(&missing).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert!(error.to_string().starts_with(&missing.display().to_string()), "{error}");
    let error = snapshot().write_to_path("/").unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition, "{error}");
    // A folder cannot be replaced by a file.
    let sub = folder.path().join("sub");
    fs::create_dir(&sub).unwrap();
    let error = WriteOptions::new().replace(true).write_to_path(&snapshot(), &sub).unwrap_err();
    assert_eq!(error.code(), Code::Internal, "{error}");
    assert_eq!(names(folder.path()), ["sub"]);
    let error = Snapshot::read_from_path(&missing).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition, "{error}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.snapshot");
    snapshot().write_to_path(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_name_alone_is_a_file_in_the_current_folder() {
    // Not by changing into a folder, which the other tests share.
    let name = format!("name-alone-{}.snapshot", std::process::id());
    snapshot().write_to_path(&name).unwrap();
    let read = Snapshot::read_from_path(&name);
    fs::remove_file(&name).unwrap();
    assert_eq!(read.unwrap(), snapshot());
}

struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stream_that_fails_is_told() {
    let mut stream = Vec::new();
    snapshot().write_to(&mut stream).unwrap();
    assert_eq!(stream, snapshot().as_bytes());
    let error = snapshot().write_to(Full).unwrap_err();
    assert!(error.to_string().starts_with("the snapshot cannot be written: "), "{error}");
}

#[cfg(feature = "zstd")]
#[test]
fn a_compressed_file_is_smaller_and_reads_the_same() {
    let any = prost_types::Any { value: b"much of the same ".repeat(1000), ..any() };
    let snapshot = Snapshot::from_any(&any).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for level in [i32::MIN, 1, 19, 22] {
        let path = folder.path().join(format!("{level}.snapshot"));
        let options = WriteOptions::new().zstd(level);
        options.write_to_path(&snapshot, &path).unwrap();
        assert!(fs::metadata(&path).unwrap().len() < 1000);
        assert_eq!(Snapshot::read_from_path(&path).unwrap(), snapshot);
        let mut stream = Vec::new();
        options.write_to(&snapshot, &mut stream).unwrap();
        assert_eq!(stream, options.to_bytes(&snapshot).unwrap());
        assert_eq!(stream, fs::read(&path).unwrap());
    }
}
