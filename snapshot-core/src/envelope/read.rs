//! Reading snapshots from anywhere.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;

use super::compression::expand;
use super::header::{HEADER_LENGTH, Header, Stored};
use super::incremental::IncrementalReader;
use super::{Snapshot, file};
use crate::Error;
use crate::codec::default_memory;

/// How much memory is taken before the first byte has come.
const FIRST_PIECE: usize = 64 << 10;

/// How snapshots are read: how long one may be, how much memory it may take, and how long the names in
/// it may be.
///
/// All limits have defaults, which are far above what sandboxes need and low enough that a hostile
/// snapshot cannot exhaust a host. A reader that has other limits should state them in its manifest,
/// [`Manifest::with_limits`](crate::schema::Manifest::with_limits), so that a source finds out in its
/// preflight.
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
    tree: TreeLimits,
}

/// The limits of what is built of a snapshot. They stay with it until it is imported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TreeLimits {
    /// The budget of memory in bytes; `None` for the default, which depends on the length.
    pub(crate) memory: Option<u64>,
    /// The most bytes of a name.
    pub(crate) name: usize,
}

impl TreeLimits {
    pub(crate) const DEFAULT: Self = Self { memory: None, name: ReadOptions::DEFAULT_NAME_LIMIT };

    /// The budget for a payload of this many bytes.
    pub(crate) fn memory_for(&self, length: usize) -> u64 {
        self.memory.unwrap_or(default_memory(length))
    }
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl ReadOptions {
    /// The limit where none is given, in bytes: 256 MiB. A sandbox of 5,000 containers has 16 MiB.
    pub const DEFAULT_LIMIT: u64 = 256 << 20;

    /// The most bytes of a name where no other limit is given: 1,024.
    pub const DEFAULT_NAME_LIMIT: usize = 1024;

    /// How much memory may be taken for what is built of a snapshot, if [`ReadOptions::memory`] does not
    /// say otherwise: 64 MiB, and 16 bytes for each byte of the payload. A sandbox takes about 4.
    pub const fn default_memory(payload_length: usize) -> u64 {
        default_memory(payload_length)
    }

    /// The default limits.
    pub const fn new() -> Self {
        Self { limit: Self::DEFAULT_LIMIT, tree: TreeLimits::DEFAULT }
    }

    /// The most bytes of memory that may be taken for what is built of the snapshot: the states and
    /// what the library keeps of each controller. By default [`ReadOptions::default_memory`].
    ///
    /// Two bytes of a list can stand for an element of a kilobyte. An import, a preview or a check that
    /// would take more than the budget fails with
    /// [`Code::ResourceExhausted`](crate::Code::ResourceExhausted), and names the place where it ran
    /// out. Counted are the buffers of lists, maps and sets, boxed values, and controllers. Texts and
    /// bytes are not counted: they are copied once and cannot outgrow the snapshot. What adapters, hooks
    /// and `import` functions take is not counted either.
    #[must_use]
    pub const fn memory(mut self, bytes: u64) -> Self {
        self.tree.memory = Some(bytes);
        self
    }

    /// The most bytes that a map key or a name may have which becomes a step of a controller's id, as
    /// the id shows it. By default [`ReadOptions::DEFAULT_NAME_LIMIT`].
    ///
    /// An id with a longer name is refused with
    /// [`Code::ResourceExhausted`](crate::Code::ResourceExhausted). Ids are at most 50 steps deep.
    #[must_use]
    pub const fn name_limit(mut self, bytes: usize) -> Self {
        self.tree.name = bytes;
        self
    }

    /// What [`ReadOptions::limit`] says.
    pub(crate) fn length_limit(&self) -> u64 {
        self.limit
    }

    /// The limits of what is built.
    pub(crate) fn tree_limits(&self) -> TreeLimits {
        self.tree
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
        let snapshot = self.checked(bytes.into())?;
        Ok(Snapshot { limits: self.tree, ..snapshot })
    }

    fn checked(&self, bytes: Bytes) -> Result<Snapshot, Error> {
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
        file.take(FIRST_PIECE as u64).read_to_end(&mut bytes).map_err(at)?;
        self.from_bytes(bytes).map_err(|error| file::of(path, error))
    }

    /// A reader for a snapshot that arrives in pieces, within these limits.
    pub fn incremental(&self) -> IncrementalReader {
        IncrementalReader::new(self.clone())
    }

    pub(super) fn check_length(&self, length: u64) -> Result<(), Error> {
        match length > self.limit {
            true => Err(too_long(&format!("{length} bytes"), self.limit)),
            false => Ok(()),
        }
    }

    /// The header, and as many bytes behind it as it says, or as there are.
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

#[cold]
pub(super) fn too_long(what: &str, limit: u64) -> Error {
    Error::invalid(format!(
        "the snapshot has {what}, and the reader takes {limit}: raise the limit"
    ))
}
