//! A snapshot that arrives in pieces.

use super::Snapshot;
use super::header::{self, HEADER_LENGTH, Header};
use super::options::ReadOptions;
use crate::Error;

/// Accepts a snapshot piece by piece, as a socket delivers it. It does no input or output itself,
/// so async code can feed it, limit its time, and drop it at any point.
///
/// [`ReadOptions::incremental`] creates one. Refusals come as early as possible: a wrong beginning
/// with the first byte that differs; another format version or a length above the limit with the
/// header. Memory is allocated for the bytes that have arrived, never for announced ones.
///
/// ```
/// use snapshot_core::ReadOptions;
///
/// # let snapshot = snapshot_core::Snapshot::from_any(&prost_types::Any {
/// #     type_url: "type.googleapis.com/doc.v1.Disk".to_owned(), value: vec![8, 1],
/// # })?;
/// # let sent = snapshot.as_bytes();
/// let mut incoming = ReadOptions::new().incremental();
/// for piece in sent.chunks(7) {
///     let taken = incoming.push(piece)?;
///     assert_eq!(taken, piece.len());
/// }
/// assert!(incoming.is_complete());
/// assert_eq!(incoming.finish()?, snapshot);
/// # Ok::<(), snapshot_core::Error>(())
/// ```
#[derive(Debug)]
pub struct IncrementalReader {
    options: ReadOptions,
    bytes: Vec<u8>,
    /// The end of the part that can be accepted now: first the header, then the whole snapshot.
    end: usize,
    /// The length of the whole snapshot, once its header has arrived.
    total: Option<usize>,
    /// Whether a piece was refused.
    is_refused: bool,
}

impl ReadOptions {
    /// Creates a reader for a snapshot that arrives in pieces, within these limits.
    pub fn incremental(&self) -> IncrementalReader {
        IncrementalReader::new(self.clone())
    }
}

impl IncrementalReader {
    pub(super) fn new(options: ReadOptions) -> Self {
        Self { options, bytes: Vec::new(), end: HEADER_LENGTH, total: None, is_refused: false }
    }

    /// Accepts the next bytes. Returns how many of them belong to the snapshot: all of them, unless
    /// the snapshot ends within them. The others were not accepted; on a connection that carries
    /// more than the snapshot, they belong to the next message.
    ///
    /// # Errors
    ///
    /// [`Code::DataLoss`](crate::Code::DataLoss) if this is not a snapshot, or if it is already
    /// complete and `bytes` is not empty; [`Code::Unimplemented`](crate::Code::Unimplemented) for a
    /// format version or a storage method that this build does not read;
    /// [`Code::InvalidArgument`](crate::Code::InvalidArgument) above the limit. After an error, no
    /// more bytes are accepted.
    pub fn push(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        if self.is_refused {
            return Err(refused_before());
        }
        if self.is_complete() && !bytes.is_empty() {
            let (more, length) = (bytes.len(), self.end - HEADER_LENGTH);
            return self.refuse(header::too_long_by(more as u64, length as u64));
        }
        let mut taken = 0;
        while taken < bytes.len() && !self.is_complete() {
            let piece = &bytes[taken..];
            let piece = &piece[..piece.len().min(self.wants())];
            self.make_room(piece.len());
            self.bytes.extend_from_slice(piece);
            taken += piece.len();
            self.look()?;
        }
        Ok(taken)
    }

    /// Returns the number of bytes to read next: the missing part of the header, and after that of
    /// the whole snapshot. 0 if it is complete.
    pub fn wants(&self) -> usize {
        self.end - self.bytes.len()
    }

    /// Returns the number of bytes that have arrived.
    pub fn received(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the length of the whole snapshot; `None` until its header has arrived.
    pub fn expected(&self) -> Option<usize> {
        self.total
    }

    /// Returns whether all bytes have arrived. [`IncrementalReader::finish`] then checks the
    /// digest.
    pub fn is_complete(&self) -> bool {
        self.total == Some(self.bytes.len())
    }

    /// Returns the snapshot: checks its digest, and decompresses it if it is compressed.
    ///
    /// # Errors
    ///
    /// As [`ReadOptions::from_bytes`]. If bytes are missing, because the other side closed the
    /// connection early, the error says how many have arrived and how many are expected.
    pub fn finish(self) -> Result<Snapshot, Error> {
        match self.is_refused {
            true => Err(refused_before()),
            false => self.options.from_bytes(self.bytes),
        }
    }

    /// Returns the buffer for a blocking reader, which appends at most [`IncrementalReader::wants`]
    /// bytes and then calls [`IncrementalReader::look`].
    pub(super) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Returns the bytes that have arrived.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Reads as much of the header as has arrived.
    pub(super) fn look(&mut self) -> Result<(), Error> {
        if self.total.is_some() {
            return Ok(());
        }
        let looked = Header::look(&self.bytes).and_then(|header| {
            let Some(header) = header else { return Ok(None) };
            self.options.check_length(header.length)?;
            // A snapshot that exceeds the address space never becomes complete.
            let length = usize::try_from(header.length).unwrap_or(usize::MAX);
            Ok(Some(length.saturating_add(HEADER_LENGTH)))
        });
        match looked {
            Ok(total) => {
                self.total = total;
                self.end = total.unwrap_or(HEADER_LENGTH);
                Ok(())
            }
            Err(error) => self.refuse(error),
        }
    }

    /// Makes room as bytes arrive, at most for the whole snapshot.
    fn make_room(&mut self, more: usize) {
        let needed = self.bytes.len() + more;
        if needed > self.bytes.capacity() {
            let capacity = self.bytes.capacity().saturating_mul(2).clamp(needed, self.end);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
    }

    fn refuse<T>(&mut self, error: Error) -> Result<T, Error> {
        self.is_refused = true;
        self.bytes = Vec::new();
        Err(error)
    }
}

#[cold]
fn refused_before() -> Error {
    Error::precondition("the snapshot was refused already: read the next one with a new reader")
}
