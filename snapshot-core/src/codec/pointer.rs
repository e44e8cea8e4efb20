//! `Box` and `Arc`: saved like the value to which they point.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{
    NeverDefault, Reader, Single, Tag, Wire, WireField, WireKey, WireOneof, Writer, memory,
};
use crate::Error;
use crate::schema::kind::{Kind, Map, Packed, Repeated};
use crate::schema::{FieldForm, MemberForm, OneofSchema, StatesInside, ValueForm};
use crate::visit::Visit;

macro_rules! pointers {
    ($($pointer:ident, |$met:ident, $w:ident| $meet:expr;)*) => {$(
        impl<T: Single> Single for $pointer<T> {}
        impl<T: NeverDefault> NeverDefault for $pointer<T> {}

        impl<K: Kind, T: Wire<K>> Wire<K> for $pointer<T> {
            const LEAF: bool = T::LEAF;
            const FORM: ValueForm = T::FORM;
            const INSIDE: StatesInside = T::INSIDE;

            #[inline]
            fn put(&self, $w: &mut Writer) -> Result<(), Error> {
                let $met = self;
                let () = $meet;
                T::put(self, $w)
            }

            #[inline]
            fn put_tagged(&self, number: u32, $w: &mut Writer) -> Result<(), Error> {
                let $met = self;
                let () = $meet;
                T::put_tagged(self, number, $w)
            }

            #[inline]
            fn leave_out(&self, $w: &mut Writer) -> Result<(), Error> {
                let $met = self;
                let () = $meet;
                T::leave_out(self, $w)
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
            const MEMBERS: &'static [MemberForm] = T::MEMBERS;
            const INSIDE: StatesInside = T::INSIDE;
            #[inline]
            fn put_oneof(&self, $w: &mut Writer) -> Result<u32, Error> {
                let $met = self;
                let () = $meet;
                T::put_oneof(self, $w)
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

pointers! {
    Box, |_this, w| ();
    Arc, |this, w| w.meet(this)?;
}

/// A collection behind a pointer is the same field as the collection.
macro_rules! pointers_to_collections {
    ($($pointer:ident [$($k:ident)*] $field:ty, |$met:ident, $w:ident| $meet:expr;)*) => {$(
        impl<$($k: Kind,)* T: WireField<$field>> WireField<$field> for $pointer<T> {
            const LEAF: bool = T::LEAF;
            const FORM: FieldForm = T::FORM;
            const INSIDE: StatesInside = T::INSIDE;
            type Slot = T::Slot;

            #[inline]
            fn put_field(&self, number: u32, $w: &mut Writer) -> Result<u32, Error> {
                let $met = self;
                let () = $meet;
                T::put_field(self, number, $w)
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
    Box [K] Repeated<K>, |_this, w| ();
    Box [K] Packed<K>, |_this, w| ();
    Box [K V] Map<K, V>, |_this, w| ();
    Arc [K] Repeated<K>, |this, w| w.meet(this)?;
    Arc [K] Packed<K>, |this, w| w.meet(this)?;
    Arc [K V] Map<K, V>, |this, w| w.meet(this)?;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::num::NonZero;

    use super::super::field_tests::{Probe, put, put_refusal, refusal, round_trip, visited};
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
    fn one_arc_in_two_places_is_refused_also_at_its_default() {
        use std::sync::atomic::AtomicU8;

        type Field = Singular<Uint32>;
        let shared = Arc::new(AtomicU8::new(0));
        let other = Arc::clone(&shared);
        let mut writer = Writer::default();
        WireField::<Field>::put_field(&shared, 1, &mut writer).unwrap();
        let error = WireField::<Field>::put_field(&other, 2, &mut writer).unwrap_err().to_string();
        assert!(error.starts_with("its `Arc` is also in another place of the tree"), "{error}");

        let mut list = vec![Arc::new(7u8), Arc::new(7)];
        assert!(put::<Packed<Uint32>, _>(&list).is_ok());
        list[1] = Arc::clone(&list[0]);
        assert!(put_refusal::<Packed<Uint32>, _>(&list).starts_with("[0]: its `Arc` is"));
        // It is held by others, but is only once in the tree.
        list.truncate(1);
        let _held = Arc::clone(&list[0]);
        assert!(put::<Packed<Uint32>, _>(&list).is_ok());
        // Two equal texts cannot be distinguished.
        let text: Arc<str> = Arc::from("a");
        assert!(put::<Repeated<Text>, _>(&vec![Arc::clone(&text), text]).is_ok());
    }

    #[test]
    fn values_that_are_put_a_second_time_do_not_count_as_two() {
        let mut writer = Writer::default();
        let shared = Arc::new(1u8);
        let _held = Arc::clone(&shared);
        for _ in 0..2 {
            let mark = writer.position();
            WireField::<Singular<Uint32>>::put_field(&shared, 1, &mut writer).unwrap();
            writer.rewind(mark);
        }
        // A map whose keys Rust sorts in another order is written a second time, in the order of
        // the wire.
        let address = |text: &str| text.parse::<std::net::Ipv4Addr>().unwrap();
        let map = BTreeMap::from([
            (address("9.0.0.1"), Arc::clone(&shared)),
            (address("10.0.0.1"), Arc::new(2)),
        ]);
        assert!(put::<Map<Text, Uint32>, _>(&map).is_ok());
    }

    #[test]
    fn what_is_pointed_at_is_checked() {
        assert_eq!(
            refusal::<Singular<Uint32>, Arc<u8>>(&[0x08, 0x80, 0x02]),
            "256 does not fit in u8, which holds 0 to 255 (byte 1 of 3)"
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
