//! How snapshots are read: the limits.

use crate::codec::default_memory;
use crate::error::Error;

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

    pub(super) fn check_length(&self, length: u64) -> Result<(), Error> {
        match length > self.limit {
            true => Err(too_long(&format!("{length} bytes"), self.limit)),
            false => Ok(()),
        }
    }
}

#[cold]
pub(super) fn too_long(what: &str, limit: u64) -> Error {
    Error::invalid(format!(
        "the snapshot has {what}, but the reader accepts {limit}: raise the limit"
    ))
}
