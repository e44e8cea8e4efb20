//! The envelope: one byte format for a snapshot, the same on a socket and on disk.
//!
//! | bytes | content |
//! |---|---|
//! | 0..8 | magic `89 53 4E 50 0D 0A 1A 0A`, built like PNG's: not text, and damaged by any conversion of line endings |
//! | 8..10 | format version, 1 or 2 |
//! | 10..12 | form of the body: 0 unchanged, 1 one zstd frame |
//! | 12..20 | length of the rest in bytes |
//! | 20..24 | CRC-32 (ISO-HDLC, as in zlib) of bytes 8..20 and of the rest |
//! | 24..28 | in version 2: length of the block that follows, at most 4,096 |
//! | 28.. | in version 2: the block, a `snapshot.v1.Provenance`, never compressed |
//! | 24.. or behind the block | body, in this form: the root payload as `google.protobuf.Any` |
//!
//! A snapshot without a provenance has version 1, which all builds read.
//!
//! Numbers are little-endian. The digest detects damage, not forgery: a snapshot from an untrusted
//! sender needs a transport that authenticates. The digest covers the stored bytes, so damaged
//! bytes are never decompressed or decoded. In memory a snapshot is never compressed.
//!
//! | module | content |
//! |---|---|
//! | `header`, `digest` | creates and checks the header |
//! | `read` | [`ReadOptions`]: from bytes, streams and files, within limits |
//! | `incremental` | [`IncrementalReader`]: from pieces, as they arrive |
//! | `file` | [`WriteOptions`]: to bytes, streams and files |
//! | `target` | the target of a path: a new file, a file to replace, a device or a pipe |
//! | `compression` | zstd |

mod compression;
mod digest;
mod file;
mod header;
mod incremental;
mod options;
mod read;
mod target;
#[cfg(test)]
mod tests;

use std::io::{Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::Error;
use crate::codec::{Writer, close_bare_any, split_bare_any};
use crate::provenance::Provenance;

pub use file::WriteOptions;
use header::{HEADER_LENGTH, Header, Stored};
pub use incremental::IncrementalReader;
pub use options::ReadOptions;
pub(crate) use options::TreeLimits;

/// A saved tree of controllers: the bytes of its envelope, whose header, length and digest are
/// right. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Snapshot {
    bytes: Bytes,
    /// The position of the root payload's `Any`.
    any: usize,
    provenance: Option<Arc<Provenance>>,
    type_url: Range<usize>,
    payload: Range<usize>,
    /// The limits for the import.
    limits: TreeLimits,
}

/// Compares the bytes of the root payload's `Any`, regardless of the limits and the provenance.
impl PartialEq for Snapshot {
    fn eq(&self, other: &Self) -> bool {
        self.any_bytes() == other.any_bytes()
    }
}

impl Eq for Snapshot {}

