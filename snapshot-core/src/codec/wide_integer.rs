//! Integers of 128 bits, for which there is no proto kind: 16 bytes, the most significant one
//! first.

use std::cmp::Ordering;

use super::{NeverDefault, Reader, Single, Wire, WireKey, Writer};
use crate::Error;
use crate::schema::{ValueForm, kind};

macro_rules! wide_integers {
    ($($int:ty)*) => {$(
        impl Single for $int {}
        /// 0 has 16 bytes, too.
        impl NeverDefault for $int {}

        impl Wire<kind::Bytes> for $int {
            const LEAF: bool = true;
            // Another integer reads the same bytes as another number.
            const FORM: ValueForm =
                ValueForm::of_bytes(size_of::<$int>()).meaning(stringify!($int));

            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                w.length_delimited(&self.to_be_bytes());
                Ok(())
            }

            fn size(&self) -> usize {
                1 + size_of::<$int>()
            }

            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                <[u8; size_of::<$int>()] as Wire<kind::Bytes>>::take(r).map(Self::from_be_bytes)
            }

            fn is_default(&self) -> bool {
                false
            }
        }

        /// Ordered by the bytes on the wire: negative numbers come after the others.
        impl WireKey<kind::Bytes> for $int {
            fn wire_cmp(&self, other: &Self) -> Ordering {
                self.to_be_bytes().cmp(&other.to_be_bytes())
            }

            fn key_text(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

wide_integers! { u128 i128 }

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::field_tests::{refusal, round_trip};

    use crate::schema::kind::{Bytes, Repeated, Singular};

    fn field(bytes: [u8; 16]) -> Vec<u8> {
        [&[0x0a, 16][..], &bytes].concat()
    }

    #[test]
    fn a_wide_integer_is_16_bytes() {
        round_trip::<Singular<Bytes>, u128>(
            &1,
            &field([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        );
        round_trip::<Singular<Bytes>, u128>(&0, &field([0; 16]));
        round_trip::<Singular<Bytes>, i128>(&-1, &field([0xff; 16]));
        round_trip::<Singular<Bytes>, Option<u128>>(&None, b"");
        assert_eq!(
            refusal::<Singular<Bytes>, u128>(b"\x0a\x01\x01"),
            "has 1 byte, expected 16 (byte 1 of 3)"
        );
        assert_eq!(refusal::<Singular<Bytes>, i128>(b""), "is missing");
    }

    #[test]
    fn a_set_of_them_is_in_the_order_of_its_bytes() {
        let bytes = [field([0; 16]), field([0xff; 16])].concat();
        round_trip::<Repeated<Bytes>, BTreeSet<i128>>(&[-1, 0].into(), &bytes);
    }
}
