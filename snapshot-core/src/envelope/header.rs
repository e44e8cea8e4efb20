//! The header: what a reader knows before it decodes anything.

use super::digest::digest_of;
use crate::{Code, Error};

/// Source of the idea: <https://www.w3.org/TR/png-3/#5PNG-file-signature>.
pub(super) const MAGIC: [u8; 8] = *b"\x89SNP\r\n\x1a\n";
/// The version with nothing but the root payload behind the header.
const BARE: u16 = 1;
/// The version with the block of a provenance before the root payload.
const WITH_PROVENANCE: u16 = 2;
pub(super) const HEADER_LENGTH: usize = 24;

/// How the body is stored behind the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// As it is.
    Plain,
    /// As one zstd frame.
    Zstd,
}

impl Stored {
    /// The way with this number, if there is one.
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
    /// The header that goes before the block of a provenance, which may be empty, and a body.
    pub(super) fn before(stored: Stored, block: &[u8], body: &[u8]) -> [u8; HEADER_LENGTH] {
        let version = match block {
            [] => BARE,
            _ => WITH_PROVENANCE,
        };
        Self::of(version, stored, &[block, body])
    }

    /// The header of the same version that goes before this, stored in another way.
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

    /// Looks at the beginning of a snapshot as far as it has come: the header, or `None` while a part of
    /// it is missing.
    ///
    /// # Errors
    ///
    /// As [`Header::take`], as soon as the bytes are there that show it; and a way of storing that this
    /// build does not know. What the digest would say cannot be known yet, so that may be damage too.
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
                "stored in way {stored}, which this build does not know: a newer build wrote the \
                 snapshot, or it is damaged"
            );
            return Err(Error::new(Code::Unimplemented, reason));
        }
        match bytes.len() < HEADER_LENGTH {
            true => Ok(None),
            false => Self::take(bytes).map(|(header, _)| Some(header)),
        }
    }

    /// The header at the start of these bytes, and what comes after it.
    ///
    /// # Errors
    ///
    /// Bytes that begin differently or end within the header, and another format version.
    pub(super) fn take(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let Some((magic, rest)) = bytes.split_first_chunk::<8>() else {
            let length = bytes.len();
            return Err(damaged(format!(
                "not a snapshot: {length} bytes, a header has {HEADER_LENGTH}"
            )));
        };
        if *magic != MAGIC {
            return Err(damaged(begins_differently(magic)));
        }
        let cut_off = || damaged(format!("cut off in the header, after {} bytes", bytes.len()));
        let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(cut_off)?;
        // Before anything else: another version may have another header.
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

    /// Whether the block of a provenance is behind the header.
    pub(super) fn has_provenance(&self) -> bool {
        self.version == WITH_PROVENANCE
    }

    /// Checks what comes after the header, and says how the body is stored in it.
    ///
    /// # Errors
    ///
    /// Another length, another digest, and a way of storing that this build does not know.
    pub(super) fn check(&self, bytes: &[u8]) -> Result<Stored, Error> {
        let length = self.length;
        match bytes.len() as u64 {
            found if found < length => {
                return Err(damaged(format!("cut off: the body has {found} of {length} bytes")));
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
                "the digest is {found:08x} and should be {expected:08x}: damaged"
            )));
        }
        Stored::of(self.stored).ok_or_else(|| {
            let reason = format!("stored in way {}, which this build does not know", self.stored);
            Error::new(Code::Unimplemented, reason)
        })
    }
}

#[cold]
pub(super) fn damaged(reason: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Code::DataLoss, reason)
}

/// There are `more` bytes behind a body of `length`.
#[cold]
pub(super) fn too_long_by(more: u64, length: u64) -> Error {
    damaged(format!("{more} bytes too long: a body of {length}"))
}

fn check_version(version: u16) -> Result<(), Error> {
    match version {
        BARE | WITH_PROVENANCE => Ok(()),
        _ => Err(Error::new(
            Code::Unimplemented,
            format!("format version {version}, this build reads 1 and 2"),
        )),
    }
}

fn begins_differently(magic: &[u8]) -> &'static str {
    match magic {
        // What is left of the magic after a text-mode transfer.
        [0x89, b'S', b'N', b'P', ..] => {
            "line ends were changed on the way: transfer the snapshot as binary"
        }
        [b'\t', b'S', b'N', b'P', ..] => {
            "the eighth bits were cut off on the way: transfer the snapshot as binary"
        }
        _ => "not a snapshot: it begins differently",
    }
}
