//! Byte strings.

use std::cmp::Ordering;
use std::sync::Arc;

use bytes::Bytes;

use super::{NeverDefault, Reader, Single, Wire, WireKey, Writer};
use crate::Error;
use crate::schema::kind;

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
            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                Ok($copy(r.bytes()?))
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

    #[inline]
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        const { assert!(N > 0, "a field of no bytes holds nothing: leave it out") }
        w.length_delimited(self);
        Ok(())
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

    fn key_text(&self) -> String {
        self.escape_ascii().to_string()
    }
}

#[cold]
#[inline(never)]
fn wrong_length(found: usize, expected: usize) -> Error {
    Error::invalid(format!("has {found} bytes, expected {expected}"))
}
