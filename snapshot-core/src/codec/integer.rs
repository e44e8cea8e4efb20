//! Integers and `bool`. Every Rust integer fits every integer kind, as far as its values do. A
//! value that does not fit is an error of the restore or the save; it never wraps.

use std::cmp::Ordering;
use std::num::NonZero;

use super::{NeverDefault, Reader, Single, Wire, WireKey, Writer, size};
use crate::Error;
use crate::schema::ValueForm;
use crate::schema::kind::{self, Kind, WireType};

/// A proto kind whose values are integers.
pub(crate) trait IntegerKind: Kind {
    /// The proto keyword.
    const NAME: &'static str;
    /// The least value that protobuf says a value of this kind can have.
    const LEAST: i128;
    /// The greatest one.
    const MOST: i128;
    /// Whether -1 is 1 on the wire, and 1 is 2.
    const IS_ZIGZAG: bool;
}

/// The bits of `value` on the wire, in the low ones of 64.
#[inline(always)]
fn bits_of<K: IntegerKind>(value: i128) -> Result<u64, Error> {
    if value < K::LEAST || value > K::MOST {
        return Err(does_not_fit(value, K::NAME, K::LEAST, K::MOST));
    }
    let value = value as i64;
    Ok(if K::IS_ZIGZAG { value << 1 ^ value >> 63 } else { value } as u64)
}

/// Returns the value that has these bits on the wire.
// A negative int32 is on the wire as the 64-bit number that it extends to, ten bytes long. Other readers
// cut off the bits above 32; this one refuses such a number, because the intended one is unknown.
// Source: <https://protobuf.dev/programming-guides/encoding/#signed-ints>.
#[inline(always)]
fn value_of<K: IntegerKind>(bits: u64) -> Result<i128, Error> {
    let value = match (K::IS_ZIGZAG, K::WIRE_TYPE) {
        (true, _) => i128::from((bits >> 1) as i64 ^ -((bits & 1) as i64)),
        (false, WireType::Fixed32) if K::LEAST < 0 => i128::from(bits as i32),
        (false, _) if K::LEAST < 0 => i128::from(bits as i64),
        (false, _) => i128::from(bits),
    };
    match value < K::LEAST || value > K::MOST {
        false => Ok(value),
        true => Err(does_not_fit(value, K::NAME, K::LEAST, K::MOST)),
    }
}

#[cold]
#[inline(never)]
fn does_not_fit(value: i128, name: &str, least: i128, most: i128) -> Error {
    Error::invalid(format!("{value} does not fit in {name}, which holds {least} to {most}"))
}

#[cold]
#[inline(never)]
fn zero() -> Error {
    Error::invalid("is 0, but this field must not be 0")
}

macro_rules! integer_kinds {
    ($($name:literal $kind:ident $raw:ty, $is_zigzag:literal;)*) => {$(
        impl IntegerKind for kind::$kind {
            const NAME: &'static str = $name;
            const LEAST: i128 = <$raw>::MIN as i128;
            const MOST: i128 = <$raw>::MAX as i128;
            const IS_ZIGZAG: bool = $is_zigzag;
        }
    )*};
}

integer_kinds! {
    "int32" Int32 i32, false;
    "int64" Int64 i64, false;
    "uint32" Uint32 u32, false;
    "uint64" Uint64 u64, false;
    "sint32" Sint32 i32, true;
    "sint64" Sint64 i64, true;
    "fixed32" Fixed32 u32, false;
    "fixed64" Fixed64 u64, false;
    "sfixed32" Sfixed32 i32, false;
    "sfixed64" Sfixed64 i64, false;
}

