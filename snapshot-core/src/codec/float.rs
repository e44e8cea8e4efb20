//! `f32` and `f64`, bit for bit: every NaN is restored unchanged.

use super::{Reader, Single, Wire, Writer};
use crate::Error;
use crate::schema::kind;

macro_rules! floats {
    ($($float:ident $kind:ident $take:ident)*) => {$(
        impl Single for $float {}

        impl Wire<kind::$kind> for $float {
            const LEAF: bool = true;

            #[inline]
            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                w.raw(&self.to_le_bytes());
                Ok(())
            }

            #[inline]
            fn size(&self) -> usize {
                size_of::<Self>()
            }

            #[inline]
            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                Ok(Self::from_bits(r.$take()?))
            }

            #[inline]
            fn of_default() -> Result<Self, Error> {
                Ok(0.0)
            }

            /// Only +0.0. -0.0 is written, as the specification says.
            #[inline]
            fn is_default(&self) -> bool {
                self.to_bits() == 0
            }
        }
    )*};
}

floats! { f32 Float fixed32 f64 Double fixed64 }

#[cfg(test)]
mod tests {
    use prost::encoding;

    use super::super::field_tests::{put, refusal, round_trip, take};
    use crate::schema::kind::{Double, Float, Optional, Singular};

    #[test]
    fn floats_are_as_prost_writes_them() {
        for value in [1.5, -1.0, f64::MIN_POSITIVE / 4.0, f64::MAX, f64::NEG_INFINITY] {
            let mut expected = Vec::new();
            encoding::double::encode(1, &value, &mut expected);
            round_trip::<Singular<Double>, f64>(&value, &expected);
            let value = value as f32;
            if value != 0.0 {
                expected.clear();
                encoding::float::encode(1, &value, &mut expected);
                round_trip::<Singular<Float>, f32>(&value, &expected);
            }
        }
    }

    #[test]
    fn only_positive_zero_is_left_out() {
        round_trip::<Singular<Double>, f64>(&0.0, &[]);
        round_trip::<Optional<Double>, Option<f64>>(&Some(0.0), &[9, 0, 0, 0, 0, 0, 0, 0, 0]);
        let bytes = put::<Singular<Float>, f32>(&-0.0).unwrap();
        assert_eq!(bytes, [0x0d, 0, 0, 0, 0x80]);
        assert!(take::<Singular<Float>, f32>(&bytes).unwrap().is_sign_negative());
    }

    #[test]
    fn every_nan_keeps_its_bits() {
        for bits in [0x7ff8_0000_0000_0000, 0xfff0_0000_0000_0001, 0x7fff_ffff_ffff_ffff] {
            let bytes = put::<Singular<Double>, f64>(&f64::from_bits(bits)).unwrap();
            assert_eq!(take::<Singular<Double>, f64>(&bytes).unwrap().to_bits(), bits);
        }
    }

    #[test]
    fn a_float_cut_short_is_refused() {
        let error = refusal::<Singular<Double>, f64>(&[9, 0, 0, 0]);
        assert_eq!(error, "needs 8 bytes, but has 3 left (byte 1 of 4)");
    }
}
