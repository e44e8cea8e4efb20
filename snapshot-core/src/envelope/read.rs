//! Reads whole snapshots from bytes, streams and files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::compression::expand;
use super::header::{HEADER_LENGTH, Header, Stored};
use super::options::ReadOptions;
use super::{Snapshot, file};
use crate::error::Error;
use crate::provenance::Provenance;

/// The memory that is allocated before the first byte has arrived.
const FIRST_PIECE: usize = 64 << 10;

impl ReadOptions {
    /// Accepts the bytes of one whole snapshot, compressed or not.
    ///
    /// # Errors
    ///
    /// [`Code::Unimplemented`](crate::Code::Unimplemented) for a format version that this build
    /// does not read, and for a compressed snapshot without the feature `zstd`.
    /// [`Code::InvalidArgument`](crate::Code::InvalidArgument) above the limit.
    /// [`Code::DataLoss`](crate::Code::DataLoss) for everything else: not a snapshot, truncated,
    /// too long, damaged.
    pub fn from_bytes(&self, bytes: impl Into<Bytes>) -> Result<Snapshot, Error> {
        let snapshot = self.checked(bytes.into())?;
        Ok(Snapshot { limits: self.tree_limits(), ..snapshot })
    }

    fn checked(&self, bytes: Bytes) -> Result<Snapshot, Error> {
        let (header, behind) = Header::take(&bytes)?;
        self.check_length(header.length)?;
        let stored = header.check(behind)?;
        let (provenance, body) = match header.has_provenance() {
            true => {
                let (provenance, body) = Provenance::take_block(behind)?;
                (Some(Arc::new(provenance)), body)
            }
            false => (None, behind),
        };
        let any = bytes.len() - body.len();
        match stored {
            Stored::Plain => Snapshot::of_checked(bytes, any, provenance),
            Stored::Zstd => {
                let mut plain = bytes[..any].to_vec();
                expand(body, self.length_limit(), &mut plain)?;
                let header = header.stored_again(Stored::Plain, &plain[HEADER_LENGTH..]);
                plain[..HEADER_LENGTH].copy_from_slice(&header);
                Snapshot::of_checked(plain.into(), any, provenance)
            }
        }
    }

    /// Reads one snapshot from a stream. The bytes after it stay in the stream.
    ///
    /// # Errors
    ///
    /// As [`ReadOptions::from_bytes`], and [`Code::Internal`](crate::Code::Internal) if the stream
    /// cannot be read.
    pub fn read_from(&self, mut stream: impl Read) -> Result<Snapshot, Error> {
        let bytes = self.take(&mut stream).map_err(NotRead::into_error)?;
        self.from_bytes(bytes)
    }

    /// Reads the snapshot in a file.
    ///
    /// # Errors
    ///
    /// As [`ReadOptions::read_from`], each with the path;
    /// [`Code::FailedPrecondition`](crate::Code::FailedPrecondition) if there is no such file,
    /// [`Code::DataLoss`](crate::Code::DataLoss) if the file contains more than the snapshot.
    pub fn read_from_path(&self, path: impl AsRef<Path>) -> Result<Snapshot, Error> {
        let path = path.as_ref();
        let at = |error: io::Error| file::at(path, "cannot be read", error);
        let mut file = File::open(path).map_err(at)?;
        let mut bytes = match self.take(&mut file) {
            Ok(bytes) => bytes,
            Err(NotRead::Stream(error)) => return Err(at(error)),
            Err(NotRead::Header(error)) => return Err(file::of(path, error)),
        };
        // The bytes after it: enough to know that there are some.
        file.take(FIRST_PIECE as u64).read_to_end(&mut bytes).map_err(at)?;
        self.from_bytes(bytes).map_err(|error| file::of(path, error))
    }

    /// Reads the header, and as many bytes behind it as it says, or as there are.
    fn take(&self, stream: &mut impl Read) -> Result<Vec<u8>, NotRead> {
        let mut reader = self.incremental();
        loop {
            let wants = reader.wants();
            let bytes = reader.bytes_mut();
            bytes.reserve_exact(wants.min(FIRST_PIECE));
            let read = stream.take(wants as u64).read_to_end(bytes).map_err(NotRead::Stream)?;
            reader.look().map_err(NotRead::Header)?;
            if read < wants || reader.is_complete() {
                return Ok(reader.into_bytes());
            }
        }
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
