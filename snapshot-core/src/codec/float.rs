//! `f32` and `f64`, bit for bit: every NaN comes back as it was.

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
            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                Ok(Self::from_bits(r.$take()?))
            }

            /// Only +0.0; -0.0 is written, as the specification says.
            #[inline]
            fn is_default(&self) -> bool {
                self.to_bits() == 0
            }
        }
    )*};
}

floats! { f32 Float fixed32 f64 Double fixed64 }
