//! A store in a folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use snapshot_core::Error;

use super::{Store, Unwritten};
use crate::SessionId;

/// The suffix of a record's file name.
const SUFFIX: &str = ".record";

/// The file that is locked by the process that uses the folder.
const LOCK: &str = "lock";

/// The maximum length of a record.
const LIMIT: u64 = 4 << 20;

/// The time for which another process may look at the folder before it counts as its owner.
const PATIENCE: Duration = Duration::from_millis(300);

/// Keeps each record in a separate file. A record is written to a new file, synced, and renamed
/// over the old one, and then the folder is synced. After a crash at any moment there is either the
/// old record or the new one.
///
/// One process uses the folder at a time, which a lock on the file `lock` ensures. Only the owner
/// can access the folder and its files.
#[derive(Debug)]
pub struct FileStore {
    folder: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl FileStore {
    /// Opens a folder, and creates it if it does not exist.
    ///
    /// # Errors
    ///
    /// `FAILED_PRECONDITION` if another process uses the folder. Also if it cannot be opened.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = folder.as_ref().to_owned();
        create_folder(&folder).map_err(|error| at(&folder, error))?;
        let path = folder.join(LOCK);
        let lock = private(OpenOptions::new().create(true).truncate(false).write(true).read(true))
            .open(&path)
            .map_err(|error| at(&path, error))?;
        let began = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { folder, _lock: lock }),
                Err(TryLockError::Error(error)) => return Err(at(&path, error)),
                // A status command holds it for a moment.
                Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::precondition(format!(
                        "{}: another process uses this ledger: end it first, or give each process \
                         its own folder",
                        folder.display()
                    )));
                }
            }
        }
    }

    /// Returns whether a process uses the folder now.
    ///
    /// # Errors
    ///
    /// If there is no ledger in the folder, or it cannot be read.
    pub(super) fn is_used(folder: &Path) -> Result<bool, Error> {
        let path = folder.join(LOCK);
        let lock = File::open(&path).map_err(|error| at(&path, error))?;
        match lock.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(at(&path, error)),
        }
    }

    /// Returns the file of a session's record.
    pub fn path(&self, session: &SessionId) -> PathBuf {
        record_path(&self.folder, session)
    }
}

impl Store for FileStore {
    fn write(&self, session: &SessionId, record: &[u8]) -> Result<(), Unwritten> {
        let path = self.path(session);
        let new = self.folder.join(format!("{session}.new"));
        let prepare = || {
            // Opened before anything is published, because it may not be readable.
            let folder = File::open(&self.folder)?;
            // It was left by a crash.
            match fs::remove_file(&new) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = private(OpenOptions::new().create_new(true).write(true)).open(&new)?;
            file.write_all(record)?;
            file.sync_all()?;
            Ok(folder)
        };
        let folder = prepare().map_err(|error| Unwritten::unchanged(at(&path, error)))?;
        fs::rename(&new, &path)
            .and_then(|()| sync_folder(&folder))
            .map_err(|error| Unwritten::unsure(at(&path, error)))
    }

    fn read(&self, session: &SessionId) -> Result<Option<Vec<u8>>, Error> {
        read(&self.folder, session)
    }

    fn sessions(&self) -> Result<Vec<SessionId>, Error> {
        list(&self.folder)
    }
}

pub(super) fn read(folder: &Path, session: &SessionId) -> Result<Option<Vec<u8>>, Error> {
    let path = record_path(folder, session);
    let read = || {
        let mut bytes = Vec::new();
        let file = File::open(&path)?;
        // Synced before it is trusted: the last sync may have failed.
        file.sync_all()?;
        sync_folder(&File::open(folder)?)?;
        file.take(LIMIT).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    };
    match read() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(&path, error)),
    }
}

pub(super) fn list(folder: &Path) -> Result<Vec<SessionId>, Error> {
    let list = || {
        let mut sessions = Vec::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let session = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
            sessions.extend(session.and_then(|id| id.parse::<SessionId>().ok()));
        }
        sessions.sort();
        Ok(sessions)
    };
    list().map_err(|error| at(folder, error))
}

fn record_path(folder: &Path, session: &SessionId) -> PathBuf {
    folder.join(format!("{session}{SUFFIX}"))
}

fn at(path: &Path, error: io::Error) -> Error {
    Error::internal(format!("{}: {error}", path.display())).with_source(error)
}

#[cfg(unix)]
fn sync_folder(folder: &File) -> io::Result<()> {
    folder.sync_all()
}

/// Other systems cannot sync a folder; there a rename is durable with the file system's own log.
#[cfg(not(unix))]
fn sync_folder(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn create_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}
