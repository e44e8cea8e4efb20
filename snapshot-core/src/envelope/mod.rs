//! The envelope: one byte format for a snapshot, the same on a socket and on disk.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | magic `89 53 4E 50 0D 0A 1A 0A`, built like PNG's: not text, and damaged by whatever changes line ends |
//! | 8..10 | format version, 1 or 2 |
//! | 10..12 | how the body is stored: 0 as it is, 1 as one zstd frame |
//! | 12..20 | length of the rest in bytes |
//! | 20..24 | CRC-32 (ISO-HDLC, as in zlib) of bytes 8..20 and of the rest |
//! | 24..28 | in version 2: length of the block that follows, at most 4,096 |
//! | 28.. | in version 2: the block, a `snapshot.v1.Provenance`, never compressed |
//! | 24.. or behind the block | body, stored in this way: the root payload as `google.protobuf.Any` |
//!
//! A snapshot without a provenance has version 1, which all builds read.
//!
//! Numbers are little-endian. The digest finds damage, not forgery: a snapshot from somebody who is
//! not trusted needs a transport that authenticates. It is over what is stored, so that nothing is
//! decompressed or decoded that is not as it was written. In memory a snapshot is never compressed.
//!
//! | room | what it is |
//! |---|---|
//! | `header`, `digest` | the header, made and checked |
//! | `read` | [`ReadOptions`]: from bytes, streams and files, within limits |
//! | `incremental` | [`IncrementalReader`]: from pieces, as they arrive |
//! | `file` | [`WriteOptions`]: to bytes, streams and files |
//! | `target` | the place that a path names: a new file, one to replace, a device or a pipe |
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
    /// Where the `Any` of the root payload begins.
    any: usize,
    provenance: Option<Arc<Provenance>>,
    type_url: Range<usize>,
    payload: Range<usize>,
    /// What it may become when it is read.
    limits: TreeLimits,
}

/// By the bytes of the root payload's `Any`, whatever the limits that they were read with and the
/// provenance.
impl PartialEq for Snapshot {
    fn eq(&self, other: &Self) -> bool {
        self.any_bytes() == other.any_bytes()
    }
}

impl Eq for Snapshot {}

