//! Collections that keep their order, as `repeated` fields.

use std::collections::VecDeque;

use super::refusals::{self, refuse};
use super::{Reader, Tag, Wire, WireField, Writer, memory, size, wrong_wire_type};
use crate::error::{Error, plural};
use crate::schema::StatesInside;
use crate::schema::kind::{Kind, Packed, Repeated, WireType};
use crate::schema::{Collection, FieldForm};
use crate::visit::Visit;

/// Writes elements, each with a tag, from the last one on.
pub(super) fn put_repeated<'a, K: Kind, T: Wire<K> + 'a>(
    elements: impl DoubleEndedIterator<Item = &'a T> + ExactSizeIterator,
    number: u32,
    w: &mut Writer,
) -> Result<(), Error> {
    let mut refusals = None;
    for (index, element) in elements.enumerate().rev() {
        if let Err(error) = element.put_tagged(number, w) {
            refusals = refuse(refusals, error.in_index(index));
        }
    }
    refusals::end(refusals)
}

/// Writes elements under one tag and length.
pub(super) fn put_packed<'a, K: Kind, T: Wire<K> + 'a>(
    elements: impl DoubleEndedIterator<Item = &'a T> + ExactSizeIterator,
    number: u32,
    w: &mut Writer,
) -> Result<(), Error> {
    const { assert!(is_packable::<K>(), "only numbers can be packed") }
    if elements.len() == 0 {
        return Ok(());
    }
    w.message(|w| {
        let mut refusals = None;
        for (index, element) in elements.enumerate().rev() {
            if let Err(error) = element.put(w) {
                refusals = refuse(refusals, error.in_index(index));
            }
        }
        refusals::end(refusals)
    })?;
    w.tag(number, WireType::Len);
    Ok(())
}

/// Returns the number of bytes that [`put_repeated`] writes.
#[inline]
fn repeated_size<'a, K: Kind, T: Wire<K> + 'a>(
    elements: impl ExactSizeIterator<Item = &'a T>,
    number: u32,
) -> usize {
    elements.len() * size::tag(number) + elements.map(T::size).sum::<usize>()
}

/// Returns the number of bytes that [`put_packed`] writes.
#[inline]
fn packed_size<'a, K: Kind, T: Wire<K> + 'a>(
    elements: impl ExactSizeIterator<Item = &'a T>,
    number: u32,
) -> usize {
    match elements.len() {
        0 => 0,
        _ => size::tag(number) + size::delimited(elements.map(T::size).sum()),
    }
}

const fn is_packable<K: Kind>() -> bool {
    !matches!(K::WIRE_TYPE, WireType::Len)
}

/// Reads one occurrence of a repeated field: an element, or packed ones, as the writer chose.
/// `take` reads one element.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn take_elements<K: Kind>(
    next_index: &mut usize,
    tag: Tag,
    r: &mut Reader<'_>,
    mut take: impl FnMut(&mut Reader<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    if tag.wire_type == K::WIRE_TYPE {
        take_element(next_index, r, &mut take)
    } else if is_packable::<K>() && tag.wire_type == WireType::Len {
        r.message(|r| {
            let mut errors: Option<Error> = None;
            while r.remaining() > 0 {
                let offset = r.offset();
                if let Err(error) = take_element(next_index, r, &mut take) {
                    errors = Some(join(errors, error));
                    if !r.recover(offset, K::WIRE_TYPE) {
                        break;
                    }
                }
            }
            errors.map_or(Ok(()), Err)
        })
    } else {
        Err(wrong_wire_type(tag, K::WIRE_TYPE.as_str()))
    }
}

