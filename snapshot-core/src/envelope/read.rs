//! Reading snapshots from anywhere.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;

use super::compression::expand;
use super::header::{HEADER_LENGTH, Header, Stored};
use super::{Snapshot, file};
use crate::Error;

/// How much memory is taken before the first byte has come.
const FIRST_PIECE: u64 = 64 << 10;

/// How snapshots are read: how long one may be.
///
/// ```
/// use snapshot_core::ReadOptions;
///
/// # let snapshot = snapshot_core::Snapshot::from_any(&prost_types::Any {
/// #     type_url: "type.googleapis.com/doc.v1.Disk".to_owned(), value: vec![8, 1],
/// # })?;
/// # let stream = snapshot.as_bytes();
/// let options = ReadOptions::new().limit(16 << 20);
/// let again = options.read_from(stream)?;
/// assert_eq!(again, snapshot);
/// # Ok::<(), snapshot_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ReadOptions {
    limit: u64,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl ReadOptions {
    /// The limit where none is given, in bytes: 256 MiB. A sandbox of 5,000 containers has 16 MiB.
    pub const DEFAULT_LIMIT: u64 = 256 << 20;

    /// The default limit.
    pub const fn new() -> Self {
        Self { limit: Self::DEFAULT_LIMIT }
    }

    /// The most bytes that a snapshot may have behind its header, as it is stored and when it is
    /// decompressed. No more memory is taken than for that, and none on the word of a header alone.
    #[must_use]
    pub const fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Takes the bytes of one whole snapshot, compressed or not.
    ///
    /// # Errors
    ///
    /// [`Code::Unimplemented`](crate::Code::Unimplemented) for a format version that this build does
    /// not read, and for a compressed snapshot without the feature `zstd`;
    /// [`Code::InvalidArgument`](crate::Code::InvalidArgument) past the limit;
    /// [`Code::DataLoss`](crate::Code::DataLoss) for everything else: not a snapshot, cut off, too
    /// long, damaged.
    pub fn from_bytes(&self, bytes: impl Into<Bytes>) -> Result<Snapshot, Error> {
        let bytes = bytes.into();
        let (header, stored) = Header::take(&bytes)?;
        self.check_length(header.length)?;
        match header.check(stored)? {
            Stored::Plain => Snapshot::of_checked(bytes),
            Stored::Zstd => {
                let mut plain = vec![0; HEADER_LENGTH];
                expand(stored, self.limit, &mut plain)?;
                let header = Header::before(Stored::Plain, &plain[HEADER_LENGTH..]);
                plain[..HEADER_LENGTH].copy_from_slice(&header);
                Snapshot::of_checked(plain.into())
            }
        }
    }

    /// Reads one snapshot from a stream, and leaves there what comes after it.
    ///
    /// # Errors
    ///
    /// As [`ReadOptions::from_bytes`], and [`Code::Internal`](crate::Code::Internal) if the stream
    /// cannot be read.
    pub fn read_from(&self, mut stream: impl Read) -> Result<Snapshot, Error> {
        let bytes = self.take(&mut stream).map_err(NotRead::into_error)?;
        self.from_bytes(bytes)
    }

    /// Reads the snapshot that a file holds.
    ///
    /// # Errors
    ///
    /// As [`ReadOptions::read_from`], each with the path;
    /// [`Code::FailedPrecondition`](crate::Code::FailedPrecondition) if there is no such file,
    /// [`Code::DataLoss`](crate::Code::DataLoss) if there is more in it than the snapshot.
    pub fn read_from_path(&self, path: impl AsRef<Path>) -> Result<Snapshot, Error> {
        let path = path.as_ref();
        let at = |error: io::Error| file::at(path, "cannot be read", error);
        let mut file = File::open(path).map_err(at)?;
        let mut bytes = match self.take(&mut file) {
            Ok(bytes) => bytes,
            Err(NotRead::Stream(error)) => return Err(at(error)),
            Err(NotRead::Header(error)) => return Err(file::of(path, error)),
        };
        // What comes after it: enough to say that there is something.
        file.take(FIRST_PIECE).read_to_end(&mut bytes).map_err(at)?;
        self.from_bytes(bytes).map_err(|error| file::of(path, error))
    }

    fn check_length(&self, length: u64) -> Result<(), Error> {
        match length > self.limit {
            true => Err(too_long(&format!("{length} bytes"), self.limit)),
            false => Ok(()),
        }
    }

    /// The header, and as many bytes behind it as it says, or as there are.
    fn take(&self, stream: &mut impl Read) -> Result<Vec<u8>, NotRead> {
        let mut bytes = Vec::with_capacity(HEADER_LENGTH);
        stream.take(HEADER_LENGTH as u64).read_to_end(&mut bytes).map_err(NotRead::Stream)?;
        let checked = Header::take(&bytes).map(|(header, _)| header);
        let header = checked.map_err(NotRead::Header)?;
        self.check_length(header.length).map_err(NotRead::Header)?;
        // At most 64 KiB, which fits.
        bytes.reserve(header.length.min(FIRST_PIECE) as usize);
        stream.take(header.length).read_to_end(&mut bytes).map_err(NotRead::Stream)?;
        Ok(bytes)
    }
}

enum NotRead {
    Stream(io::Error),
    Header(Error),
}

impl NotRead {
    fn into_error(self) -> Error {
        match self {
            Self::Stream(error) => {
                Error::internal(format!("the snapshot cannot be read: {error}")).with_source(error)
            }
            Self::Header(error) => error,
        }
    }
}

#[cold]
pub(super) fn too_long(what: &str, limit: u64) -> Error {
    Error::invalid(format!(
        "the snapshot has {what}, and the reader takes {limit}: raise the limit"
    ))
}
