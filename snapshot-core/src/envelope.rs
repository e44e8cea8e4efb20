//! The envelope: one byte format for a snapshot, the same on a socket and on disk.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | magic `89 53 4E 50 0D 0A 1A 0A`, built like PNG's: not text, and damaged by whatever changes line ends |
//! | 8..12 | format version, 1 |
//! | 12..20 | length of the body in bytes |
//! | 20..24 | CRC-32 (ISO-HDLC, as in zlib) of bytes 8..20 and the body |
//! | 24.. | body: the root payload as `google.protobuf.Any` |
//!
//! Numbers are little-endian. The digest finds damage, not forgery: a snapshot from somebody who is
//! not trusted needs a transport that authenticates.

use std::ops::Range;

use bytes::Bytes;

use crate::codec::{Writer, close_bare_any, split_bare_any};
use crate::{Code, Error, Payload};

/// Source of the idea: <https://www.w3.org/TR/png-3/#5PNG-file-signature>.
const MAGIC: [u8; 8] = *b"\x89SNP\r\n\x1a\n";
const FORMAT_VERSION: u32 = 1;
const HEADER_LENGTH: usize = 24;

/// A saved tree of controllers: the bytes of its envelope, whose header, length and digest are
/// right. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    bytes: Bytes,
    type_url: Range<usize>,
    payload: Range<usize>,
}