macro_rules! integers {
    ($($int:ident)*) => {$(
        impl Single for $int {}

        #[diagnostic::do_not_recommend]
        impl<K: IntegerKind> Wire<K> for $int {
            const LEAF: bool = true;
            const FORM: ValueForm =
                ValueForm::integer(<$int>::MIN as i128, <$int>::MAX as i128);

            #[inline]
            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                let bits = bits_of::<K>(*self as i128)?;
                match K::WIRE_TYPE {
                    WireType::Fixed32 => w.raw(&(bits as u32).to_le_bytes()),
                    WireType::Fixed64 => w.raw(&bits.to_le_bytes()),
                    WireType::Varint | WireType::Len => w.varint(bits),
                }
                Ok(())
            }

            #[inline]
            fn put_tagged(&self, number: u32, w: &mut Writer) -> Result<(), Error> {
                if matches!(K::WIRE_TYPE, WireType::Varint) {
                    w.varint_field(number, bits_of::<K>(*self as i128)?);
                } else {
                    Wire::<K>::put(self, w)?;
                    w.tag(number, K::WIRE_TYPE);
                }
                Ok(())
            }

            #[inline]
            fn size(&self) -> usize {
                match K::WIRE_TYPE {
                    WireType::Fixed32 => 4,
                    WireType::Fixed64 => 8,
                    _ => bits_of::<K>(*self as i128).map_or(0, size::varint),
                }
            }

            #[inline]
            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                let bits = match K::WIRE_TYPE {
                    WireType::Fixed32 => u64::from(r.fixed32()?),
                    WireType::Fixed64 => r.fixed64()?,
                    WireType::Varint | WireType::Len => r.varint()?,
                };
                let value = value_of::<K>(bits)?;
                match Self::try_from(value) {
                    Ok(value) => Ok(value),
                    Err(_) => {
                        let (least, most) = (Self::MIN as i128, Self::MAX as i128);
                        Err(does_not_fit(value, stringify!($int), least, most))
                    }
                }
            }

            #[inline]
            fn of_default() -> Result<Self, Error> {
                Ok(0)
            }

            #[inline]
            fn is_default(&self) -> bool {
                *self == 0
            }
        }

        #[diagnostic::do_not_recommend]
        impl<K: IntegerKind> WireKey<K> for $int {
            #[inline]
            fn wire_cmp(&self, other: &Self) -> Ordering {
                self.cmp(other)
            }

            #[inline]
            fn wire_prefix(&self) -> u64 {
                (*self as u64).wrapping_sub(<$int>::MIN as u64)
            }

            fn key_text(&self) -> String {
                self.to_string()
            }
        }

        impl Single for NonZero<$int> {}
        impl NeverDefault for NonZero<$int> {}

        #[diagnostic::do_not_recommend]
        impl<K: IntegerKind> Wire<K> for NonZero<$int> {
            const LEAF: bool = true;
            const FORM: ValueForm = <$int as Wire<K>>::FORM.but_zero();

            #[inline]
            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                Wire::<K>::put(&self.get(), w)
            }

            #[inline]
            fn put_tagged(&self, number: u32, w: &mut Writer) -> Result<(), Error> {
                Wire::<K>::put_tagged(&self.get(), number, w)
            }

            #[inline]
            fn size(&self) -> usize {
                Wire::<K>::size(&self.get())
            }

            #[inline]
            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                match Self::new(<$int as Wire<K>>::take(r)?) {
                    Some(value) => Ok(value),
                    None => Err(zero()),
                }
            }

            #[inline]
            fn is_default(&self) -> bool {
                false
            }
        }

        #[diagnostic::do_not_recommend]
        impl<K: IntegerKind> WireKey<K> for NonZero<$int> {
            #[inline]
            fn wire_cmp(&self, other: &Self) -> Ordering {
                self.cmp(other)
            }

            #[inline]
            fn wire_prefix(&self) -> u64 {
                WireKey::<K>::wire_prefix(&self.get())
            }

            fn key_text(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

integers! { u8 u16 u32 u64 usize i8 i16 i32 i64 isize }

impl Single for bool {}

impl Wire<kind::Bool> for bool {
    const LEAF: bool = true;

    #[inline]
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        w.varint(u64::from(*self));
        Ok(())
    }

    #[inline]
    fn put_tagged(&self, number: u32, w: &mut Writer) -> Result<(), Error> {
        w.varint_field(number, u64::from(*self));
        Ok(())
    }

    #[inline]
    fn size(&self) -> usize {
        1
    }

    #[inline]
    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        match r.varint()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(does_not_fit(i128::from(other), "bool", 0, 1)),
        }
    }

    #[inline]
    fn of_default() -> Result<Self, Error> {
        Ok(false)
    }

    #[inline]
    fn is_default(&self) -> bool {
        !*self
    }
}

