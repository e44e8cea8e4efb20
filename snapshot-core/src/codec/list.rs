//! Collections that keep their order, as `repeated` fields.

use std::collections::VecDeque;

use super::{Reader, Tag, Wire, WireField, Writer, wrong_wire_type};
use crate::Error;
use crate::controller::Walk;
use crate::schema::kind::{Kind, Packed, Repeated, WireType};

/// Puts elements, each with a tag. They come in their own order and are put from the last on.
pub(super) fn put_repeated<'a, K: Kind, T: Wire<K> + 'a>(
    elements: impl DoubleEndedIterator<Item = &'a T> + ExactSizeIterator,
    number: u32,
    w: &mut Writer,
) -> Result<(), Error> {
    for (index, element) in elements.enumerate().rev() {
        if let Err(error) = element.put(w) {
            return Err(error.in_index(index));
        }
        w.tag(number, K::WIRE_TYPE);
    }
    Ok(())
}

/// Puts elements under one tag and length.
pub(super) fn put_packed<'a, K: Kind, T: Wire<K> + 'a>(
    elements: impl DoubleEndedIterator<Item = &'a T> + ExactSizeIterator,
    number: u32,
    w: &mut Writer,
) -> Result<(), Error> {
    const { assert!(is_packable::<K>(), "only numbers can be packed") }
    if elements.len() == 0 {
        return Ok(());
    }
    let mark = w.position();
    for (index, element) in elements.enumerate().rev() {
        if let Err(error) = element.put(w) {
            return Err(error.in_index(index));
        }
    }
    w.length_since(mark);
    w.tag(number, WireType::Len);
    Ok(())
}

const fn is_packable<K: Kind>() -> bool {
    !matches!(K::WIRE_TYPE, WireType::Len)
}

/// Takes one occurrence of a repeated field: an element, or packed ones, whichever the writer
/// chose. `take` takes one element.
#[inline]
pub(super) fn take_elements<K: Kind>(
    next_index: &mut usize,
    tag: Tag,
    r: &mut Reader<'_>,
    mut take: impl FnMut(&mut Reader<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut take = |r: &mut Reader<'_>| {
        let index = *next_index;
        *next_index += 1;
        let offset = r.offset();
        match take(r) {
            Ok(()) => Ok(()),
            Err(error) => Err(r.locate(error, offset).in_index(index)),
        }
    };
    if tag.wire_type == K::WIRE_TYPE {
        take(r)
    } else if is_packable::<K>() && tag.wire_type == WireType::Len {
        r.message(|r| {
            let mut errors: Option<Error> = None;
            while r.remaining() > 0 {
                let offset = r.offset();
                if let Err(error) = take(r) {
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

#[cold]
#[inline(never)]
fn join(errors: Option<Error>, error: Error) -> Error {
    match errors {
        Some(errors) => errors.and(error),
        None => error,
    }
}

/// What collects the elements of a field.
#[derive(Debug)]
pub struct ListSlot<T> {
    elements: Vec<T>,
    /// How many elements were there, those that could not be read included.
    count: usize,
}

impl<T> Default for ListSlot<T> {
    fn default() -> Self {
        Self { elements: Vec::new(), count: 0 }
    }
}

impl<T> ListSlot<T> {
    #[inline]
    fn take<K: Kind>(&mut self, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error>
    where
        T: Wire<K>,
    {
        let elements = &mut self.elements;
        take_elements::<K>(&mut self.count, tag, r, |r| {
            elements.push(T::take(r)?);
            Ok(())
        })
    }
}

/// Shows the controllers inside the elements to `walk`.
fn walk_elements<'a, K: Kind, T: Wire<K> + 'a>(
    elements: impl Iterator<Item = &'a mut T>,
    walk: &mut Walk<'_>,
) -> Result<(), Error> {
    if T::LEAF {
        return Ok(());
    }
    for (index, element) in elements.enumerate() {
        walk.index(index, |walk| element.walk(walk))?;
    }
    Ok(())
}

#[cold]
#[inline(never)]
fn wrong_count(found: usize, expected: usize) -> Error {
    Error::invalid(format!("has {found} elements, expected {expected}"))
}

macro_rules! list {
    ($list:ty, [$($n:tt)*], |$elements:ident| $finish:expr) => {
        list! { @ Repeated put_repeated $list, [$($n)*], |$elements| $finish }
        list! { @ Packed put_packed $list, [$($n)*], |$elements| $finish }
    };
    (@ $field:ident $put:ident $list:ty, [$($n:tt)*], |$elements:ident| $finish:expr) => {
        impl<K: Kind, T: Wire<K>, $($n)*> WireField<$field<K>> for $list {
            const LEAF: bool = T::LEAF;
            type Slot = ListSlot<T>;

            #[inline]
            fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
                $put::<K, T>(self.iter(), number, w)?;
                Ok(number)
            }

            #[inline]
            fn take_field(
                slot: &mut ListSlot<T>,
                tag: Tag,
                r: &mut Reader<'_>,
            ) -> Result<(), Error> {
                slot.take(tag, r)
            }

            #[inline]
            fn finish_field(slot: ListSlot<T>) -> Result<Self, Error> {
                let $elements = slot.elements;
                $finish
            }

            #[inline]
            fn walk_field(&mut self, walk: &mut Walk<'_>) -> Result<(), Error> {
                walk_elements::<K, T>(self.iter_mut(), walk)
            }
        }
    };
}

list! { Vec<T>, [], |elements| Ok(elements) }
list! { VecDeque<T>, [], |elements| Ok(elements.into()) }
list! { Box<[T]>, [], |elements| Ok(elements.into()) }
list! { [T; N], [const N: usize], |elements| {
    elements.try_into().map_err(|elements: Vec<T>| wrong_count(elements.len(), N))
} }
