//! `Box` and `Arc`: saved as what they point at.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{NeverDefault, Reader, Single, Wire, WireKey, Writer};
use crate::Error;
use crate::controller::Walk;
use crate::schema::kind::Kind;

macro_rules! pointers {
    ($($pointer:ident, |$this:ident, $walk:ident| $into:expr;)*) => {$(
        impl<T: Single> Single for $pointer<T> {}
        impl<T: NeverDefault> NeverDefault for $pointer<T> {}

        impl<K: Kind, T: Wire<K>> Wire<K> for $pointer<T> {
            const LEAF: bool = T::LEAF;

            #[inline]
            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                T::put(self, w)
            }

            #[inline]
            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                Ok(Self::new(T::take(r)?))
            }

            #[inline]
            fn is_default(&self) -> bool {
                T::is_default(self)
            }

            #[inline]
            fn of_default() -> Result<Self, Error> {
                Ok(Self::new(T::of_default()?))
            }

            #[inline]
            fn walk(&mut self, $walk: &mut Walk<'_>) -> Result<(), Error> {
                let $this = self;
                $into
            }
        }

        impl<K: Kind, T: WireKey<K>> WireKey<K> for $pointer<T> {
            #[inline]
            fn wire_cmp(&self, other: &Self) -> Ordering {
                T::wire_cmp(self, other)
            }

            fn key_text(&self) -> String {
                T::key_text(self)
            }
        }
    )*};
}

pointers! {
    Box, |this, walk| T::walk(this, walk);
    Arc, |this, walk| match Arc::get_mut(this) {
        Some(value) => value.walk(walk),
        None => Ok(()),
    };
}