impl WireKey<kind::Bool> for bool {
    #[inline]
    fn wire_cmp(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn key_text(&self) -> String {
        self.to_string()
    }
}

#[cfg(test)]
mod tests {
    use prost::encoding;

    use super::super::WireField;
    use super::super::field_tests::{put, put_refusal, refusal, round_trip, take};
    use super::*;
    use crate::schema::kind::*;

    fn varint_field(value: u64) -> Vec<u8> {
        let mut bytes = vec![0x08];
        encoding::encode_varint(value, &mut bytes);
        bytes
    }

    /// The values at which encodings change their length or sign.
    const EDGES: [i128; 21] = [
        i64::MIN as i128,
        i64::MIN as i128 + 1,
        i32::MIN as i128 - 1,
        i32::MIN as i128,
        -129,
        -128,
        -2,
        -1,
        0,
        1,
        127,
        128,
        255,
        256,
        65_535,
        i32::MAX as i128,
        i32::MAX as i128 + 1,
        u32::MAX as i128,
        u32::MAX as i128 + 1,
        i64::MAX as i128,
        u64::MAX as i128,
    ];

    #[test]
    fn every_integer_in_every_kind_is_as_prost_writes_it_or_refused() {
        macro_rules! check {
            ($($kind:ident $raw:ty, $encode:path: $($int:ty)*;)*) => {$($(
                for value in EDGES {
                    let Ok(value) = <$int>::try_from(value) else { continue };
                    match <$raw>::try_from(value) {
                        Ok(raw) => {
                            let mut expected = Vec::new();
                            if raw != 0 {
                                $encode(1, &raw, &mut expected);
                            }
                            round_trip::<Singular<$kind>, $int>(&value, &expected);
                        }
                        Err(_) => {
                            let error = put_refusal::<Singular<$kind>, $int>(&value);
                            let kind = stringify!($kind).to_lowercase();
                            let range = format!("{} to {}", <$raw>::MIN, <$raw>::MAX);
                            let expected = format!("{value} does not fit in {kind}, which holds {range}");
                            assert_eq!(error, expected);
                        }
                    }
                }
            )*)*};
        }
        check! {
            Int32 i32, encoding::int32::encode: u8 u16 u32 u64 usize i8 i16 i32 i64 isize;
            Int64 i64, encoding::int64::encode: u8 u16 u32 u64 usize i8 i16 i32 i64 isize;
            Uint32 u32, encoding::uint32::encode: u8 u16 u32 u64 usize i8 i16 i32 i64 isize;
            Uint64 u64, encoding::uint64::encode: u8 u16 u32 u64 usize i8 i16 i32 i64 isize;
            Sint32 i32, encoding::sint32::encode: u8 u16 u32 u64 usize i8 i16 i32 i64 isize;
            Sint64 i64, encoding::sint64::encode: u8 u16 u32 u64 usize i8 i16 i32 i64 isize;
            Fixed32 u32, encoding::fixed32::encode: u8 u16 u32 u64 usize i8 i16 i32 i64 isize;
            Fixed64 u64, encoding::fixed64::encode: u8 u16 u32 u64 usize i8 i16 i32 i64 isize;
            Sfixed32 i32, encoding::sfixed32::encode: u8 u16 u32 u64 usize i8 i16 i32 i64 isize;
            Sfixed64 i64, encoding::sfixed64::encode: u8 u16 u32 u64 usize i8 i16 i32 i64 isize;
        }
    }

