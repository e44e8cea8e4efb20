//! Writing snapshots to anywhere, and safely into files.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::Snapshot;
use crate::{Code, Error};

/// How snapshots are written: over an existing file or not, compressed or not.
///
/// ```no_run
/// use snapshot_core::WriteOptions;
///
/// # fn keep(snapshot: &snapshot_core::Snapshot) -> Result<(), snapshot_core::Error> {
/// WriteOptions::new().replace(true).write_to_path(snapshot, "sandbox.snapshot")
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    replace: bool,
    #[cfg(feature = "zstd")]
    level: Option<i32>,
}

impl WriteOptions {
    /// Not compressed, and not over an existing file.
    pub const fn new() -> Self {
        Self {
            replace: false,
            #[cfg(feature = "zstd")]
            level: None,
        }
    }

    /// Whether an existing file of the same name is replaced. By default it is not, and writing
    /// fails.
    #[must_use]
    pub const fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// Compresses with zstd, at a level from 1 (fast) to 19 (small); what is outside is moved to the
    /// nearer end. 3 is zstd's own choice. Readers need the feature `zstd` too.
    #[cfg(feature = "zstd")]
    #[must_use]
    pub fn zstd(mut self, level: i32) -> Self {
        self.level = Some(level.clamp(1, 19));
        self
    }

    /// The bytes that are written.
    fn with_bytes<T>(
        &self,
        snapshot: &Snapshot,
        write: impl FnOnce(&[&[u8]]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        #[cfg(feature = "zstd")]
        if let Some(level) = self.level {
            use super::header::{Header, Stored};
            let stored = super::compression::compress(snapshot.any().0, level)?;
            return write(&[&Header::before(Stored::Zstd, &stored), &stored]);
        }
        write(&[snapshot.as_bytes()])
    }

    /// The snapshot as bytes, to be read by [`Snapshot::from_bytes`].
    ///
    /// # Errors
    ///
    /// None unless it is compressed and the compression fails.
    pub fn to_bytes(&self, snapshot: &Snapshot) -> Result<Vec<u8>, Error> {
        self.with_bytes(snapshot, |pieces| Ok(pieces.concat()))
    }

    /// Writes the snapshot to a stream and flushes it.
    ///
    /// # Errors
    ///
    /// [`Code::Internal`] if the stream cannot be written.
    pub fn write_to(&self, snapshot: &Snapshot, mut stream: impl Write) -> Result<(), Error> {
        self.with_bytes(snapshot, |pieces| {
            let written = pieces.iter().try_for_each(|piece| stream.write_all(piece));
            written.and_then(|()| stream.flush()).map_err(|error| {
                let reason = format!("the snapshot cannot be written: {error}");
                Error::internal(reason).with_source(error)
            })
        })
    }

    /// Writes the snapshot into a file: whole or not at all, whenever the process or the machine
    /// stops, and durable when this returns.
    ///
    /// It is written beside the target and synchronised, takes its name only then, and the folder is
    /// synchronised after it (not on Windows, where folders cannot be). On Unix only the owner may
    /// read the file: a snapshot holds what its processes were started with. A crash may leave a
    /// file whose name ends in `.tmp`.
    ///
    /// # Errors
    ///
    /// [`Code::FailedPrecondition`] if there is a file of that name and [`WriteOptions::replace`]
    /// does not allow to replace it, or if there is no such folder; [`Code::Internal`] if the system
    /// fails. Nothing is left behind then, unless only the last synchronisation failed.
    pub fn write_to_path(&self, snapshot: &Snapshot, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        self.with_bytes(snapshot, |pieces| {
            write_atomically(path, pieces, self.replace).map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => {
                    let path = path.display();
                    Error::precondition(format!(
                        "{path}: exists already: choose another name, or ask to replace it"
                    ))
                    .with_source(error)
                }
                _ => at(path, "cannot be written", error),
            })
        })
    }
}

fn write_atomically(path: &Path, pieces: &[&[u8]], replace: bool) -> io::Result<()> {
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "the path names no file");
    let name = path.file_name().ok_or_else(no_name)?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Spares the work; what decides is `publish`.
    if !replace && path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let (temporary, mut file) = Temporary::create(folder, name)?;
    pieces.iter().try_for_each(|piece| file.write_all(piece))?;
    file.sync_all()?;
    drop(file);
    temporary.publish(path, replace)?;
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// A file beside the target, removed unless it became the target.
struct Temporary {
    path: PathBuf,
    published: bool,
}

impl Temporary {
    fn create(folder: &Path, name: &std::ffi::OsStr) -> io::Result<(Self, File)> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let mut temporary = OsString::from(".");
            temporary.push(name);
            temporary.push(format!(".{}-{number}.tmp", std::process::id()));
            let path = folder.join(temporary);
            match options.open(&path) {
                Ok(file) => return Ok((Self { path, published: false }, file)),
                // Left by another process that had the same id.
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
        // A second name, which unlike `rename` never takes the place of a file. The first name goes
        // when this is dropped.
        match fs::hard_link(&self.path, target) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => self.reserve(target),
            done => done,
        }
    }

    /// As `publish`, on a file system without second names. The target is reserved, and what is
    /// renamed over is our own empty file; only here can a crash leave it empty.
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
            // What cannot be removed is of no harm: its name says what it is.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// An error of the system, at this path.
pub(super) fn at(path: &Path, what: &str, error: io::Error) -> Error {
    let code = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::InvalidInput => Code::FailedPrecondition,
        _ => Code::Internal,
    };
    Error::new(code, format!("{}: {what}: {error}", path.display())).with_source(error)
}

/// What is wrong with the content of this file.
pub(super) fn of(path: &Path, error: Error) -> Error {
    Error::new(error.code(), format!("{}: {error}", path.display())).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_second_names_a_file_is_not_replaced_either() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let reserve = |content: &[u8]| {
            let (temporary, mut file) = Temporary::create(folder.path(), "a".as_ref()).unwrap();
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