/// Reads one element. An error in it gets its index.
#[cfg_attr(not(debug_assertions), inline(always))]
fn take_element(
    next_index: &mut usize,
    r: &mut Reader<'_>,
    take: &mut impl FnMut(&mut Reader<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let index = *next_index;
    *next_index += 1;
    let left = r.remaining();
    match take(r) {
        Ok(()) => Ok(()),
        Err(error) => Err(r.locate(error, r.offset_before(left)).in_index(index)),
    }
}

#[cold]
#[inline(never)]
fn join(errors: Option<Error>, error: Error) -> Error {
    match errors {
        Some(errors) => errors.and(error),
        None => error,
    }
}

/// Collects the elements of a field.
#[derive(Debug)]
pub struct ListSlot<T> {
    elements: Vec<T>,
    /// The number of elements so far, including those that could not be read.
    count: usize,
}

impl<T> Default for ListSlot<T> {
    fn default() -> Self {
        Self { elements: Vec::new(), count: 0 }
    }
}

impl<T> ListSlot<T> {
    /// Returns the elements that could be read.
    pub(super) fn into_elements(self) -> Vec<T> {
        self.elements
    }

    pub(super) fn make_room<K: Kind>(&mut self, number: u32, r: &mut Reader<'_>) {
        if self.elements.capacity() == 0 && !is_packable::<K>() {
            let count = r.count_ahead::<T>(number);
            memory::presize_list(&mut self.elements, count, r.memory());
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn take<K: Kind>(&mut self, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error>
    where
        T: Wire<K>,
    {
        let elements = &mut self.elements;
        take_elements::<K>(
            &mut self.count,
            tag,
            r,
            #[inline(always)]
            |r| {
                let element = T::take(r)?;
                if elements.len() == elements.capacity() {
                    memory::grow_list(elements, r.memory())?;
                }
                elements.push(element);
                Ok(())
            },
        )
    }
}

/// Shows the controllers and the names inside the elements to `visit`.
fn visit_elements<'a, K: Kind, T: Wire<K> + 'a>(
    elements: impl Iterator<Item = &'a T>,
    visit: &mut Visit<'_>,
) -> Result<(), Error> {
    if T::LEAF {
        return Ok(());
    }
    for (index, element) in elements.enumerate() {
        visit.index(index, |visit| element.visit(visit))?;
    }
    Ok(())
}

#[cold]
#[inline(never)]
fn wrong_count(found: usize, expected: usize) -> Error {
    Error::invalid(format!("has {found} element{s}, expected {expected}", s = plural(found)))
}

macro_rules! list {
    ($list:ty, [$($n:tt)*], $collection:expr, |$elements:ident, $error:pat_param| $finish:expr) => {
        list! {
            @ Repeated put_repeated repeated_size $list, [$($n)*], $collection,
            |$elements, $error| $finish
        }
        list! {
            @ Packed put_packed packed_size $list, [$($n)*], $collection,
            |$elements, $error| $finish
        }
    };
    (@ $field:ident $put:ident $size:ident $list:ty, [$($n:tt)*], $collection:expr,
        |$elements:ident, $error:pat_param| $finish:expr) => {
        impl<K: Kind, T: Wire<K>, $($n)*> WireField<$field<K>> for $list {
            const LEAF: bool = T::LEAF;
            const FORM: FieldForm = FieldForm::several(T::FORM, $collection);
            const INSIDE: StatesInside = T::INSIDE;
            type Slot = ListSlot<T>;

            #[inline]
            fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
                $put::<K, T>(self.iter(), number, w)?;
                Ok(number)
            }

            #[inline]
            fn field_size(&self, number: u32) -> usize {
                $size::<K, T>(self.iter(), number)
            }

            #[inline]
            fn make_room(slot: &mut ListSlot<T>, number: u32, r: &mut Reader<'_>) {
                slot.make_room::<K>(number, r);
            }

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn take_field(
                slot: &mut ListSlot<T>,
                tag: Tag,
                r: &mut Reader<'_>,
            ) -> Result<(), Error> {
                slot.take(tag, r)
            }

            #[inline]
            fn finish_field(
                slot: ListSlot<T>,
                $error: &mut Option<Error>,
            ) -> Option<Self> {
                let $elements = slot.into_elements();
                $finish
            }
            fn visit_field(&self, visit: &mut Visit<'_>) -> Result<(), Error> {
                visit_elements::<K, T>(self.iter(), visit)
            }
        }
    };
}

list! { Vec<T>, [], Collection::List, |elements, _| Some(elements) }
list! { VecDeque<T>, [], Collection::List, |elements, _| Some(elements.into()) }
list! { Box<[T]>, [], Collection::List, |elements, _| Some(elements.into()) }
list! { [T; N], [const N: usize], Collection::Array(N), |elements, error| {
    let wrong = |elements: Vec<T>| *error = Some(wrong_count(elements.len(), N));
    elements.try_into().map_err(wrong).ok()
} }

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use prost::encoding;

    use super::super::field_tests::{Probe, put_refusal, refusal, round_trip, take, visited};
    use super::*;
    use crate::schema::kind::{Bytes, Double, Fixed32, String as Text, Uint32};

    /// Tests every list type with the same elements.
    fn every_list<F, T>(elements: &[T; 3], expected: &[u8])
    where
        T: Clone + Debug + PartialEq,
        Vec<T>: WireField<F>,
        VecDeque<T>: WireField<F>,
        Box<[T]>: WireField<F>,
        [T; 3]: WireField<F>,
    {
        round_trip::<F, Vec<T>>(&elements.to_vec(), expected);
        let mut deque: VecDeque<T> = elements[1..].to_vec().into();
        deque.push_front(elements[0].clone());
        round_trip::<F, VecDeque<T>>(&deque, expected);
        round_trip::<F, Box<[T]>>(&Box::from(elements.as_slice()), expected);
        round_trip::<F, [T; 3]>(elements, expected);
    }

    #[test]
    fn lists_are_as_prost_writes_them() {
        let mut expected = Vec::new();
        encoding::uint32::encode_packed(1, &[3, 0, 300], &mut expected);
        every_list::<Packed<Uint32>, u16>(&[3, 0, 300], &expected);

        expected.clear();
        encoding::uint32::encode_repeated(1, &[3, 0, 300], &mut expected);
        every_list::<Repeated<Uint32>, u16>(&[3, 0, 300], &expected);

        expected.clear();
        encoding::double::encode_packed(1, &[0.0, -0.0, 1.5], &mut expected);
        every_list::<Packed<Double>, f64>(&[0.0, -0.0, 1.5], &expected);

        expected.clear();
        let texts = ["b", "", "a"].map(String::from);
        encoding::string::encode_repeated(1, &texts, &mut expected);
        every_list::<Repeated<Text>, String>(&texts, &expected);
    }

    #[test]
    fn an_empty_list_is_not_on_the_wire() {
        round_trip::<Packed<Uint32>, Vec<u8>>(&Vec::new(), &[]);
        round_trip::<Repeated<Uint32>, VecDeque<u8>>(&VecDeque::new(), &[]);
        round_trip::<Repeated<Bytes>, Vec<Vec<u8>>>(&Vec::new(), &[]);
        assert!(take::<Packed<Uint32>, Vec<u8>>(&[0x0a, 0]).unwrap().is_empty());
    }

    #[test]
    fn numbers_are_read_packed_unpacked_and_in_pieces() {
        // Unpacked 1, packed 2 and 3, an empty packed one, unpacked 4.
        let bytes = [0x08, 1, 0x0a, 2, 2, 3, 0x0a, 0, 0x08, 4];
        assert_eq!(take::<Packed<Uint32>, Vec<u8>>(&bytes).unwrap(), [1, 2, 3, 4]);
        assert_eq!(take::<Repeated<Uint32>, Vec<u8>>(&bytes).unwrap(), [1, 2, 3, 4]);
        let bytes = [0x0d, 1, 0, 0, 0, 0x0a, 4, 2, 0, 0, 0];
        assert_eq!(take::<Packed<Fixed32>, [u32; 2]>(&bytes).unwrap(), [1, 2]);
    }

    #[test]
    fn an_array_of_another_length_is_refused_with_both_lengths() {
        assert_eq!(
            refusal::<Packed<Uint32>, [u32; 3]>(&[0x0a, 2, 1, 2]),
            "has 2 elements, expected 3"
        );
        assert_eq!(
            refusal::<Repeated<Uint32>, [u32; 1]>(&[0x08, 1, 0x08, 2]),
            "has 2 elements, expected 1"
        );
        assert_eq!(refusal::<Packed<Uint32>, [u32; 1]>(&[]), "has 0 elements, expected 1");
    }

    #[test]
    fn an_element_that_is_wrong_is_named_by_its_index() {
        assert_eq!(
            refusal::<Repeated<Text>, Vec<char>>(b"\x0a\x01a\x0a\x02bc"),
            "[1]: \"bc\" is not a single character (byte 4 of 7)"
        );
        assert_eq!(
            refusal::<Packed<Uint32>, Vec<u8>>(&[0x08, 1, 0x0a, 3, 2, 0x80, 0x02]),
            "[2]: 256 does not fit in u8, which holds 0 to 255 (byte 5 of 7)"
        );
        assert_eq!(
            put_refusal::<Packed<Uint32>, Vec<i8>>(&vec![1, 2, -1]),
            "[2]: -1 does not fit in uint32, which holds 0 to 4294967295"
        );
    }

    #[test]
    fn everything_that_cannot_be_saved_is_reported_at_once() {
        for refusal in [
            put_refusal::<Packed<Uint32>, Vec<i8>>(&vec![-1, 2, -3]),
            put_refusal::<Repeated<Uint32>, [i8; 3]>(&[-1, 2, -3]),
        ] {
            assert_eq!(
                refusal,
                "[0]: -1 does not fit in uint32, which holds 0 to 4294967295\n\
                 [2]: -3 does not fit in uint32, which holds 0 to 4294967295"
            );
        }
    }

    #[test]
    fn everything_that_is_wrong_with_packed_elements_is_told_at_once() {
        let error = refusal::<Packed<Uint32>, Vec<u8>>(&[0x0a, 5, 0x80, 0x02, 1, 0x81, 0x02]);
        assert_eq!(
            error,
            "[0]: 256 does not fit in u8, which holds 0 to 255 (byte 2 of 7)\n\
             [2]: 257 does not fit in u8, which holds 0 to 255 (byte 5 of 7)"
        );
        // After an unterminated varint there is no next element.
        assert_eq!(
            refusal::<Packed<Uint32>, Vec<u8>>(&[0x0a, 3, 0x80, 0x02, 0x80]),
            "[0]: 256 does not fit in u8, which holds 0 to 255 (byte 2 of 5)\n\
             [1]: ends within a varint (byte 4 of 5)"
        );
    }

    #[test]
    fn packed_elements_may_not_cross_their_length() {
        let error = refusal::<Packed<Fixed32>, Vec<u32>>(&[0x0a, 3, 1, 0, 0, 0]);
        assert_eq!(error, "[0]: needs 4 bytes, but has 3 left (byte 2 of 6)");
        let error = refusal::<Packed<Uint32>, Vec<u32>>(&[0x0a, 9, 1]);
        assert_eq!(error, "needs 9 bytes, but has 1 left (byte 2 of 3)");
    }

    #[test]
    fn strings_are_never_packed() {
        let error = refusal::<Repeated<Text>, Vec<String>>(&[0x08, 0]);
        assert_eq!(error, "has wire type varint, expected length-delimited (byte 1 of 2)");
        let error = refusal::<Packed<Uint32>, Vec<u32>>(&[0x09, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(error, "has wire type 64-bit, expected varint (byte 1 of 9)");
    }

    #[test]
    fn a_visit_goes_into_every_element() {
        let list = vec![Probe(7), Probe(8)];
        assert_eq!(visited::<Repeated<Uint32>, _>(&list), ["f/0", "f/1"]);
        assert!(visited::<Repeated<Uint32>, _>(&vec![1u8]).is_empty());
    }
}