impl Snapshot {
    /// Takes the bytes of a snapshot, as [`Snapshot::as_bytes`] or [`WriteOptions`] gave them.
    ///
    /// The header, the length and the digest are checked before anything is decoded. What is
    /// compressed may have [`ReadOptions::DEFAULT_LIMIT`] bytes, what is not any number: it is in
    /// memory already. [`ReadOptions::from_bytes`] sets another limit.
    ///
    /// # Errors
    ///
    /// [`Code::Unimplemented`](crate::Code::Unimplemented) for a format version that this build does
    /// not read and for a compressed snapshot without the feature `zstd`;
    /// [`Code::DataLoss`](crate::Code::DataLoss) for everything else: not a snapshot, cut off, too
    /// long, damaged.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Result<Self, Error> {
        let bytes = bytes.into();
        ReadOptions::new()
            .limit(ReadOptions::DEFAULT_LIMIT.max(bytes.len() as u64))
            .from_bytes(bytes)
    }

    /// Reads one snapshot from a stream, of at most [`ReadOptions::DEFAULT_LIMIT`] bytes, and leaves
    /// there what comes after it.
    ///
    /// # Errors
    ///
    /// As [`ReadOptions::read_from`].
    pub fn read_from(stream: impl Read) -> Result<Self, Error> {
        ReadOptions::new().read_from(stream)
    }

    /// Reads the snapshot that a file holds, of at most [`ReadOptions::DEFAULT_LIMIT`] bytes.
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

    /// The snapshot in these bytes, whose header is right, if its `Any` begins here.
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

    /// The snapshot of a bare `Any`, from a peer that speaks without a header (hcsshim).
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

    /// The snapshot of the bytes of a bare `Any`, which stay as they are, whatever encoder wrote
    /// them: what [`Snapshot::any_bytes`] gave.
    ///
    /// # Errors
    ///
    /// Bytes that are no `Any`; [`Code::InvalidArgument`](crate::Code::InvalidArgument) if it has no
    /// type URL.
    pub fn from_any_bytes(any: &[u8]) -> Result<Self, Error> {
        if split_bare_any(any, 0)?.0.is_empty() {
            return Err(Error::invalid("the Any has no type URL"));
        }
        let header = Header::before(Stored::Plain, &[], any);
        Self::of_checked([&header, any].concat().into(), HEADER_LENGTH, None)
    }

    /// The root payload as a bare `Any`, for a peer that speaks without a header (hcsshim).
    pub fn into_any(self) -> prost_types::Any {
        let type_url = self.type_url().to_owned();
        prost_types::Any { type_url, value: self.payload().to_vec() }
    }

    /// The bytes, header included, to be written to a socket or a file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// As [`Snapshot::as_bytes`], without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// The number of bytes, header included.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Always `false`: there is a header at least.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The type URL of the root payload.
    pub fn type_url(&self) -> &str {
        // It was UTF-8 when it was taken.
        std::str::from_utf8(&self.bytes[self.type_url.clone()]).unwrap_or_default()
    }

    /// The root payload, with the payloads of all its descendants inside.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[self.payload.clone()]
    }

    /// The bytes of the root payload's `Any`, as they lie in the snapshot.
    pub fn any_bytes(&self) -> &[u8] {
        &self.bytes[self.any..]
    }

    /// Which snapshot this is and who wrote it, if whoever stored it said so with
    /// [`WriteOptions::provenance`].
    pub fn provenance(&self) -> Option<&Provenance> {
        self.provenance.as_deref()
    }

    /// The same, to be kept.
    pub(crate) fn shared_provenance(&self) -> Option<Arc<Provenance>> {
        self.provenance.clone()
    }

    /// The block of the provenance as it is stored, its length in front; empty if there is none.
    fn block(&self) -> &[u8] {
        &self.bytes[HEADER_LENGTH..self.any]
    }

    /// The same snapshot, to be read with these options.
    pub(crate) fn with_options(mut self, options: &ReadOptions) -> Self {
        self.limits = options.tree_limits();
        self
    }

    /// The limits of what is built of it.
    pub(crate) fn limits(&self) -> TreeLimits {
        self.limits
    }

    /// The bytes of the `Any`, and where they start in the snapshot.
    pub(crate) fn any(&self) -> (&[u8], usize) {
        (self.any_bytes(), self.any)
    }
}

impl From<Snapshot> for Bytes {
    fn from(snapshot: Snapshot) -> Self {
        snapshot.into_bytes()
    }
}

/// Where a part lies in the whole.
fn within(whole: &[u8], part: &[u8]) -> Range<usize> {
    // A part of length 0 may lie anywhere.
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

/// Memory that snapshots are saved into, used again by the next save.
#[derive(Debug, Default)]
pub struct SaveBuffer {
    writer: Writer,
}

impl SaveBuffer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty buffer with room for a snapshot of this many bytes, the header of 24 included.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { writer: Writer::with_capacity(capacity) }
    }

    /// The same, with memory that the system has given already: otherwise it gives each page when it
    /// is first written to, which takes longer than the save itself. For a save that others wait
    /// for, as in the blackout; [`Frozen::save`](crate::Frozen::save) has one by itself after a
    /// preflight.
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

    /// The bytes of the last save; empty before the first and after one that failed.
    pub fn as_bytes(&self) -> &[u8] {
        self.writer.as_bytes()
    }

    /// The last save as a snapshot, without a copy.
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

    /// Forgets the last save, keeps the memory.
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

    /// Puts the `Any` around the payload, and the header before it.
    fn close(&mut self, type_url: &str) {
        close_bare_any(0, type_url, &mut self.writer);
        let header = Header::before(Stored::Plain, &[], self.writer.as_bytes());
        // Backwards: the last comes first.
        self.writer.raw(&header);
    }
}
