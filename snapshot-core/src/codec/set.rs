//! Sets, as `repeated` fields: written in the order of the wire, and read in no other, so that an
//! ordered list is not mistaken for a set. A duplicate element is refused.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, Hash};

use super::list::{put_packed, put_repeated, take_elements};
use super::order;
use super::refusals::{self, refuse};
use super::{Quoted, Reader, Tag, Wire, WireField, WireKey, Writer, memory};
use crate::Error;
use crate::schema::kind::{Kind, Packed, Repeated};
use crate::schema::{Collection, FieldForm};
use crate::visit::Visit;

/// Collects the elements of a set field, which come in the order of the wire.
#[derive(Debug)]
pub struct SetSlot<S, T> {
    elements: S,
    /// The last element, with its index. It is added to the others after the comparison with the
    /// next one.
    last: Option<(T, usize)>,
    /// The number of elements so far, including those that could not be read.
    count: usize,
    /// The error of elements that are equal in Rust, although their forms on the wire differ.
    twins: Option<Error>,
}

impl<S: Default, T> Default for SetSlot<S, T> {
    fn default() -> Self {
        Self { elements: S::default(), last: None, count: 0, twins: None }
    }
}

impl<S, T> SetSlot<S, T> {
    /// Adds the last element with `insert`, which returns the text of an equal one.
    fn settle(&mut self, insert: impl FnOnce(&mut S, T) -> Option<String>) {
        if let Some((element, index)) = self.last.take()
            && let Some(twin) = insert(&mut self.elements, element)
        {
            let error = is_in_it_twice(&twin).in_index(index);
            self.twins = Some(match self.twins.take() {
                Some(earlier) => earlier.and(error),
                None => error,
            });
        }
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
            const FORM: FieldForm = FieldForm::several(<T as Wire<K>>::FORM, Collection::Set);
            type Slot = SetSlot<Self, T>;

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
                slot: &mut SetSlot<Self, T>,
                tag: Tag,
                r: &mut Reader<'_>,
            ) -> Result<(), Error> {
                let make_room: fn(&mut Self, &mut Reader<'_>) -> Result<(), Error> = $room;
                let mut count = slot.count;
                let taken = take_elements::<K>(&mut count, tag, r, |r| {
                    let index = slot.count;
                    slot.count += 1;
                    let element = T::take(r)?;
                    if let Some((last, _)) = &slot.last {
                        match last.wire_cmp(&element) {
                            Ordering::Less => {}
                            Ordering::Equal => return Err(is_in_it_twice(&element.key_text())),
                            Ordering::Greater => return Err(is_out_of_order(last, &element)),
                        }
                    }
                    make_room(&mut slot.elements, r)?;
                    slot.settle(|set, element| {
                        set.replace(element).map(|twin| twin.key_text())
                    });
                    slot.last = Some((element, index));
                    Ok(())
                });
                slot.count = count;
                taken
            }

            fn finish_field(
                mut slot: SetSlot<Self, T>,
                error: &mut Option<Error>,
            ) -> Option<Self> {
                slot.settle(|set, element| {
                        set.replace(element).map(|twin| twin.key_text())
                    });
                match slot.twins {
                    None => Some(slot.elements),
                    twins => {
                        *error = twins;
                        None
                    }
                }
            }
            fn visit_field(&self, _: &mut Visit<'_>) -> Result<(), Error> {
                Ok(())
            }
        }
    };
}

/// Returns the errors of a set, if there are any.
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

#[cold]
#[inline(never)]
fn is_out_of_order<K: Kind>(last: &impl WireKey<K>, element: &impl WireKey<K>) -> Error {
    Error::invalid(format!(
        "{} comes after {}, but a set is written in ascending order: hold these elements in a list",
        Quoted(&element.key_text()),
        Quoted(&last.key_text())
    ))
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
    fn elements_are_read_in_any_packing() {
        let set: BTreeSet<u8> = take::<Packed<Uint32>, _>(&[0x08, 1, 0x0a, 2, 4, 9]).unwrap();
        assert_eq!(set, [1, 4, 9].into());
    }

    #[test]
    fn elements_that_a_set_would_write_in_another_order_are_refused() {
        assert_eq!(
            refusal::<Packed<Uint32>, BTreeSet<u8>>(&[0x0a, 3, 1, 9, 4]),
            "[2]: \"4\" comes after \"9\", but a set is written in ascending order: hold these \
             elements in a list (byte 4 of 5)"
        );
        assert_eq!(
            refusal::<Repeated<Text>, HashSet<String>>(b"\x0a\x01b\x0a\x01a\x0a\x01c"),
            "[1]: \"a\" comes after \"b\", but a set is written in ascending order: hold these \
             elements in a list (byte 4 of 9)"
        );
        // In the order of the wire. Rust compares these as numbers.
        let addresses = b"\x0a\x0810.0.0.1\x0a\x079.0.0.1";
        assert_eq!(take::<Repeated<Text>, BTreeSet<Ipv4Addr>>(addresses).unwrap().len(), 2);
    }

    #[test]
    fn an_element_twice_is_refused() {
        assert_eq!(
            refusal::<Packed<Uint32>, BTreeSet<u8>>(&[0x0a, 3, 1, 2, 2]),
            "[2]: \"2\" is in the set twice (byte 4 of 5)"
        );
        assert_eq!(
            refusal::<Repeated<Text>, HashSet<String>>(b"\x0a\x01a\x0a\x01a"),
            "[1]: \"a\" is in the set twice (byte 4 of 6)"
        );
        // Two texts on the wire, but one path in Rust.
        assert_eq!(
            refusal::<Repeated<Text>, BTreeSet<PathBuf>>(b"\x0a\x01a\x0a\x02a/"),
            "[1]: \"a\" is in the set twice"
        );
        assert_eq!(
            refusal::<Repeated<Text>, HashSet<PathBuf>>(b"\x0a\x01a\x0a\x02a/\x0a\x01b"),
            "[1]: \"a\" is in the set twice"
        );
    }

    #[test]
    fn an_element_that_is_wrong_is_named_by_its_index() {
        assert_eq!(
            refusal::<Packed<Bool>, HashSet<bool>>(&[0x0a, 2, 1, 2]),
            "[1]: 2 does not fit in bool, which holds 0 to 1 (byte 3 of 4)"
        );
        assert_eq!(
            put_refusal::<Packed<Uint32>, BTreeSet<i8>>(&[-1].into()),
            "[0]: -1 does not fit in uint32, which holds 0 to 4294967295"
        );
    }
}