impl Snapshot {
    /// Takes the bytes of a snapshot, as [`Snapshot::as_bytes`] gave them.
    ///
    /// The header, the length and the digest are checked before anything is decoded.
    ///
    /// # Errors
    ///
    /// [`Code::Unimplemented`] for a format version that this build does not read,
    /// [`Code::DataLoss`] for everything else: not a snapshot, cut off, too long, damaged.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Result<Self, Error> {
        let bytes = bytes.into();
        check_header(&bytes)?;
        Self::of_checked(bytes)
    }

    fn of_checked(bytes: Bytes) -> Result<Self, Error> {
        let body = bytes.get(HEADER_LENGTH..).unwrap_or_default();
        let (type_url, value) =
            split_bare_any(body, HEADER_LENGTH).map_err(|e| e.in_field("the root payload"))?;
        let type_url = within(&bytes, type_url.as_bytes());
        let payload = within(&bytes, value);
        Ok(Self { bytes, type_url, payload })
    }

    /// The snapshot of a bare `Any`, from a peer that speaks without a header (hcsshim).
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`] if it has no type URL.
    pub fn from_any(any: &prost_types::Any) -> Result<Self, Error> {
        if any.type_url.is_empty() {
            return Err(Error::invalid("the Any has no type URL"));
        }
        let mut buffer = SaveBuffer::new();
        buffer.writer.raw(&any.value);
        buffer.close(&any.type_url);
        buffer.into_snapshot()
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

    /// The bytes of the `Any`, and where they start in the snapshot.
    pub(crate) fn any(&self) -> (&[u8], usize) {
        (&self.bytes[HEADER_LENGTH..], HEADER_LENGTH)
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

fn check_header(bytes: &[u8]) -> Result<(), Error> {
    let damaged = |reason: String| Err(Error::new(Code::DataLoss, reason));
    let Some((magic, rest)) = bytes.split_first_chunk::<8>() else {
        let length = bytes.len();
        return damaged(format!("not a snapshot: {length} bytes, a header has {HEADER_LENGTH}"));
    };
    if *magic != MAGIC {
        return damaged(match bytes {
            // What is left of the magic after a text-mode transfer.
            [0x89, b'S', b'N', b'P', ..] => {
                "line ends were changed on the way: transfer the snapshot as binary".to_owned()
            }
            [b'\t', b'S', b'N', b'P', ..] => {
                "the eighth bits were cut off on the way: transfer the snapshot as binary"
                    .to_owned()
            }
            _ => "not a snapshot: it begins differently".to_owned(),
        });
    }
    let Some((version, rest)) = rest.split_first_chunk::<4>() else {
        return damaged(format!("cut off in the header, after {} bytes", bytes.len()));
    };
    // Before anything else: another version may have another header.
    let version = u32::from_le_bytes(*version);
    if version != FORMAT_VERSION {
        return Err(Error::new(
            Code::Unimplemented,
            format!("format version {version}, this build reads version {FORMAT_VERSION}"),
        ));
    }
    let header = rest
        .split_first_chunk::<8>()
        .and_then(|(length, rest)| Some((length, rest.split_first_chunk::<4>()?)));
    let Some((length, (digest, body))) = header else {
        return damaged(format!("cut off in the header, after {} bytes", bytes.len()));
    };
    let length = u64::from_le_bytes(*length);
    match body.len() as u64 {
        found if found < length => {
            return damaged(format!("cut off: the body has {found} of {length} bytes"));
        }
        found if found > length => {
            return damaged(format!("{} bytes too long: a body of {length}", found - length));
        }
        _ => {}
    }
    let (expected, found) = (u32::from_le_bytes(*digest), digest_of(length, body));
    if found != expected {
        return damaged(format!("the digest is {found:08x} and should be {expected:08x}: damaged"));
    }
    Ok(())
}

/// The digest of the header's fields and the body.
fn digest_of(length: u64, body: &[u8]) -> u32 {
    let mut digest = crc32fast::Hasher::new();
    digest.update(&FORMAT_VERSION.to_le_bytes());
    digest.update(&length.to_le_bytes());
    digest.update(body);
    digest.finalize()
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

    /// An empty buffer with room for a snapshot of so many bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { writer: Writer::with_capacity(capacity) }
    }

    /// The bytes of the last save; empty before the first and after one that failed.
    pub fn as_bytes(&self) -> &[u8] {
        self.writer.as_bytes()
    }

    /// The last save as a snapshot, without a copy.
    ///
    /// # Errors
    ///
    /// [`Code::FailedPrecondition`] if nothing was saved.
    pub fn into_snapshot(self) -> Result<Snapshot, Error> {
        match self.as_bytes() {
            [] => Err(Error::precondition("nothing was saved into the buffer")),
            _ => Snapshot::of_checked(self.writer.into_bytes()),
        }
    }

    /// Forgets the last save, keeps the memory.
    pub fn clear(&mut self) {
        self.writer.clear();
    }

    /// Replaces the content by a snapshot of the payload that `put` puts.
    pub(crate) fn fill<P: Payload>(
        &mut self,
        put: impl FnOnce(&mut Writer) -> Result<(), Error>,
    ) -> Result<&[u8], Error> {
        self.writer.clear();
        match put(&mut self.writer) {
            Ok(()) => {
                self.close(P::TYPE_URL);
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
        let body = self.writer.as_bytes();
        let length = body.len() as u64;
        let digest = digest_of(length, body);
        // The last comes first.
        self.writer.raw(&digest.to_le_bytes());
        self.writer.raw(&length.to_le_bytes());
        self.writer.raw(&FORMAT_VERSION.to_le_bytes());
        self.writer.raw(&MAGIC);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any() -> prost_types::Any {
        prost_types::Any { type_url: "type.test/a.B".to_owned(), value: b"\x08\x01".to_vec() }
    }

    fn snapshot() -> Snapshot {
        Snapshot::from_any(&any()).unwrap()
    }

    #[track_caller]
    fn refused(bytes: impl Into<Bytes>, code: Code, reason: &str) {
        let error = Snapshot::from_bytes(bytes).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (code, reason));
    }

    #[test]
    fn the_bytes_are_those_of_the_documented_format() {
        let body = [&[0x0a, 13][..], b"type.test/a.B", &[0x12, 2, 8, 1]].concat();
        let mut digest = crc32fast::Hasher::new();
        digest.update(&[1, 0, 0, 0, 19, 0, 0, 0, 0, 0, 0, 0]);
        digest.update(&body);
        let expected = [
            &[0x89, b'S', b'N', b'P', 0x0d, 0x0a, 0x1a, 0x0a][..],
            &[1, 0, 0, 0],
            &[19, 0, 0, 0, 0, 0, 0, 0],
            &digest.finalize().to_le_bytes(),
            &body,
        ]
        .concat();
        assert_eq!(snapshot().as_bytes(), expected);
        assert_eq!(snapshot().len(), expected.len());
    }

    #[test]
    fn a_snapshot_comes_back_from_its_bytes_and_from_its_any() {
        let snapshot = snapshot();
        assert_eq!(Snapshot::from_bytes(snapshot.as_bytes().to_vec()).unwrap(), snapshot);
        assert_eq!(Snapshot::from_bytes(snapshot.clone()).unwrap(), snapshot);
        assert_eq!((snapshot.type_url(), snapshot.payload()), ("type.test/a.B", &b"\x08\x01"[..]));
        assert_eq!(snapshot.into_any(), any());
        let empty = prost_types::Any { value: Vec::new(), ..any() };
        let snapshot = Snapshot::from_any(&empty).unwrap();
        assert_eq!((snapshot.type_url(), snapshot.payload()), ("type.test/a.B", &b""[..]));
        assert_eq!(snapshot.into_any(), empty);
    }

    #[test]
    fn an_any_without_a_type_url_is_no_snapshot() {
        let error = Snapshot::from_any(&prost_types::Any::default()).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
    }

    #[test]
    fn what_is_not_a_snapshot_is_told_apart_from_what_was_one() {
        refused(&b""[..], Code::DataLoss, "not a snapshot: 0 bytes, a header has 24");
        refused(
            &b"PK\x03\x04 and more"[..],
            Code::DataLoss,
            "not a snapshot: it begins differently",
        );
        // What a transfer in text mode makes of line ends: CR LF to LF, and LF to CR LF.
        for (from, to) in [(&b"\r\n"[..], &b"\n"[..]), (b"\x1a\n", b"\x1a\r\n")] {
            let bytes = snapshot().as_bytes().to_vec();
            let at = bytes.windows(2).position(|pair| pair == from).unwrap();
            let changed = [&bytes[..at], to, &bytes[at + 2..]].concat();
            let reason = "line ends were changed on the way: transfer the snapshot as binary";
            refused(changed, Code::DataLoss, reason);
        }
        let mut seven_bits = snapshot().as_bytes().to_vec();
        seven_bits.iter_mut().for_each(|byte| *byte &= 0x7f);
        let reason = "the eighth bits were cut off on the way: transfer the snapshot as binary";
        refused(seven_bits, Code::DataLoss, reason);
    }

    #[test]
    fn each_kind_of_damage_has_its_own_error() {
        let bytes = snapshot().as_bytes().to_vec();
        let whole = bytes.len();
        for length in [8, 11, 12, 20, 23] {
            let reason = format!("cut off in the header, after {length} bytes");
            refused(bytes[..length].to_vec(), Code::DataLoss, &reason);
        }
        refused(
            bytes[..whole - 1].to_vec(),
            Code::DataLoss,
            "cut off: the body has 18 of 19 bytes",
        );
        refused([&bytes[..], b"xyz"].concat(), Code::DataLoss, "3 bytes too long: a body of 19");
        let mut damaged = bytes.clone();
        damaged[whole - 1] ^= 1;
        let error = Snapshot::from_bytes(damaged).unwrap_err();
        assert_eq!(error.code(), Code::DataLoss);
        assert!(error.to_string().ends_with("damaged"), "{error}");
        let mut newer = bytes;
        newer[8] = 2;
        // Before the length and the digest, which another version may have elsewhere.
        newer.truncate(12);
        refused(newer, Code::Unimplemented, "format version 2, this build reads version 1");
    }

    #[test]
    fn a_body_that_is_no_any_is_refused_with_its_place() {
        let mut buffer = SaveBuffer::new();
        buffer.writer.raw(&[0x1a, 0x00]);
        let body = buffer.writer.as_bytes().to_vec();
        let digest = digest_of(2, &body).to_le_bytes();
        let bytes = [&MAGIC[..], &1u32.to_le_bytes(), &2u64.to_le_bytes(), &digest, &body].concat();
        let error = Snapshot::from_bytes(bytes).unwrap_err().to_string();
        assert!(error.contains("google.protobuf.Any has no field 3"), "{error}");
        assert!(error.ends_with("of 26)"), "{error}");
    }

    #[test]
    fn a_buffer_can_be_filled_again_and_is_empty_before() {
        let mut buffer = SaveBuffer::with_capacity(1);
        assert!(buffer.as_bytes().is_empty());
        let error = SaveBuffer::new().into_snapshot().unwrap_err();
        assert_eq!(error.code(), Code::FailedPrecondition);
        for _ in 0..2 {
            buffer.clear();
            buffer.writer.raw(b"\x08\x01");
            buffer.close("type.test/a.B");
            assert_eq!(buffer.as_bytes(), snapshot().as_bytes());
        }
        assert_eq!(buffer.into_snapshot().unwrap(), snapshot());
    }
}
