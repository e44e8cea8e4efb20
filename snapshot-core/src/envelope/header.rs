//! The header: the data that a reader has before it decodes anything.

use super::digest::digest_of;
use crate::error::{Code, Error, plural};

/// Source of the idea: <https://www.w3.org/TR/png-3/#5PNG-file-signature>.
pub(super) const MAGIC: [u8; 8] = *b"\x89SNP\r\n\x1a\n";
/// The version with only the root payload behind the header.
const BARE: u16 = 1;
/// The version with the block of a provenance before the root payload.
const WITH_PROVENANCE: u16 = 2;
pub(super) const HEADER_LENGTH: usize = 24;

/// The form in which the body is stored behind the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// Unchanged.
    Plain,
    /// As one zstd frame.
    Zstd,
}

impl Stored {
    /// Returns the form with this number, if there is one.
    fn of(number: u16) -> Option<Self> {
        [Self::Plain, Self::Zstd].into_iter().find(|stored| stored.number() == number)
    }

    fn number(self) -> u16 {
        match self {
            Self::Plain => 0,
            Self::Zstd => 1,
        }
    }
}

/// The fields of a header whose magic and format version are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    version: u16,
    stored: u16,
    /// The number of bytes behind the header.
    pub(super) length: u64,
    digest: u32,
}

impl Header {
    /// Creates the header for the block of a provenance, which may be empty, and a body.
    pub(super) fn before(stored: Stored, block: &[u8], body: &[u8]) -> [u8; HEADER_LENGTH] {
        let version = match block {
            [] => BARE,
            _ => WITH_PROVENANCE,
        };
        Self::of(version, stored, &[block, body])
    }

    /// Creates the header of the same version for these bytes, with another storage method.
    pub(super) fn stored_again(&self, stored: Stored, behind: &[u8]) -> [u8; HEADER_LENGTH] {
        Self::of(self.version, stored, &[behind])
    }

    fn of(version: u16, stored: Stored, pieces: &[&[u8]]) -> [u8; HEADER_LENGTH] {
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        let mut header = [0; HEADER_LENGTH];
        header[..8].copy_from_slice(&MAGIC);
        header[8..10].copy_from_slice(&version.to_le_bytes());
        header[10..12].copy_from_slice(&stored.number().to_le_bytes());
        header[12..20].copy_from_slice(&(length as u64).to_le_bytes());
        let digest = digest_of(&header[8..20], pieces);
        header[20..].copy_from_slice(&digest.to_le_bytes());
        header
    }

    /// Reads the header of a snapshot that is still arriving. Returns `None` while a part of it is
    /// missing.
    ///
    /// # Errors
    ///
    /// As [`Header::take`], as soon as the bytes have arrived; also for a storage method that this
    /// build does not know. The digest is not checked yet, so the cause may be damage too.
    pub(super) fn look(bytes: &[u8]) -> Result<Option<Self>, Error> {
        if !bytes.iter().zip(&MAGIC).all(|(found, expected)| found == expected) {
            return Err(damaged(begins_differently(bytes)));
        }
        let Some(([low, high], rest)) = bytes.get(8..).and_then(<[u8]>::split_first_chunk) else {
            return Ok(None);
        };
        check_version(u16::from_le_bytes([*low, *high]))?;
        let Some(stored) = rest.first_chunk() else { return Ok(None) };
        let stored = u16::from_le_bytes(*stored);
        if Stored::of(stored).is_none() {
            let reason = format!(
                "stored with method {stored}, which this build does not know: a newer build wrote \
                 the snapshot, or it is damaged"
            );
            return Err(Error::new(Code::Unimplemented, reason));
        }
        match bytes.len() < HEADER_LENGTH {
            true => Ok(None),
            false => Self::take(bytes).map(|(header, _)| Some(header)),
        }
    }

    /// Splits these bytes into the header and the rest.
    ///
    /// # Errors
    ///
    /// If the bytes begin differently, end within the header or have another format version.
    pub(super) fn take(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let Some((magic, rest)) = bytes.split_first_chunk::<8>() else {
            let (length, s) = (bytes.len(), plural(bytes.len()));
            return Err(damaged(format!(
                "not a snapshot: {length} byte{s}, but a header alone has {HEADER_LENGTH}"
            )));
        };
        if *magic != MAGIC {
            return Err(damaged(begins_differently(magic)));
        }
        let cut_off = || damaged(format!("truncated in the header, after {} bytes", bytes.len()));
        let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(cut_off)?;
        // Checked first, because another version may have another header.
        check_version(u16::from_le_bytes(*version))?;
        let (stored, rest) = rest.split_first_chunk::<2>().ok_or_else(cut_off)?;
        let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(cut_off)?;
        let (digest, rest) = rest.split_first_chunk::<4>().ok_or_else(cut_off)?;
        let header = Self {
            version: u16::from_le_bytes(*version),
            stored: u16::from_le_bytes(*stored),
            length: u64::from_le_bytes(*length),
            digest: u32::from_le_bytes(*digest),
        };
        Ok((header, rest))
    }

    /// Returns whether the block of a provenance is behind the header.
    pub(super) fn has_provenance(&self) -> bool {
        self.version == WITH_PROVENANCE
    }

    /// Checks the bytes behind the header. Returns the form in which the body is stored.
    ///
    /// # Errors
    ///
    /// If the length or the digest is wrong, or if this build does not know the storage method.
    pub(super) fn check(&self, bytes: &[u8]) -> Result<Stored, Error> {
        let length = self.length;
        match bytes.len() as u64 {
            found if found < length => {
                return Err(damaged(format!(
                    "truncated: the body has {found} of {length} byte{s}",
                    s = plural(length)
                )));
            }
            found if found > length => {
                let more = found - length;
                return Err(too_long_by(more, length));
            }
            _ => {}
        }
        let mut fields = [0; 12];
        fields[..2].copy_from_slice(&self.version.to_le_bytes());
        fields[2..4].copy_from_slice(&self.stored.to_le_bytes());
        fields[4..].copy_from_slice(&length.to_le_bytes());
        let (expected, found) = (self.digest, digest_of(&fields, &[bytes]));
        if found != expected {
            return Err(damaged(format!(
                "damaged: the digest is {found:08x}, expected {expected:08x}"
            )));
        }
        Stored::of(self.stored).ok_or_else(|| {
            let reason =
                format!("stored with method {}, which this build does not know", self.stored);
            Error::new(Code::Unimplemented, reason)
        })
    }
}

#[cold]
pub(super) fn damaged(reason: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Code::DataLoss, reason)
}

/// Returns the error of `more` bytes behind a body of `length`.
#[cold]
pub(super) fn too_long_by(more: u64, length: u64) -> Error {
    damaged(format!("{more} byte{s} too many after a body of {length}", s = plural(more)))
}

fn check_version(version: u16) -> Result<(), Error> {
    match version {
        BARE | WITH_PROVENANCE => Ok(()),
        _ => Err(Error::new(
            Code::Unimplemented,
            format!("format version {version}, but this build reads 1 and 2"),
        )),
    }
}

fn begins_differently(magic: &[u8]) -> &'static str {
    match magic {
        // The magic number as a text-mode transfer leaves it.
        [0x89, b'S', b'N', b'P', ..] => {
            "line endings were changed in transit: transfer the snapshot as binary"
        }
        [b'\t', b'S', b'N', b'P', ..] => {
            "the high bit of each byte was cleared in transit: transfer the snapshot as binary"
        }
        _ => "not a snapshot: the magic number is missing",
    }
}
