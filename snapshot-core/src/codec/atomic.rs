//! Atomics: saved as the number or `bool` that they hold at that moment.

use std::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16,
    AtomicU32, AtomicU64, AtomicUsize, Ordering,
};

use super::integer::IntegerKind;
use super::{Reader, Single, Wire, Writer};
use crate::Error;
use crate::schema::{ValueForm, kind};

macro_rules! atomics {
    ($($atomic:ident $value:ty,)*) => {$(
        atomic! { [K: IntegerKind] K, $atomic $value }
    )*};
}

macro_rules! atomic {
    ([$($k:tt)*] $kind:ty, $atomic:ident $value:ty) => {
        impl Single for $atomic {}

        #[diagnostic::do_not_recommend]
        impl<$($k)*> Wire<$kind> for $atomic {
            const LEAF: bool = true;
            const FORM: ValueForm = <$value as Wire<$kind>>::FORM;

            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                Wire::<$kind>::put(&self.load(Ordering::SeqCst), w)
            }

            fn put_tagged(&self, number: u32, w: &mut Writer) -> Result<(), Error> {
                Wire::<$kind>::put_tagged(&self.load(Ordering::SeqCst), number, w)
            }

            fn size(&self) -> usize {
                Wire::<$kind>::size(&self.load(Ordering::SeqCst))
            }

            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                <$value as Wire<$kind>>::take(r).map(Self::new)
            }

            fn of_default() -> Result<Self, Error> {
                Ok(Self::default())
            }

            fn is_default(&self) -> bool {
                self.load(Ordering::SeqCst) == <$value>::default()
            }
        }
    };
}

atomics! {
    AtomicI8 i8, AtomicI16 i16, AtomicI32 i32, AtomicI64 i64, AtomicIsize isize,
    AtomicU8 u8, AtomicU16 u16, AtomicU32 u32, AtomicU64 u64, AtomicUsize usize,
}
atomic! { [] kind::Bool, AtomicBool bool }

#[cfg(test)]
mod tests {
    use super::super::field_tests::{put, refusal, take};
    use super::*;
    use crate::schema::kind::{Bool, Optional, Singular, Uint32};

    #[test]
    fn an_atomic_is_saved_as_its_value() {
        assert_eq!(put::<Singular<Uint32>, _>(&AtomicU16::new(300)).unwrap(), [0x08, 0xac, 2]);
        assert_eq!(put::<Singular<Uint32>, _>(&AtomicU16::new(0)).unwrap(), b"");
        assert_eq!(put::<Singular<Bool>, _>(&AtomicBool::new(true)).unwrap(), [0x08, 1]);
        let back: AtomicU16 = take::<Singular<Uint32>, _>(&[0x08, 0xac, 2]).unwrap();
        assert_eq!(back.into_inner(), 300);
        let back: Option<AtomicBool> = take::<Optional<Bool>, _>(&[0x08, 0]).unwrap();
        assert!(!back.unwrap().into_inner());
        assert_eq!(
            refusal::<Singular<Uint32>, AtomicU8>(&[0x08, 0xac, 2]),
            "300 does not fit in u8, which holds 0 to 255 (byte 1 of 3)"
        );
    }
}
