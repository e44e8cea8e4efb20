//! The target of a path. A file is written whole or not at all; the bytes for any other target are
//! written into it.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Code, Error};

/// Writes the pieces, one after the other, to the target of `path`.
///
/// # Errors
///
/// As [`WriteOptions::write_to_path`](super::WriteOptions::write_to_path).
pub(super) fn write(path: &Path, pieces: &[&[u8]], replace: bool) -> Result<(), Error> {
    match Target::of(path).map_err(|error| failed(path, error))? {
        Target::Stream(mut stream) => {
            let written = pieces.iter().try_for_each(|piece| stream.write_all(piece));
            written.and_then(|()| stream.flush()).map_err(|error| failed(path, error))
        }
        Target::Existing(..) if !replace => Err(exists(path, io::ErrorKind::AlreadyExists.into())),
        Target::Existing(real, existing) => {
            // The folder's mode alone permits a replacement; the file's own mode says whether its
            // content may change.
            OpenOptions::new().write(true).open(&real).map_err(|error| failed(path, error))?;
            publish(path, &real, pieces, Some(&existing), replace)
        }
        Target::New => publish(path, path, pieces, None, replace),
    }
}

/// The target of a path.
enum Target {
    /// There is no such file yet.
    New,
    /// A regular file, by its path without links.
    Existing(PathBuf, Metadata),
    /// Something that accepts bytes and has no content to replace.
    Stream(Box<dyn Write>),
}

impl Target {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return match is_link(path) {
                    true => Err(io::Error::new(
                        error.kind(),
                        "it is a link to a file that does not exist",
                    )),
                    false => Ok(Self::New),
                };
            }
            // For instance, a circle of links.
            Err(error) if is_link(path) => {
                let reason = format!("the link cannot be followed: {error}");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
            }
            Err(error) => return Err(error),
        };
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        #[cfg(unix)]
        if let Some(stream) = stream::open(path, &metadata)? {
            return Ok(Self::Stream(stream));
        }
        if !metadata.is_file() {
            return Ok(Self::Stream(Box::new(OpenOptions::new().write(true).open(path)?)));
        }
        Ok(Self::Existing(fs::canonicalize(path)?, metadata))
    }
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink())
}

/// Writes a file beside `target` and gives it that name. `path` is the path that the caller gave.
fn publish(
    path: &Path,
    target: &Path,
    pieces: &[&[u8]],
    existing: Option<&Metadata>,
    replace: bool,
) -> Result<(), Error> {
    if target.file_name().is_none() {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "the path does not name a file");
        return Err(failed(path, error));
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Before the file gets its name: a folder that cannot be opened cannot be synchronised.
    #[cfg(unix)]
    let opened = File::open(folder).map_err(|error| {
        let reason = match error.kind() {
            io::ErrorKind::NotFound => {
                "its folder does not exist: create its folder first".to_owned()
            }
            _ => format!("its folder cannot be opened: {error}"),
        };
        Error::precondition(format!("{}: cannot be written: {reason}", path.display()))
            .with_source(error)
    })?;
    let (temporary, mut file) = Temporary::create(folder).map_err(|error| failed(path, error))?;
    let written = (|| {
        if let Some(existing) = existing {
            keep_owner_and_mode(&file, existing)?;
        }
        pieces.iter().try_for_each(|piece| file.write_all(piece))?;
        file.sync_all()?;
        drop(file);
        temporary.publish(target, replace)
    })();
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path, error),
        _ => failed(path, error),
    })?;
    #[cfg(unix)]
    match opened.sync_all() {
        // Some file systems cannot synchronise a folder.
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            return Err(Error::internal(format!(
                "{}: was written, but its folder cannot be synchronised: the file may be lost in a \
                 power failure: {error}",
                path.display()
            ))
            .with_source(error));
        }
        _ => {}
    }
    Ok(())
}