impl Snapshot {
    /// Accepts the bytes of a snapshot, as [`Snapshot::as_bytes`] or [`WriteOptions`] returned
    /// them.
    ///
    /// The header, the length and the digest are checked before anything is decoded. A compressed
    /// snapshot may have [`ReadOptions::DEFAULT_LIMIT`] bytes. Any other may have any number,
    /// because it is in memory already. [`ReadOptions::from_bytes`] sets another limit.
    ///
    /// # Errors
    ///
    /// [`Code::Unimplemented`](crate::Code::Unimplemented) for a format version that this build
    /// does not read, and for a compressed snapshot without the feature `zstd`.
    /// [`Code::DataLoss`](crate::Code::DataLoss) for everything else: not a snapshot, truncated,
    /// too long, damaged.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Result<Self, Error> {
        let bytes = bytes.into();
        ReadOptions::new()
            .limit(ReadOptions::DEFAULT_LIMIT.max(bytes.len() as u64))
            .from_bytes(bytes)
    }

    /// Reads one snapshot from a stream, of at most [`ReadOptions::DEFAULT_LIMIT`] bytes. The bytes
    /// after it stay in the stream.
    ///
    /// # Errors
    ///
    /// As [`ReadOptions::read_from`].
    pub fn read_from(stream: impl Read) -> Result<Self, Error> {
        ReadOptions::new().read_from(stream)
    }

    /// Reads the snapshot in a file, of at most [`ReadOptions::DEFAULT_LIMIT`] bytes.
    ///
    /// # Errors
    ///
    /// As [`ReadOptions::read_from_path`].
    pub fn read_from_path(path: impl AsRef<Path>) -> Result<Self, Error> {
        ReadOptions::new().read_from_path(path)
    }

    /// Writes the snapshot to a stream and flushes it.
    ///
    /// # Errors
    ///
    /// As [`WriteOptions::write_to`].
    pub fn write_to(&self, stream: impl Write) -> Result<(), Error> {
        WriteOptions::new().write_to(self, stream)
    }

    /// Writes the snapshot into a new file: atomic and durable, see [`WriteOptions::write_to_path`].
    ///
    /// # Errors
    ///
    /// As [`WriteOptions::write_to_path`]; an existing file is never replaced.
    pub fn write_to_path(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        WriteOptions::new().write_to_path(self, path)
    }

    /// Creates the snapshot in these bytes, whose header is right, if its `Any` begins here.
    fn of_checked(
        bytes: Bytes,
        any: usize,
        provenance: Option<Arc<Provenance>>,
    ) -> Result<Self, Error> {
        let body = bytes.get(any..).unwrap_or_default();
        let (type_url, value) =
            split_bare_any(body, any).map_err(|e| e.in_field("the root payload"))?;
        let type_url = within(&bytes, type_url.as_bytes());
        let payload = within(&bytes, value);
        Ok(Self { bytes, any, provenance, type_url, payload, limits: TreeLimits::DEFAULT })
    }

    /// Creates the snapshot of a bare `Any`, from a peer that sends no header (hcsshim).
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`](crate::Code::InvalidArgument) if it has no type URL.
    pub fn from_any(any: &prost_types::Any) -> Result<Self, Error> {
        if any.type_url.is_empty() {
            return Err(Error::invalid("the Any has no type URL"));
        }
        let mut buffer = SaveBuffer::new();
        buffer.writer.raw(&any.value);
        buffer.close(&any.type_url);
        buffer.into_snapshot()
    }

    /// Creates the snapshot of the bytes of a bare `Any`, for example of [`Snapshot::any_bytes`].
    /// The bytes stay as they are, whichever encoder wrote them.
    ///
    /// # Errors
    ///
    /// If the bytes are not an `Any`; [`Code::InvalidArgument`](crate::Code::InvalidArgument) if it
    /// has no type URL.
    pub fn from_any_bytes(any: &[u8]) -> Result<Self, Error> {
        if split_bare_any(any, 0)?.0.is_empty() {
            return Err(Error::invalid("the Any has no type URL"));
        }
        let header = Header::before(Stored::Plain, &[], any);
        Self::of_checked([&header, any].concat().into(), HEADER_LENGTH, None)
    }

    /// Returns the root payload as a bare `Any`, for a peer that expects no header (hcsshim).
    pub fn into_any(self) -> prost_types::Any {
        let type_url = self.type_url().to_owned();
        prost_types::Any { type_url, value: self.payload().to_vec() }
    }

    /// Returns the bytes, including the header, to be written to a socket or a file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// As [`Snapshot::as_bytes`], without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// Returns the number of bytes, including the header.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns `false`, because there is always a header.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns the type URL of the root payload.
    pub fn type_url(&self) -> &str {
        // It was valid UTF-8 when it was read.
        std::str::from_utf8(&self.bytes[self.type_url.clone()]).unwrap_or_default()
    }

    /// Returns the root payload, with the payloads of all its descendants inside.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[self.payload.clone()]
    }

    /// Returns the bytes of the root payload's `Any`, as they are in the snapshot.
    pub fn any_bytes(&self) -> &[u8] {
        &self.bytes[self.any..]
    }

    /// Returns the id and the writer of the snapshot, if it was stored with
    /// [`WriteOptions::provenance`].
    pub fn provenance(&self) -> Option<&Provenance> {
        self.provenance.as_deref()
    }

    /// Returns the same, to be kept.
    pub(crate) fn shared_provenance(&self) -> Option<Arc<Provenance>> {
        self.provenance.clone()
    }

    /// Returns the stored block of the provenance, with its length in front; empty if there is none.
    fn block(&self) -> &[u8] {
        &self.bytes[HEADER_LENGTH..self.any]
    }

    /// Returns the same snapshot, to be read with these options.
    pub(crate) fn with_options(mut self, options: &ReadOptions) -> Self {
        self.limits = options.tree_limits();
        self
    }

    /// Returns the limits for the import.
    pub(crate) fn limits(&self) -> TreeLimits {
        self.limits
    }

    /// Returns the bytes of the `Any`, and their position in the snapshot.
    pub(crate) fn any(&self) -> (&[u8], usize) {
        (self.any_bytes(), self.any)
    }
}

impl From<Snapshot> for Bytes {
    fn from(snapshot: Snapshot) -> Self {
        snapshot.into_bytes()
    }
}

/// Returns the range of a part in the whole.
fn within(whole: &[u8], part: &[u8]) -> Range<usize> {
    // A part of length 0 may be anywhere.
    match part.is_empty() {
        true => 0..0,
        false => {
            let start = part.as_ptr().addr() - whole.as_ptr().addr();
            start..start + part.len()
        }
    }
}

impl AsRef<[u8]> for Snapshot {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Memory into which snapshots are saved. The next save uses it again.
#[derive(Debug, Default)]
pub struct SaveBuffer {
    writer: Writer,
}

impl SaveBuffer {
    /// Creates an empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty buffer with room for a snapshot of this many bytes, including the header of
    /// 24 bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { writer: Writer::with_capacity(capacity) }
    }

    /// Creates the same, with memory that the system has already provided. Otherwise the system
    /// provides each page at the first write, which takes longer than the save itself. Use it where
    /// others wait for the save, as in the blackout. [`Frozen::save`](crate::Frozen::save) has such
    /// a buffer after a preflight.
    ///
    /// ```
    /// # use snapshot_core::SaveBuffer;
    /// let buffer = SaveBuffer::prepared(350_000); // as long as the last snapshot was, and some more
    /// assert!(buffer.as_bytes().is_empty());
    /// ```
    pub fn prepared(capacity: usize) -> Self {
        let mut buffer = Self::with_capacity(capacity);
        buffer.writer.touch();
        buffer
    }

    /// Returns the bytes of the last save; empty before the first save and after a failed one.
    pub fn as_bytes(&self) -> &[u8] {
        self.writer.as_bytes()
    }

    /// Returns the last save as a snapshot, without a copy.
    ///
    /// # Errors
    ///
    /// [`Code::FailedPrecondition`](crate::Code::FailedPrecondition) if nothing was saved.
    pub fn into_snapshot(self) -> Result<Snapshot, Error> {
        match self.as_bytes() {
            [] => Err(Error::precondition("nothing was saved into the buffer")),
            _ => Snapshot::of_checked(self.writer.into_bytes(), HEADER_LENGTH, None),
        }
    }

    /// Forgets the last save and keeps the memory.
    pub fn clear(&mut self) {
        self.writer.clear();
    }

    /// Replaces the content by a snapshot of the payload that `put` puts, under this type URL.
    pub(crate) fn fill(
        &mut self,
        type_url: &str,
        put: impl FnOnce(&mut Writer) -> Result<(), Error>,
    ) -> Result<&[u8], Error> {
        self.writer.clear();
        match put(&mut self.writer) {
            Ok(()) => {
                self.close(type_url);
                Ok(self.as_bytes())
            }
            Err(error) => {
                self.writer.clear();
                Err(error)
            }
        }
    }

    /// Writes the `Any` around the payload, and the header before it.
    fn close(&mut self, type_url: &str) {
        close_bare_any(0, type_url, &mut self.writer);
        let header = Header::before(Stored::Plain, &[], self.writer.as_bytes());
        // Backwards: the last comes first.
        self.writer.raw(&header);
    }
}
