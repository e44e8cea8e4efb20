//! Sets, as `repeated` fields: written in the order of the wire, an element twice is refused.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, Hash};

use super::list::{put_packed, put_repeated, take_elements};
use super::{Quoted, Reader, Tag, WireField, WireKey, Writer};
use crate::Error;
use crate::controller::Walk;
use crate::schema::kind::{Kind, Packed, Repeated};

/// The elements in the order of the wire.
fn sorted<'a, K: Kind, T: WireKey<K> + 'a>(
    elements: impl Iterator<Item = &'a T>,
) -> Result<Vec<&'a T>, Error> {
    let mut sorted: Vec<&T> = elements.collect();
    // Stable, so that what a `BTreeSet` has in this order already is one pass.
    sorted.sort_by(|a, b| a.wire_cmp(b));
    match sorted.windows(2).find(|pair| pair[0].wire_cmp(pair[1]).is_eq()) {
        None => Ok(sorted),
        Some(pair) => Err(is_in_it_twice(&pair[0].key_text())),
    }
}

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
    ($set:ty, [$($t:tt)*], [$($s:tt)*]) => {
        set! { @ Repeated put_repeated $set, [$($t)*], [$($s)*] }
        set! { @ Packed put_packed $set, [$($t)*], [$($s)*] }
    };
    (@ $field:ident $put:ident $set:ty, [$($t:tt)*], [$($s:tt)*]) => {
        impl<K: Kind, T: WireKey<K> + $($t)*, $($s)*> WireField<$field<K>> for $set {
            const LEAF: bool = true;
            type Slot = SetSlot<Self>;

            fn put_field(&self, number: u32, w: &mut Writer) -> Result<u32, Error> {
                $put::<K, T>(sorted::<K, T>(self.iter())?.into_iter(), number, w)?;
                Ok(number)
            }

            fn take_field(
                slot: &mut SetSlot<Self>,
                tag: Tag,
                r: &mut Reader<'_>,
            ) -> Result<(), Error> {
                let elements = &mut slot.elements;
                take_elements::<K>(&mut slot.count, tag, r, |r| {
                    match elements.replace(T::take(r)?) {
                        None => Ok(()),
                        Some(twin) => Err(is_in_it_twice(&twin.key_text())),
                    }
                })
            }

            #[inline]
            fn finish_field(slot: SetSlot<Self>) -> Result<Self, Error> {
                Ok(slot.elements)
            }

            #[inline]
            fn walk_field(&mut self, _walk: &mut Walk<'_>) -> Result<(), Error> {
                Ok(())
            }
        }
    };
}

#[cold]
#[inline(never)]
fn is_in_it_twice(element: &str) -> Error {
    Error::invalid(format!("{} is in the set twice", Quoted(element)))
}

set! { BTreeSet<T>, [Ord], [] }
set! { HashSet<T, S>, [Eq + Hash], [S: BuildHasher + Default] }