    #[test]
    fn a_number_past_its_rust_type_is_refused_with_the_range() {
        assert_eq!(
            refusal::<Singular<Uint32>, u8>(&varint_field(300)),
            "300 does not fit in u8, which holds 0 to 255 (byte 1 of 3)"
        );
        assert_eq!(
            refusal::<Singular<Sint64>, i16>(&varint_field(65_537)),
            "-32769 does not fit in i16, which holds -32768 to 32767 (byte 1 of 4)"
        );
        assert_eq!(
            refusal::<Singular<Int32>, u32>(&varint_field(-1i64 as u64)),
            "-1 does not fit in u32, which holds 0 to 4294967295 (byte 1 of 11)"
        );
        assert_eq!(
            refusal::<Singular<Uint64>, i64>(&varint_field(1 << 63)),
            "9223372036854775808 does not fit in i64, which holds -9223372036854775808 to \
             9223372036854775807 (byte 1 of 11)"
        );
    }

    #[test]
    fn a_number_past_its_proto_kind_is_refused_and_not_cut_off() {
        assert_eq!(
            refusal::<Singular<Uint32>, u64>(&varint_field(1 << 32)),
            "4294967296 does not fit in uint32, which holds 0 to 4294967295 (byte 1 of 6)"
        );
        // The first is the result of a writer that does not extend the sign of -1.
        for value in [u64::from(u32::MAX), 1 << 31, (i64::from(i32::MIN) - 1) as u64] {
            let error = refusal::<Singular<Int32>, i64>(&varint_field(value));
            assert!(error.contains("does not fit in int32, which holds -2147483648 to"), "{error}");
        }
        assert_eq!(
            refusal::<Singular<Sint32>, i64>(&varint_field(1 << 32)),
            "2147483648 does not fit in sint32, which holds -2147483648 to 2147483647 (byte 1 of 6)"
        );
    }

