//! The limits within which snapshots are read.

use crate::codec::default_memory;
use crate::error::{Error, plural};

/// The limits of a read: the length of a snapshot, its memory, and the length of the names in it.
///
/// All limits have defaults. They are far above the needs of sandboxes, and low enough that a
/// hostile snapshot cannot exhaust a host. A reader with other limits should state them in its
/// manifest ([`Manifest::with_limits`](crate::schema::Manifest::with_limits)), so that a source
/// finds out in its preflight.
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

/// The limits of the tree that is built from a snapshot. They stay with the snapshot until its
/// import.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TreeLimits {
    /// The budget of memory in bytes; `None` for the default, which depends on the length.
    pub(crate) memory: Option<u64>,
    /// The maximum length of a name in bytes.
    pub(crate) name: usize,
}

impl TreeLimits {
    pub(crate) const DEFAULT: Self = Self { memory: None, name: ReadOptions::DEFAULT_NAME_LIMIT };

    /// Returns the budget for a payload of this many bytes.
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
    /// The default limit of the length, in bytes: 256 MiB. A sandbox of 5,000 containers has 16
    /// MiB.
    pub const DEFAULT_LIMIT: u64 = 256 << 20;

    /// The default limit of a name, in bytes: 1,024.
    pub const DEFAULT_NAME_LIMIT: usize = 1024;

    /// Returns the default budget of memory: 64 MiB, and 16 bytes for each byte of the payload. A
    /// sandbox takes about 4 bytes for each byte.
    pub const fn default_memory(payload_length: usize) -> u64 {
        default_memory(payload_length)
    }

    /// Returns the default limits.
    pub const fn new() -> Self {
        Self { limit: Self::DEFAULT_LIMIT, tree: TreeLimits::DEFAULT }
    }

    /// Sets the budget of memory, in bytes, for everything that is built from the snapshot: the
    /// states, and the library's own data of each controller. The default is
    /// [`ReadOptions::default_memory`].
    ///
    /// Two bytes of a list can stand for an element of a kilobyte. An import, a preview or a check
    /// that needs more than the budget fails with
    /// [`Code::ResourceExhausted`](crate::Code::ResourceExhausted), and names the place. The budget
    /// counts the buffers of lists, maps and sets, boxed values, and controllers. Text and bytes
    /// are not counted: they are copied once and cannot outgrow the snapshot. Memory that adapters,
    /// hooks and `import` functions allocate is not counted either.
    #[must_use]
    pub const fn memory(mut self, bytes: u64) -> Self {
        self.tree.memory = Some(bytes);
        self
    }

    /// Sets the maximum length in bytes of a map key or a name that becomes a step of a
    /// controller's id, in the form that the id shows. The default is
    /// [`ReadOptions::DEFAULT_NAME_LIMIT`].
    ///
    /// An id with a longer name is refused with
    /// [`Code::ResourceExhausted`](crate::Code::ResourceExhausted). Ids are at most 50 steps deep.
    #[must_use]
    pub const fn name_limit(mut self, bytes: usize) -> Self {
        self.tree.name = bytes;
        self
    }

    /// Returns the limit that [`ReadOptions::limit`] has set.
    pub(crate) fn length_limit(&self) -> u64 {
        self.limit
    }

    /// Returns the limits of the tree that is built.
    pub(crate) fn tree_limits(&self) -> TreeLimits {
        self.tree
    }

    /// Sets the maximum length in bytes behind the header, as stored and when decompressed. No more
    /// memory is allocated than for that, and none on the word of a header alone.
    #[must_use]
    pub const fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    pub(super) fn check_length(&self, length: u64) -> Result<(), Error> {
        match length > self.limit {
            true => Err(too_long(&format!("{length} byte{s}", s = plural(length)), self.limit)),
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
