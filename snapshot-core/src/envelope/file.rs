//! [`WriteOptions`]: how snapshots are written to bytes, streams and files.

use std::io::{self, Write};
use std::path::Path;

use super::Snapshot;
use super::header::{Header, Stored};
use crate::provenance::Provenance;
use crate::{Code, Error};

/// Options for writing snapshots: whether to replace an existing file, to store a provenance, and to
/// compress.
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
    provenance: Option<Provenance>,
    #[cfg(feature = "zstd")]
    level: Option<i32>,
}

impl WriteOptions {
    /// Creates the default options: not compressed, no existing file is replaced, and a provenance
    /// is stored only if the snapshot has one.
    pub const fn new() -> Self {
        Self {
            replace: false,
            provenance: None,
            #[cfg(feature = "zstd")]
            level: None,
        }
    }

    /// Sets whether an existing file of the same name is replaced. By default it is not, and
    /// writing fails.
    #[must_use]
    pub const fn replace(mut self, replace: bool) -> Self {
        self.replace = replace;
        self
    }

    /// Stores the id and the writer of the snapshot with it, in place of a provenance that it already
    /// has. Builds from before format version 2 cannot read the result.
    #[must_use]
    pub fn provenance(mut self, provenance: Provenance) -> Self {
        self.provenance = Some(provenance);
        self
    }

    /// Compresses with zstd, at a level from 1 (fast) to 19 (small); a level out of this range
    /// becomes the nearest one in it. 3 is zstd's own default. Readers need the feature `zstd` too.
    #[cfg(feature = "zstd")]
    #[must_use]
    pub fn zstd(mut self, level: i32) -> Self {
        self.level = Some(level.clamp(1, 19));
        self
    }

    /// Calls `write` with the bytes of the snapshot.
    fn with_bytes<T>(
        &self,
        snapshot: &Snapshot,
        write: impl FnOnce(&[&[u8]]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let block = match &self.provenance {
            Some(provenance) => &provenance.to_block(),
            None => snapshot.block(),
        };
        #[cfg(feature = "zstd")]
        if let Some(level) = self.level {
            let stored = super::compression::compress(snapshot.any_bytes(), level)?;
            return write(&[&Header::before(Stored::Zstd, block, &stored), block, &stored]);
        }
        match self.provenance {
            Some(_) => {
                let body = snapshot.any_bytes();
                write(&[&Header::before(Stored::Plain, block, body), block, body])
            }
            None => write(&[snapshot.as_bytes()]),
        }
    }

    /// Returns the snapshot as bytes, for [`Snapshot::from_bytes`].
    ///
    /// # Errors
    ///
    /// None, unless the compression fails.
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

    /// Writes the snapshot into a file. The file is written whole or not at all, whenever the
    /// process or the machine stops, and is durable when this returns.
    ///
    /// The bytes go into a new file in the same folder, which is synchronised and only then gets
    /// the name. The folder is synchronised last (not on Windows, where that is impossible). On
    /// Unix only the owner can read a new file, because a snapshot contains the arguments and
    /// environments of its processes. A file that replaces another keeps the mode of that one, and
    /// its owner and group where the system permits. A crash may leave a file whose name ends in
    /// `.tmp`.
    ///
    /// A symbolic link is followed: its target is replaced, and the link stays. A device, a pipe, a
    /// socket or an open descriptor (`/dev/stdout`, `/proc/self/fd/3`) is never replaced: the bytes
    /// are written into it, whatever [`WriteOptions::replace`] says. A named pipe needs a reader
    /// within three seconds.
    ///
    /// # Errors
    ///
    /// [`Code::FailedPrecondition`] if there is a file of that name and [`WriteOptions::replace`]
    /// does not allow replacing it, or if the path cannot name a writable file: a missing folder, a
    /// folder that cannot be opened, a link without a target, a read-only file. [`Code::Internal`]
    /// if the system fails. Nothing is left behind then, unless the message says that the file was
    /// written and only its folder could not be synchronised.
    pub fn write_to_path(&self, snapshot: &Snapshot, path: impl AsRef<Path>) -> Result<(), Error> {
        self.with_bytes(snapshot, |pieces| {
            super::target::write(path.as_ref(), pieces, self.replace)
        })
    }

    /// Writes other bytes into a file by the rules of [`WriteOptions::write_to_path`], for example
    /// a bare `Any`, a manifest or a report. They are never compressed.
    ///
    /// ```no_run
    /// use snapshot_core::WriteOptions;
    ///
    /// # fn keep(report: &snapshot_core::MigrationReport) -> Result<(), snapshot_core::Error> {
    /// WriteOptions::new().replace(true).write_bytes_to_path(report.to_json(), "report.json")
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`WriteOptions::write_to_path`].
    pub fn write_bytes_to_path(
        &self,
        bytes: impl AsRef<[u8]>,
        path: impl AsRef<Path>,
    ) -> Result<(), Error> {
        super::target::write(path.as_ref(), &[bytes.as_ref()], self.replace)
    }
}

/// Creates the error of the system at this path.
pub(super) fn at(path: &Path, what: &str, error: io::Error) -> Error {
    let code = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::InvalidInput => Code::FailedPrecondition,
        _ => Code::Internal,
    };
    Error::new(code, format!("{}: {what}: {error}", path.display())).with_source(error)
}

/// Adds the path to an error of the file's content.
pub(super) fn of(path: &Path, error: Error) -> Error {
    Error::new(error.code(), format!("{}: {error}", path.display())).with_source(error)
}