    #[test]
    fn a_default_that_is_written_out_is_read() {
        assert_eq!(take::<Singular<Uint32>, u8>(&[0x08, 0]).unwrap(), 0);
        assert_eq!(take::<Singular<Fixed64>, i64>(&[0x09, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap(), 0);
        assert!(!take::<Singular<Bool>, bool>(&[0x08, 0]).unwrap());
    }

    #[test]
    fn an_optional_zero_is_written_and_absence_is_told_from_it() {
        round_trip::<Optional<Uint32>, Option<u16>>(&Some(0), &[0x08, 0]);
        round_trip::<Optional<Uint32>, Option<u16>>(&None, &[]);
        round_trip::<Optional<Uint32>, u16>(&0, &[0x08, 0]);
        assert_eq!(refusal::<Optional<Uint32>, u16>(&[]), "is missing");
    }

    #[test]
    fn a_singular_field_twice_is_refused() {
        let error = refusal::<Singular<Uint32>, u32>(&[0x08, 1, 0x08, 1]);
        assert_eq!(error, "occurs twice (byte 3 of 4)");
        let error = refusal::<Optional<Uint32>, Option<u32>>(&[0x08, 0, 0x08, 0]);
        assert_eq!(error, "occurs twice (byte 3 of 4)");
    }

    #[test]
    fn another_wire_type_is_refused() {
        assert_eq!(
            refusal::<Singular<Uint32>, u32>(&[0x0d, 1, 0, 0, 0]),
            "has wire type 32-bit, expected varint (byte 1 of 5)"
        );
        assert_eq!(
            refusal::<Singular<Sfixed64>, i64>(&[0x08, 1]),
            "has wire type varint, expected 64-bit (byte 1 of 2)"
        );
        assert_eq!(
            refusal::<Singular<Bool>, bool>(&[0x0a, 1, 1]),
            "has wire type length-delimited, expected varint (byte 1 of 3)"
        );
    }

    #[test]
    fn a_bool_is_0_or_1() {
        round_trip::<Singular<Bool>, bool>(&true, &[0x08, 1]);
        round_trip::<Singular<Bool>, bool>(&false, &[]);
        assert_eq!(
            refusal::<Singular<Bool>, bool>(&[0x08, 2]),
            "2 does not fit in bool, which holds 0 to 1 (byte 1 of 2)"
        );
    }

    #[test]
    fn a_non_zero_needs_no_presence_and_is_never_zero() {
        type Maybe = Option<NonZero<u16>>;
        round_trip::<Singular<Uint32>, Maybe>(&NonZero::new(9), &[0x08, 9]);
        round_trip::<Singular<Uint32>, Maybe>(&None, &[]);
        round_trip::<Singular<Sint32>, NonZero<i8>>(&NonZero::new(-1).unwrap(), &[0x08, 1]);
        assert_eq!(
            refusal::<Singular<Uint32>, NonZero<u16>>(&[0x08, 0]),
            "is 0, but this field must not be 0 (byte 1 of 2)"
        );
        assert_eq!(refusal::<Singular<Uint32>, NonZero<u16>>(&[]), "is missing");
        assert_eq!(
            refusal::<Singular<Uint32>, Maybe>(&varint_field(65_536)),
            "65536 does not fit in u16, which holds 0 to 65535 (byte 1 of 4)"
        );
    }

    #[test]
    fn a_default_that_is_written_out_is_none() {
        fn none<F, T: WireField<F> + PartialEq + std::fmt::Debug + Default>(bytes: &[u8]) {
            assert_eq!(take::<F, T>(bytes).unwrap(), T::default());
            let twice = [bytes, bytes].concat();
            assert!(refusal::<F, T>(&twice).starts_with("occurs twice"));
        }
        none::<Singular<Uint32>, Option<NonZero<u16>>>(&[0x08, 0]);
        none::<Singular<Sfixed32>, Option<NonZero<i32>>>(&[0x0d, 0, 0, 0, 0]);
        none::<Singular<Fixed64>, Option<NonZero<u64>>>(&[0x09, 0, 0, 0, 0, 0, 0, 0, 0]);
        none::<Singular<Bytes>, Option<[u8; 4]>>(b"\x0a\0");
        let overlong = refusal::<Singular<Uint32>, Option<NonZero<u16>>>(&[0x08, 0x80, 0]);
        assert!(overlong.starts_with("varint is longer than it needs to be"), "{overlong}");
    }

    #[test]
    fn keys_are_ordered_by_value() {
        assert_eq!(WireKey::<Int32>::wire_cmp(&-1i32, &1), Ordering::Less);
        assert_eq!(WireKey::<Fixed64>::wire_cmp(&256u64, &255), Ordering::Greater);
        assert_eq!(WireKey::<Bool>::wire_cmp(&false, &true), Ordering::Less);
        assert_eq!(WireKey::<Sint64>::key_text(&-5i8), "-5");
    }

    #[test]
    fn prefixes_are_in_the_order_of_the_keys() {
        let keys = [i64::MIN, -1, 0, 1, i64::MAX].map(|key| WireKey::<Int64>::wire_prefix(&key));
        assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
        let keys = [i8::MIN, -1, 0, 1, i8::MAX].map(|key| WireKey::<Int64>::wire_prefix(&key));
        assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
        assert_eq!(WireKey::<Uint64>::wire_prefix(&u64::MAX), u64::MAX);
    }

    #[test]
    fn the_field_number_is_part_of_the_tag_whatever_its_size() {
        let mut writer = Writer::default();
        WireField::<Singular<Uint32>>::put_field(&1u32, 536_870_911, &mut writer).unwrap();
        let mut expected = Vec::new();
        encoding::uint32::encode(536_870_911, &1, &mut expected);
        assert_eq!(writer.into_vec(), expected);
        assert!(put::<Singular<Uint32>, u32>(&0).unwrap().is_empty());
    }
}
