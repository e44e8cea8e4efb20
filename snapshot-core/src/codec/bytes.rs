//! Byte strings.

use std::cmp::Ordering;
use std::sync::Arc;

use bytes::Bytes;

use super::{NeverDefault, Reader, Single, Wire, WireKey, Writer, prefix_of_bytes, size};
use crate::error::{Error, plural};
use crate::schema::{ValueForm, kind};

macro_rules! byte_strings {
    ($($bytes:ty = $copy:expr;)*) => {$(
        impl Single for $bytes {}

        impl Wire<kind::Bytes> for $bytes {
            const LEAF: bool = true;

            #[inline]
            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                w.length_delimited(self);
                Ok(())
            }

            #[inline]
            fn put_tagged(&self, number: u32, w: &mut Writer) -> Result<(), Error> {
                w.bytes_field(number, self);
                Ok(())
            }

            #[inline]
            fn size(&self) -> usize {
                size::delimited(self.len())
            }

            #[inline]
            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                Ok($copy(r.bytes()?))
            }

            #[inline]
            fn of_default() -> Result<Self, Error> {
                Ok(Self::default())
            }

            #[inline]
            fn is_default(&self) -> bool {
                self.is_empty()
            }
        }

        impl WireKey<kind::Bytes> for $bytes {
            #[inline]
            fn wire_cmp(&self, other: &Self) -> Ordering {
                self[..].cmp(&other[..])
            }

            #[inline]
            fn wire_prefix(&self) -> u64 {
                prefix_of_bytes(self)
            }

            fn key_text(&self) -> String {
                self.escape_ascii().to_string()
            }
        }
    )*};
}

byte_strings! {
    Vec<u8> = <[u8]>::to_vec;
    Box<[u8]> = Box::from;
    Arc<[u8]> = Arc::from;
    Bytes = Bytes::copy_from_slice;
}

impl<const N: usize> Single for [u8; N] {}
impl<const N: usize> NeverDefault for [u8; N] {}

/// Exactly `N` bytes, never none.
impl<const N: usize> Wire<kind::Bytes> for [u8; N] {
    const LEAF: bool = true;
    const FORM: ValueForm = ValueForm::of_bytes(N);

    #[inline]
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        const { assert!(N > 0, "a field of no bytes holds nothing: leave it out") }
        w.length_delimited(self);
        Ok(())
    }

    #[inline]
    fn size(&self) -> usize {
        size::delimited(N)
    }

    #[inline]
    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        let bytes = r.bytes()?;
        match bytes.try_into() {
            Ok(array) => Ok(array),
            Err(_) => Err(wrong_length(bytes.len(), N)),
        }
    }

    #[inline]
    fn is_default(&self) -> bool {
        false
    }
}

impl<const N: usize> WireKey<kind::Bytes> for [u8; N] {
    #[inline]
    fn wire_cmp(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    #[inline]
    fn wire_prefix(&self) -> u64 {
        prefix_of_bytes(self)
    }

    fn key_text(&self) -> String {
        self.escape_ascii().to_string()
    }
}

#[cold]
#[inline(never)]
fn wrong_length(found: usize, expected: usize) -> Error {
    Error::invalid(format!("has {found} byte{s}, expected {expected}", s = plural(found)))
}

#[cfg(test)]
mod tests {
    use prost::encoding;

    use super::super::field_tests::{refusal, round_trip, take};
    use super::*;
    use crate::schema::kind::{Optional, Repeated, Singular};

    #[test]
    fn every_byte_string_is_as_prost_writes_it() {
        for value in [&[][..], b"\0", b"\xff\xfe", &[7; 127], &[7; 128], &[7; 70_000]] {
            let mut expected = Vec::new();
            if !value.is_empty() {
                encoding::bytes::encode(1, &value.to_vec(), &mut expected);
            }
            round_trip::<Singular<kind::Bytes>, Vec<u8>>(&value.to_vec(), &expected);
            round_trip::<Singular<kind::Bytes>, Bytes>(&Bytes::copy_from_slice(value), &expected);
            round_trip::<Singular<kind::Bytes>, Box<[u8]>>(&Box::from(value), &expected);
            round_trip::<Singular<kind::Bytes>, Arc<[u8]>>(&Arc::from(value), &expected);
        }
    }

    #[test]
    fn empty_bytes_are_told_from_none_where_there_is_presence() {
        round_trip::<Optional<kind::Bytes>, Option<Vec<u8>>>(&Some(vec![]), &[0x0a, 0]);
        round_trip::<Optional<kind::Bytes>, Option<Vec<u8>>>(&None, &[]);
    }

    #[test]
    fn an_array_takes_exactly_its_length() {
        type Hash = [u8; 4];
        round_trip::<Singular<kind::Bytes>, Hash>(&[0; 4], b"\x0a\x04\0\0\0\0");
        round_trip::<Singular<kind::Bytes>, Option<Hash>>(&None, b"");
        assert_eq!(
            refusal::<Singular<kind::Bytes>, Hash>(b"\x0a\x03abc"),
            "has 3 bytes, expected 4 (byte 1 of 5)"
        );
        assert_eq!(
            refusal::<Singular<kind::Bytes>, Option<Hash>>(b"\x0a\x01a"),
            "has 1 byte, expected 4 (byte 1 of 3)"
        );
        assert_eq!(refusal::<Singular<kind::Bytes>, Hash>(b""), "is missing");
        assert_eq!(take::<Repeated<kind::Bytes>, Vec<Hash>>(b"\x0a\x04abcd").unwrap(), [*b"abcd"]);
    }

    #[test]
    fn a_key_is_shown_in_printable_form() {
        assert_eq!(WireKey::<kind::Bytes>::key_text(&b"a\0\xff".to_vec()), r"a\x00\xff");
        assert!(WireKey::<kind::Bytes>::wire_cmp(b"\x7f", b"\x80").is_lt());
    }

    #[test]
    fn a_length_past_the_end_is_refused() {
        assert_eq!(
            refusal::<Singular<kind::Bytes>, Vec<u8>>(b"\x0a\x05abc"),
            "needs 5 bytes, but has 3 left (byte 2 of 5)"
        );
    }
}
