//! Sets, as `repeated` fields: written in the order of the wire, an element twice is refused.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, Hash};

use super::list::{put_packed, put_repeated, take_elements};
use super::order;
use super::refusals::{self, refuse};
use super::{Quoted, Reader, Tag, WireField, WireKey, Writer, memory};
use crate::Error;
use crate::schema::kind::{Kind, Packed, Repeated};
use crate::visit::Visit;

/// What collects the elements of a set field.
#[derive(Debug)]
pub struct SetSlot<S> {
    elements: S,
    /// How many elements were there, those that could not be read included.
    count: usize,
}

impl<S: Default> Default for SetSlot<S> {
    fn default() -> Self {
        Self { elements: S::default(), count: 0 }
    }
}

macro_rules! set {
    ($set:ty, [$($t:tt)*], [$($s:tt)*], $room:expr) => {
        set! { @ Repeated put_repeated $set, [$($t)*], [$($s)*], $room }
        set! { @ Packed put_packed $set, [$($t)*], [$($s)*], $room }
    };
    (@ $field:ident $put:ident $set:ty, [$($t:tt)*], [$($s:tt)*], $room:expr) => {
        impl<K: Kind, T: WireKey<K> + $($t)*, $($s)*> WireField<$field<K>> for $set {
            const LEAF: bool = true;
            type Slot = SetSlot<Self>;

            fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
                let elements = self.iter().map(|element| (element, &()));
                let ranked = order::ranked::<K, T, ()>(elements, w);
                let put =
                    $put::<K, T>(ranked.iter().map(|(_, (element, _))| *element), number, w);
                let mut twins = None;
                order::each_twin::<K, T, ()>(&ranked, |element| {
                    twins = refuse(twins.take(), is_in_it_twice(&element.key_text()));
                });
                order::give_back(ranked, w);
                match (put, refusals::end(twins)) {
                    (Ok(()), Ok(())) => Ok(number),
                    (put, twins) => Err(both(twins, put)),
                }
            }

            fn take_field(
                slot: &mut SetSlot<Self>,
                tag: Tag,
                r: &mut Reader<'_>,
            ) -> Result<(), Error> {
                let elements = &mut slot.elements;
                let make_room: fn(&mut Self, &mut Reader<'_>) -> Result<(), Error> = $room;
                take_elements::<K>(&mut slot.count, tag, r, |r| {
                    let element = T::take(r)?;
                    make_room(elements, r)?;
                    match elements.replace(element) {
                        None => Ok(()),
                        Some(twin) => Err(is_in_it_twice(&twin.key_text())),
                    }
                })
            }

            #[inline]
            fn finish_field(slot: SetSlot<Self>, _: &mut Option<Error>) -> Option<Self> {
                Some(slot.elements)
            }
            fn visit_field(&self, _: &mut Visit<'_>) -> Result<(), Error> {
                Ok(())
            }
        }
    };
}

/// What is wrong with a set, if something is.
#[cold]
#[inline(never)]
fn both(twins: Result<(), Error>, put: Result<(), Error>) -> Error {
    let errors = twins.err().into_iter().chain(put.err());
    errors.reduce(Error::and).unwrap_or_else(|| Error::internal("a set was refused for nothing"))
}

#[cold]
#[inline(never)]
fn is_in_it_twice(element: &str) -> Error {
    Error::invalid(format!("{} is in the set twice", Quoted(element)))
}

set! { BTreeSet<T>, [Ord], [], |_, r| r.charge(memory::tree_entry::<T>()) }
set! { HashSet<T, S>, [Eq + Hash], [S: BuildHasher + Default], |set, r| {
    let capacity = set.capacity();
    match set.len() == capacity {
        true => memory::grow_table::<T>(capacity, |more| set.reserve(more), r.memory()),
        false => Ok(()),
    }
} }

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::path::PathBuf;

    use super::super::field_tests::{put, put_refusal, refusal, round_trip, take};
    use super::*;
    use crate::schema::kind::{Bool, Sint32, String as Text, Uint32};

    #[test]
    fn sets_are_written_in_the_order_of_the_wire() {
        let numbers = [300, -1, 0, 2];
        let packed = b"\x0a\x05\x01\0\x04\xd8\x04";
        round_trip::<Packed<Sint32>, BTreeSet<i32>>(&numbers.into(), packed);
        round_trip::<Packed<Sint32>, HashSet<i32>>(&numbers.into(), packed);
        let repeated = b"\x08\x01\x08\0\x08\x04\x08\xd8\x04";
        round_trip::<Repeated<Sint32>, BTreeSet<i32>>(&numbers.into(), repeated);
        let texts = ["b", "", "a"].map(String::from);
        round_trip::<Repeated<Text>, HashSet<String>>(&texts.into(), b"\x0a\0\x0a\x01a\x0a\x01b");
        round_trip::<Packed<Uint32>, BTreeSet<u8>>(&BTreeSet::new(), b"");
    }

    #[test]
    fn elements_that_rust_orders_otherwise_are_sorted_by_their_text() {
        let addresses = [Ipv4Addr::new(9, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 1)];
        let bytes = put::<Repeated<Text>, BTreeSet<Ipv4Addr>>(&addresses.into()).unwrap();
        assert_eq!(bytes, b"\x0a\x0810.0.0.1\x0a\x079.0.0.1");
    }

    #[test]
    fn elements_are_read_in_any_order_and_packing() {
        let set: BTreeSet<u8> = take::<Packed<Uint32>, _>(&[0x08, 9, 0x0a, 2, 4, 1]).unwrap();
        assert_eq!(set, [1, 4, 9].into());
    }

    #[test]
    fn an_element_twice_is_refused() {
        assert_eq!(
            refusal::<Packed<Uint32>, BTreeSet<u8>>(&[0x0a, 3, 1, 2, 1]),
            "[2]: \"1\" is in the set twice (byte 4 of 5)"
        );
        assert_eq!(
            refusal::<Repeated<Text>, HashSet<String>>(b"\x0a\x01a\x0a\x01a"),
            "[1]: \"a\" is in the set twice (byte 4 of 6)"
        );
        assert_eq!(
            refusal::<Repeated<Text>, BTreeSet<PathBuf>>(b"\x0a\x01a\x0a\x02a/"),
            "[1]: \"a\" is in the set twice (byte 4 of 7)"
        );
    }

    #[test]
    fn an_element_that_is_wrong_is_named_by_its_index() {
        assert_eq!(
            refusal::<Packed<Bool>, HashSet<bool>>(&[0x0a, 2, 1, 2]),
            "[1]: 2 does not fit bool, which is 0 to 1 (byte 3 of 4)"
        );
        assert_eq!(
            put_refusal::<Packed<Uint32>, BTreeSet<i8>>(&[-1].into()),
            "[0]: -1 does not fit uint32, which is 0 to 4294967295"
        );
    }
}
