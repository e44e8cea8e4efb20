//! The header: what a reader knows before it decodes anything.

use super::digest::digest_of;
use crate::{Code, Error};

/// Source of the idea: <https://www.w3.org/TR/png-3/#5PNG-file-signature>.
pub(super) const MAGIC: [u8; 8] = *b"\x89SNP\r\n\x1a\n";
pub(super) const FORMAT_VERSION: u16 = 1;
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
    stored: u16,
    /// The number of bytes behind the header.
    pub(super) length: u64,
    digest: u32,
}

impl Header {
    /// The header that goes before these bytes.
    pub(super) fn before(stored: Stored, bytes: &[u8]) -> [u8; HEADER_LENGTH] {
        let mut header = [0; HEADER_LENGTH];
        header[..8].copy_from_slice(&MAGIC);
        header[8..10].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        header[10..12].copy_from_slice(&stored.number().to_le_bytes());
        header[12..20].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
        let digest = digest_of(&header[8..20], bytes);
        header[20..].copy_from_slice(&digest.to_le_bytes());
        header
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
        let version = u16::from_le_bytes(*version);
        if version != FORMAT_VERSION {
            return Err(Error::new(
                Code::Unimplemented,
                format!("format version {version}, this build reads version {FORMAT_VERSION}"),
            ));
        }
        let (stored, rest) = rest.split_first_chunk::<2>().ok_or_else(cut_off)?;
        let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(cut_off)?;
        let (digest, rest) = rest.split_first_chunk::<4>().ok_or_else(cut_off)?;
        let header = Self {
            stored: u16::from_le_bytes(*stored),
            length: u64::from_le_bytes(*length),
            digest: u32::from_le_bytes(*digest),
        };
        Ok((header, rest))
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
                return Err(damaged(format!("{more} bytes too long: a body of {length}")));
            }
            _ => {}
        }
        let mut fields = [0; 12];
        fields[..2].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        fields[2..4].copy_from_slice(&self.stored.to_le_bytes());
        fields[4..].copy_from_slice(&length.to_le_bytes());
        let (expected, found) = (self.digest, digest_of(&fields, bytes));
        if found != expected {
            return Err(damaged(format!(
                "the digest is {found:08x} and should be {expected:08x}: damaged"
            )));
        }
        [Stored::Plain, Stored::Zstd].into_iter().find(|s| s.number() == self.stored).ok_or_else(
            || {
                let reason =
                    format!("stored in way {}, which this build does not know", self.stored);
                Error::new(Code::Unimplemented, reason)
            },
        )
    }
}

#[cold]
pub(super) fn damaged(reason: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Code::DataLoss, reason)
}

fn begins_differently(magic: &[u8; 8]) -> &'static str {
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
