//! Computes the length of an encoding, so that its memory can be allocated at once.
//!
//! The length is exact for most values. A value that is converted first (`with`, an address), and
//! one behind a lock (a controller), counts as 0. A buffer that is too small grows.

/// Returns the length of a varint, 1 to 10 bytes.
#[inline]
pub(crate) const fn varint(value: u64) -> usize {
    match value {
        ..0x80 => 1,
        _ => (70 - value.leading_zeros() as usize) / 7,
    }
}

/// Returns the length of a field's tag.
#[inline]
pub(super) const fn tag(number: u32) -> usize {
    varint((number as u64) << 3)
}

/// Returns the length of this many bytes, including their length prefix.
#[inline]
pub(crate) const fn delimited(length: usize) -> usize {
    varint(length as u64) + length
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};
    use std::time::Duration;

    use super::super::{WireField, Writer, field_tests};
    use super::*;
    use crate::schema::kind::{
        Bool, Bytes, Double, Int32, Kind, Map, Message, Optional, Packed, Repeated, Singular,
        Sint64, String as Text, Uint32, Uint64,
    };

    fn is_exact<F, T: WireField<F>>(value: T) {
        let bytes = field_tests::put::<F, T>(&value).unwrap();
        assert_eq!(value.field_size(1), bytes.len(), "{bytes:x?}");
    }

    fn every_number<K: Kind>()
    where
        i8: WireField<Singular<K>>,
        Option<i32>: WireField<Optional<K>>,
        Vec<i32>: WireField<Repeated<K>> + WireField<Packed<K>>,
    {
        for value in [0, 1, -1, 127] {
            is_exact::<Singular<K>, i8>(value);
        }
        is_exact::<Optional<K>, Option<i32>>(Some(0));
        is_exact::<Optional<K>, Option<i32>>(None);
        is_exact::<Repeated<K>, Vec<i32>>(vec![0, 300, i32::MAX]);
        is_exact::<Packed<K>, Vec<i32>>((0..100).map(|n| n * 1000).collect());
        is_exact::<Packed<K>, Vec<i32>>(Vec::new());
    }

    #[test]
    fn the_size_of_a_value_is_known_exactly_before_it_is_put() {
        every_number::<Int32>();
        every_number::<Sint64>();
        is_exact::<Singular<Bool>, bool>(true);
        is_exact::<Singular<Double>, f64>(1.5);
        for length in [0, 1, 127, 128, 16_383, 16_384] {
            is_exact::<Singular<Text>, String>("x".repeat(length));
            is_exact::<Singular<Bytes>, Vec<u8>>(vec![1; length]);
            is_exact::<Singular<Bytes>, [u8; 7]>([length as u8; 7]);
            let entries = (0..length as u64 % 300).map(|n| (n, "y".repeat(n as usize)));
            is_exact::<Map<Uint64, Text>, BTreeMap<u64, String>>(entries.clone().collect());
            is_exact::<Map<Uint32, Text>, HashMap<u64, String>>(entries.collect());
        }
        for duration in [Duration::ZERO, Duration::new(5, 7), Duration::from_secs(u32::MAX.into())]
        {
            is_exact::<Optional<Message<prost_types::Duration>>, _>(Some(duration));
        }
    }

    #[cfg(feature = "uuid")]
    #[test]
    fn the_size_of_a_uuid_is_that_of_its_text() {
        is_exact::<Singular<Text>, uuid::Uuid>(uuid::Uuid::nil());
    }

    #[test]
    fn a_varint_is_as_long_as_the_writer_makes_it() {
        for shift in 0..64 {
            for value in [(1u64 << shift) - 1, 1 << shift, (1 << shift) + 1, u64::MAX >> shift] {
                let mut writer = Writer::default();
                writer.varint(value);
                assert_eq!(varint(value), writer.position(), "{value}");
            }
        }
    }
}