/// Gives a new file the mode of the one that it replaces, and also its owner and group where
/// permitted.
#[cfg(unix)]
fn keep_owner_and_mode(file: &File, existing: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let own = file.metadata()?;
    let mut mode = existing.mode() & 0o7777;
    if own.uid() != existing.uid() {
        // Only root may give a file away. With another owner, it is still the requested file.
        let _ = fchown(file, Some(existing.uid()), None);
    }
    if own.gid() != existing.gid() && fchown(file, None, Some(existing.gid())).is_err() {
        // Those rights were for another group.
        mode &= !0o2070;
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn keep_owner_and_mode(file: &File, existing: &Metadata) -> io::Result<()> {
    file.set_permissions(existing.permissions())
}

/// A file beside the target, removed unless it became the target.
struct Temporary {
    path: PathBuf,
    published: bool,
}

impl Temporary {
    fn create(folder: &Path) -> io::Result<(Self, File)> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            // Without the target's name, which may already have the maximum length.
            let name = OsString::from(format!(".snapshot-{}-{number}.tmp", std::process::id()));
            let path = folder.join(name);
            match options.open(&path) {
                Ok(file) => return Ok((Self { path, published: false }, file)),
                // It was left by another process with the same id.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn publish(mut self, target: &Path, replace: bool) -> io::Result<()> {
        if replace {
            fs::rename(&self.path, target)?;
            self.published = true;
            return Ok(());
        }
        // A hard link never replaces a file, unlike `rename`. The first name is removed when this
        // is dropped.
        match fs::hard_link(&self.path, target) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => self.reserve(target),
            done => done,
        }
    }

    /// Does the same as `publish`, on a file system without hard links. It reserves the target with
    /// an empty file of its own, and renames over that. Only here can a crash leave the file empty.
    fn reserve(mut self, target: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).open(target)?;
        fs::rename(&self.path, target).inspect_err(|_| {
            let _ = fs::remove_file(target);
        })?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.published {
            // A file that cannot be removed does no harm: its name says that it is temporary.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Targets without content to replace: pipes, sockets, devices, open descriptors.
#[cfg(unix)]
mod stream {
    use std::fs::{self, File, Metadata, OpenOptions};
    use std::io::{self, Write};
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileTypeExt;
    use std::os::unix::net::UnixStream;
    use std::path::{Path, PathBuf};
    use std::sync::mpsc::{self, RecvTimeoutError};
    use std::thread;
    use std::time::Duration;

    /// The time within which a named pipe needs a reader.
    const READER_WAIT: Duration = Duration::from_secs(3);
    /// The maximum number of links that Linux follows.
    const LINKS: usize = 40;

    /// Opens a target that is neither a regular file nor a folder, or a descriptor of anything.
    /// `None` for a regular file.
    pub(super) fn open(path: &Path, metadata: &Metadata) -> io::Result<Option<Box<dyn Write>>> {
        let kind = metadata.file_type();
        if let Some(entry) = descriptor(path) {
            return open_descriptor(&entry, kind.is_fifo()).map(|file| Some(Box::new(file) as _));
        }
        if kind.is_file() {
            return Ok(None);
        }
        if kind.is_socket() {
            return UnixStream::connect(path).map(|stream| Some(Box::new(stream) as _));
        }
        if kind.is_fifo() {
            return open_fifo(path).map(|file| Some(Box::new(file) as _));
        }
        OpenOptions::new().write(true).open(path).map(|file| Some(Box::new(file) as _))
    }

    /// Returns the entry of `/proc/PID/fd` to which a path leads, if it does. The entry looks like
    /// a link to a path, but stands for the open file.
    fn descriptor(path: &Path) -> Option<PathBuf> {
        let mut path = path.to_owned();
        for _ in 0..LINKS {
            if !path.symlink_metadata().ok()?.is_symlink() {
                return None;
            }
            let folder = match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            let folder = fs::canonicalize(folder).ok()?;
            let entry = folder.join(path.file_name()?);
            if folder.starts_with("/proc") && folder.ends_with("fd") {
                return Some(entry);
            }
            path = folder.join(fs::read_link(&entry).ok()?);
        }
        None
    }

    fn open_descriptor(entry: &Path, is_pipe: bool) -> io::Result<File> {
        let own = fs::canonicalize("/proc/self/fd").is_ok_and(|own| entry.parent() == Some(&*own));
        // Duplicates the descriptor where safe code can, so that a file keeps its position.
        let duplicate = match entry.file_name().and_then(|name| name.to_str()) {
            Some("1") if own => io::stdout().as_fd().try_clone_to_owned()?,
            Some("2") if own => io::stderr().as_fd().try_clone_to_owned()?,
            _ if is_pipe => return open_fifo(entry),
            _ => return OpenOptions::new().append(true).open(entry),
        };
        Ok(File::from(duplicate))
    }

    /// Opens a named pipe. The system would wait for a reader without end.
    fn open_fifo(path: &Path) -> io::Result<File> {
        let (sender, opened) = mpsc::sync_channel(1);
        let name = path.to_owned();
        let waiting = thread::Builder::new().name("snapshot-pipe".to_owned()).spawn(move || {
            let _ = sender.send(OpenOptions::new().write(true).open(name));
        })?;
        match opened.recv_timeout(READER_WAIT) {
            Ok(file) => file,
            Err(RecvTimeoutError::Timeout) => {
                // Opened as a reader, which ends the wait of the other thread.
                let reader = File::open(path)?;
                let _ = waiting.join();
                drop(reader);
                let reason = "no process reads the pipe: start the reader first";
                Err(io::Error::new(io::ErrorKind::TimedOut, reason))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(io::Error::other("the thread that opens the pipe has ended"))
            }
        }
    }
}

fn exists(path: &Path, error: io::Error) -> Error {
    let path = path.display();
    Error::precondition(format!(
        "{path}: already exists: choose another name, or allow replacing it"
    ))
    .with_source(error)
}

fn failed(path: &Path, error: io::Error) -> Error {
    use io::ErrorKind::{
        InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied,
        ReadOnlyFilesystem, TimedOut,
    };
    let code = match error.kind() {
        // Another path or another mode is the cure.
        InvalidFilename | InvalidInput | IsADirectory | NotADirectory | NotFound
        | PermissionDenied | ReadOnlyFilesystem | TimedOut => Code::FailedPrecondition,
        _ => Code::Internal,
    };
    let cure = match error.kind() {
        NotFound if !is_link(path) => ": create its folder first",
        IsADirectory => ": name a file in it",
        _ => "",
    };
    let path = path.display();
    Error::new(code, format!("{path}: cannot be written: {error}{cure}")).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_second_names_a_file_is_not_replaced_either() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let reserve = |content: &[u8]| {
            let (temporary, mut file) = Temporary::create(folder.path()).unwrap();
            file.write_all(content).unwrap();
            temporary.reserve(&target)
        };
        reserve(b"first").unwrap();
        let error = reserve(b"second").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&target).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
