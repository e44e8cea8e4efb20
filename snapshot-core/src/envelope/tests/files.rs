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
        format!("{}: already exists: choose another name, or allow replacing it", path.display());
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
    assert_eq!(error.code(), Code::FailedPrecondition, "{error}");
    assert!(error.to_string().ends_with("name a file in it"), "{error}");
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

#[test]
fn other_bytes_are_written_by_the_same_rules() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.manifest");
    WriteOptions::new().write_bytes_to_path(b"first", &path).unwrap();
    let error = WriteOptions::new().write_bytes_to_path(b"second", &path).unwrap_err();
    assert!(error.to_string().contains("already exists"), "{error}");
    WriteOptions::new().replace(true).write_bytes_to_path(b"second", &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"second");
}

#[test]
fn a_name_as_long_as_a_name_can_be_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n".repeat(255));
    snapshot().write_to_path(&path).unwrap();
    assert_eq!(Snapshot::read_from_path(&path).unwrap(), snapshot());
    let error = snapshot().write_to_path(folder.path().join("n".repeat(256))).unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition, "{error}");
}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::Read;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    fn replacing() -> WriteOptions {
        WriteOptions::new().replace(true)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_replaced_file_keeps_its_mode_and_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.snapshot");
        for bits in [0o600, 0o640, 0o644, 0o666] {
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
            let old = fs::metadata(&path).unwrap();
            replacing().write_to_path(&snapshot(), &path).unwrap();
            let new = fs::metadata(&path).unwrap();
            assert_eq!(mode(&path), bits);
            assert_eq!((new.uid(), new.gid()), (old.uid(), old.gid()));
            assert_ne!(new.ino(), old.ino(), "replaced, not overwritten");
        }
    }

    #[test]
    fn a_link_stays_and_the_file_that_it_leads_to_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let real = elsewhere.path().join("real");
        fs::write(&real, "old").unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        symlink(&real, &first).unwrap();
        symlink("first", &second).unwrap();
        let error = snapshot().write_to_path(&second).unwrap_err();
        assert!(error.to_string().contains("already exists"), "{error}");
        assert_eq!(fs::read(&real).unwrap(), b"old");

        replacing().write_to_path(&snapshot(), &second).unwrap();
        assert_eq!(fs::read_link(&second).unwrap(), Path::new("first"));
        assert_eq!(fs::read_link(&first).unwrap(), real);
        assert_eq!(Snapshot::read_from_path(&real).unwrap(), snapshot());
        assert_eq!(names(elsewhere.path()), ["real"]);
        assert_eq!(names(folder.path()), ["first", "second"]);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_refused_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let (dangling, circle) = (folder.path().join("dangling"), folder.path().join("circle"));
        symlink("missing", &dangling).unwrap();
        symlink("circle", &circle).unwrap();
        for (path, reason) in [
            (&dangling, "a link to a file that does not exist"),
            (&circle, "the link cannot be followed"),
        ] {
            let error = replacing().write_to_path(&snapshot(), path).unwrap_err();
            assert_eq!(error.code(), Code::FailedPrecondition, "{error}");
            assert!(error.to_string().contains(reason), "{error}");
        }
        assert_eq!(names(folder.path()), ["circle", "dangling"]);
    }

    #[test]
    fn a_socket_gets_the_bytes_and_stays_a_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            listener.accept().unwrap().0.read_to_end(&mut bytes).unwrap();
            bytes
        });
        snapshot().write_to_path(&path).unwrap();
        assert_eq!(reader.join().unwrap(), snapshot().as_bytes());
        assert_eq!(names(folder.path()), ["socket"]);
    }

    #[test]
    fn a_folder_that_cannot_be_opened_is_an_error_before_there_is_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let drop_box = folder.path().join("drop");
        fs::create_dir(&drop_box).unwrap();
        fs::set_permissions(&drop_box, fs::Permissions::from_mode(0o300)).unwrap();
        let is_root = File::open(&drop_box).is_ok();
        let written = snapshot().write_to_path(drop_box.join("a"));
        fs::set_permissions(&drop_box, fs::Permissions::from_mode(0o700)).unwrap();
        if is_root {
            // For root every folder can be opened.
            written.unwrap();
            return;
        }
        let error = written.unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert!(error.to_string().contains("its folder cannot be opened"), "{error}");
        assert!(names(&drop_box).is_empty());
    }

    #[test]
    fn a_read_only_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        let is_root = fs::OpenOptions::new().write(true).open(&path).is_ok();
        let written = replacing().write_to_path(&snapshot(), &path);
        match is_root {
            true => written.unwrap(),
            false => {
                assert_eq!(written.unwrap_err().code(), Code::FailedPrecondition);
                assert_eq!(fs::read(&path).unwrap(), b"old");
            }
        }
        assert_eq!(mode(&path), 0o444);
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_open_descriptor_is_written_into_and_its_file_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut open = File::create(&path).unwrap();
        open.write_all(b"before ").unwrap();
        let link = folder.path().join("out");
        symlink(format!("/proc/self/fd/{}", open.as_raw_fd()), &link).unwrap();
        let inode = open.metadata().unwrap().ino();
        for options in [WriteOptions::new(), replacing()] {
            options.write_to_path(&snapshot(), &link).unwrap();
        }
        let expected = [b"before ", snapshot().as_bytes(), snapshot().as_bytes()].concat();
        assert_eq!(fs::read(&path).unwrap(), expected);
        assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[cfg(target_os = "linux")]
    fn pipe(path: &Path) {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_gets_the_bytes_and_stays_a_pipe() {
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        pipe(&path);
        for options in [WriteOptions::new(), replacing()] {
            let name = path.clone();
            let reader = std::thread::spawn(move || fs::read(name).unwrap());
            options.write_to_path(&snapshot(), &path).unwrap();
            assert_eq!(reader.join().unwrap(), snapshot().as_bytes());
        }
        assert!(fs::symlink_metadata(&path).unwrap().file_type().is_fifo());
        assert_eq!(names(folder.path()), ["pipe"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_that_nobody_reads_is_an_error_and_not_a_wait_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        pipe(&path);
        let error = replacing().write_to_path(&snapshot(), &path).unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        assert!(error.to_string().contains("no process reads the pipe"), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_disk_that_is_full_is_an_error_and_leaves_the_device() {
        if rustix::process::geteuid().is_root() {
            // A wrong implementation could replace the device.
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("full");
        symlink("/dev/full", &link).unwrap();
        let error = replacing().write_to_path(&snapshot(), &link).unwrap_err();
        assert_eq!(error.code(), Code::Internal, "{error}");
        assert!(error.to_string().contains("cannot be written"), "{error}");
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("/dev/full"));
        assert_eq!(names(folder.path()), ["full"]);
    }
}
