//! `Box` and `Arc`: saved as what they point at.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{
    NeverDefault, Reader, Single, Tag, Wire, WireField, WireKey, WireOneof, Writer, memory,
};
use crate::Error;
use crate::schema::kind::{Kind, Map, Packed, Repeated};
use crate::schema::{OneofSchema, StatesInside};
use crate::visit::Visit;

macro_rules! pointers {
    ($($pointer:ident)*) => {$(
        impl<T: Single> Single for $pointer<T> {}
        impl<T: NeverDefault> NeverDefault for $pointer<T> {}

        impl<K: Kind, T: Wire<K>> Wire<K> for $pointer<T> {
            const LEAF: bool = T::LEAF;
            const INSIDE: StatesInside = T::INSIDE;

            #[inline]
            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                T::put(self, w)
            }

            #[inline]
            fn put_tagged(&self, number: u32, w: &mut Writer) -> Result<(), Error> {
                T::put_tagged(self, number, w)
            }

            #[inline]
            fn size(&self) -> usize {
                T::size(self)
            }

            #[inline]
            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                r.charge(memory::pointer_to::<T>())?;
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
            fn visit(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
                T::visit(self, visit)
            }
        }

        impl<O: OneofSchema, T: WireOneof<O>> WireOneof<O> for $pointer<T> {
            const INSIDE: StatesInside = T::INSIDE;
            #[inline]
            fn put_oneof(&self, w: &mut Writer) -> Result<u32, Error> {
                T::put_oneof(self, w)
            }

            #[inline]
            fn take_oneof(tag: Tag, r: &mut Reader<'_>) -> Result<Self, Error> {
                r.charge(memory::pointer_to::<T>())?;
                Ok(Self::new(T::take_oneof(tag, r)?))
            }

            fn visit_oneof(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
                T::visit_oneof(self, visit)
            }
        }

        impl<K: Kind, T: WireKey<K>> WireKey<K> for $pointer<T> {
            #[inline]
            fn wire_cmp(&self, other: &Self) -> Ordering {
                T::wire_cmp(self, other)
            }

            #[inline]
            fn wire_prefix(&self) -> u64 {
                T::wire_prefix(self)
            }

            fn key_text(&self) -> String {
                T::key_text(self)
            }
        }
    )*};
}

pointers! { Box Arc }

/// A collection behind a pointer is the field that it is without.
macro_rules! pointers_to_collections {
    ($($pointer:ident [$($k:ident)*] $field:ty;)*) => {$(
        impl<$($k: Kind,)* T: WireField<$field>> WireField<$field> for $pointer<T> {
            const LEAF: bool = T::LEAF;
            const INSIDE: StatesInside = T::INSIDE;
            type Slot = T::Slot;

            #[inline]
            fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
                T::put_field(self, number, w)
            }

            #[inline]
            fn take_field(slot: &mut T::Slot, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
                T::take_field(slot, tag, r)
            }

            #[inline]
            fn finish_field(slot: T::Slot, error: &mut Option<Error>) -> Option<Self> {
                T::finish_field(slot, error).map(Self::new)
            }

            fn visit_field(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
                T::visit_field(self, visit)
            }
        }
    )*};
}

pointers_to_collections! {
    Box [K] Repeated<K>;
    Box [K] Packed<K>;
    Box [K V] Map<K, V>;
    Arc [K] Repeated<K>;
    Arc [K] Packed<K>;
    Arc [K V] Map<K, V>;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::num::NonZero;

    use super::super::field_tests::{Probe, refusal, round_trip, visited};
    use super::*;
    use crate::schema::kind::{Optional, Singular, String as Text, Uint32};

    #[test]
    fn a_pointer_is_saved_as_what_it_points_at() {
        round_trip::<Singular<Uint32>, Box<u8>>(&Box::new(7), &[0x08, 7]);
        round_trip::<Singular<Uint32>, Arc<u8>>(&Arc::new(0), &[]);
        round_trip::<Optional<Uint32>, Option<Arc<u8>>>(&Some(Arc::new(0)), &[0x08, 0]);
        round_trip::<Singular<Uint32>, Option<Box<NonZero<u8>>>>(&None, &[]);
        round_trip::<Repeated<Text>, Vec<Arc<str>>>(&vec![Arc::from("a")], b"\x0a\x01a");
        round_trip::<Packed<Uint32>, Arc<Vec<Box<u8>>>>(
            &Arc::new(vec![Box::new(1)]),
            &[0x0a, 1, 1],
        );
        let map = Box::new(BTreeMap::from([(Arc::from("k"), Arc::new(2))]));
        round_trip::<Map<Text, Uint32>, Box<BTreeMap<Arc<str>, Arc<u8>>>>(
            &map,
            b"\x0a\x05\x0a\x01k\x10\x02",
        );
    }

    #[test]
    fn what_is_pointed_at_is_checked() {
        assert_eq!(
            refusal::<Singular<Uint32>, Arc<u8>>(&[0x08, 0x80, 0x02]),
            "256 does not fit u8, which is 0 to 255 (byte 1 of 3)"
        );
        assert_eq!(refusal::<Singular<Uint32>, Box<NonZero<u8>>>(&[]), "is missing");
    }

    #[test]
    fn a_visit_goes_through_pointers_whoever_else_holds_them() {
        assert_eq!(visited::<Singular<Uint32>, _>(&Box::new(Probe(0))), ["f"]);
        let child = Arc::new(Probe(0));
        assert_eq!(visited::<Singular<Uint32>, _>(&child), ["f"]);
        let list = Arc::new(vec![Arc::clone(&child)]);
        assert_eq!(visited::<Repeated<Uint32>, _>(&list), ["f/0"]);
        assert_eq!(visited::<Repeated<Uint32>, _>(&Arc::clone(&list)), ["f/0"]);
        assert_eq!(visited::<Singular<Uint32>, _>(&Arc::new(7u8)), [""; 0]);
    }
}
