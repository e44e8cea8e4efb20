//! [`Provenance`]: the id and the writer of a stored snapshot.

use std::time::SystemTime;

use prost::Message;

use crate::error::{Code, Error, plural};
use crate::wire::v1 as wire;

/// The id of a stored snapshot, the program that wrote it, and the time: a block beside the payload,
/// covered by the same digest.
///
/// A stored snapshot may be restored later, or twice. A program that restores it reads
/// [`Snapshot::provenance`](crate::Snapshot::provenance), and its hooks find it in
/// [`Context::origin`](crate::Context::origin). The block is not a part of the state: two snapshots
/// that differ only in it are equal.
///
/// ```
/// use snapshot_core::{Provenance, Snapshot, WriteOptions};
///
/// # let snapshot = Snapshot::from_any(&prost_types::Any {
/// #     type_url: "type.googleapis.com/doc.v1.Disk".to_owned(), value: vec![8, 1],
/// # })?;
/// let provenance = Provenance::new("sandbox-7/12", "acme-shim", env!("CARGO_PKG_VERSION"))?;
/// let bytes = WriteOptions::new().provenance(provenance).to_bytes(&snapshot)?;
///
/// let stored = Snapshot::from_bytes(bytes)?;
/// assert_eq!(stored, snapshot);
/// assert_eq!(stored.provenance().map(Provenance::id), Some("sandbox-7/12"));
/// # Ok::<(), snapshot_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The message as it is stored, with the fields of later builds.
    bytes: Vec<u8>,
    id: String,
    program: String,
    build: String,
    written_at: SystemTime,
}

impl Provenance {
    /// The maximum number of bytes in each text.
    pub const MAX_LENGTH: usize = 256;

    /// The maximum number of bytes in the message: three texts and a time, and room for fields of later
    /// builds.
    pub const MAX_ENCODED_LENGTH: usize = 4096;

    /// Creates the provenance of a snapshot that is written now.
    ///
    /// `id` distinguishes snapshots, for example a UUID, or the name of a sandbox with a counter. `build`
    /// is a version or a commit of the program, and may be empty.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`] if a text is longer than [`Provenance::MAX_LENGTH`] or contains a
    /// control character, or if the id or the program is empty.
    pub fn new(
        id: impl Into<String>,
        program: impl Into<String>,
        build: impl Into<String>,
    ) -> Result<Self, Error> {
        let (id, program, build) = (id.into(), program.into(), build.into());
        let written_at = Some(SystemTime::now().into());
        Self::of(wire::Provenance { id, program, build, written_at }, None)
    }

    /// Decodes a message `snapshot.v1.Provenance`, as returned by [`Provenance::as_bytes`]. Fields that
    /// this build does not know are kept.
    ///
    /// # Errors
    ///
    /// [`Code::DataLoss`] if the bytes are not such a message, or more than
    /// [`Provenance::MAX_ENCODED_LENGTH`]; [`Code::InvalidArgument`] for a text that
    /// [`Provenance::new`] refuses, or for a missing time.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let (length, most) = (bytes.len(), Self::MAX_ENCODED_LENGTH);
        if length > most {
            return Err(damaged(format!("has {length} bytes, but may have at most {most}")));
        }
        let message = wire::Provenance::decode(bytes)
            .map_err(|error| damaged(format!("cannot be read: {error}")).with_source(error))?;
        Self::of(message, Some(bytes))
    }

    /// Returns the bytes of the message `snapshot.v1.Provenance`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the id of the snapshot.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the program that wrote it.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Returns the build of that program, which may be empty.
    pub fn build(&self) -> &str {
        &self.build
    }

    /// Returns the time when it was written, by the clock of the host that wrote it.
    pub fn written_at(&self) -> SystemTime {
        self.written_at
    }

    fn of(message: wire::Provenance, bytes: Option<&[u8]>) -> Result<Self, Error> {
        let texts = [
            ("id", &message.id, 1),
            ("program", &message.program, 1),
            ("build", &message.build, 0),
        ];
        for (field, text, shortest) in texts {
            let (length, longest) = (text.len(), Self::MAX_LENGTH);
            if !(shortest..=longest).contains(&length) {
                let s = plural(length);
                let reason = format!("has {length} byte{s}, but must have {shortest} to {longest}");
                return Err(Error::invalid(reason).in_field(field));
            }
            if text.chars().any(char::is_control) {
                return Err(Error::invalid("has a control character: remove it").in_field(field));
            }
        }
        let bytes = bytes.map_or_else(|| message.encode_to_vec(), <[u8]>::to_vec);
        let wire::Provenance { id, program, build, written_at } = message;
        let written_at = written_at
            .ok_or_else(|| Error::invalid("must be set").in_field("written_at"))?
            .try_into()
            .map_err(|error: prost_types::TimestampError| {
                let reason = format!("this host has no such time: {error}");
                Error::invalid(reason).in_field("written_at").with_source(error)
            })?;
        Ok(Self { bytes, id, program, build, written_at })
    }

    /// Returns the block of a stored snapshot: the length of the message in four bytes, and the message.
    pub(crate) fn to_block(&self) -> Vec<u8> {
        // At most 4,096.
        let length = self.bytes.len() as u32;
        [&length.to_le_bytes(), &self.bytes[..]].concat()
    }

    /// Reads the block at the start of these bytes, and returns what comes after it.
    ///
    /// # Errors
    ///
    /// As [`Provenance::from_bytes`]. Also if the block goes beyond the end.
    pub(crate) fn take_block(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let taken = || {
            let (left, s) = (bytes.len(), plural(bytes.len()));
            let truncated = || damaged(format!("goes beyond the end: has {left} byte{s} left"));
            let (length, rest) = bytes.split_first_chunk().ok_or_else(truncated)?;
            let length = u32::from_le_bytes(*length) as usize;
            let (message, rest) = rest.split_at_checked(length).ok_or_else(truncated)?;
            Ok((Self::from_bytes(message)?, rest))
        };
        taken().map_err(|error: Error| error.in_field("the provenance"))
    }
}

#[cold]
fn damaged(reason: String) -> Error {
    Error::new(Code::DataLoss, reason)
}
