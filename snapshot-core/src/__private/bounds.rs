//! Checks `max` and `range`.

use std::fmt::Debug;
use std::ops::{Bound, RangeBounds};

use crate::Error;
use crate::codec::Length;
use crate::schema::Field;

/// A value that a range of `V` can bound: a `V`, or an `Option` of one, where `None` is in every
/// range.
#[diagnostic::on_unimplemented(
    message = "a `range` of `{V}` cannot bound `{Self}`",
    label = "is neither a `{V}` nor an `Option` of it"
)]
pub trait Ranged<V> {
    fn ranged_value(&self) -> Option<&V>;

    /// Calls `look` with an end of the range as a value of the field; `None` if it is of another type.
    fn with_end<R>(end: &V, look: impl FnOnce(&Self) -> R) -> Option<R>
    where
        Self: Sized,
    {
        let _ = (end, look);
        None
    }
}

// The two do not overlap: no type is an `Option` of itself.
impl<V> Ranged<V> for V {
    fn ranged_value(&self) -> Option<&V> {
        Some(self)
    }

    fn with_end<R>(end: &V, look: impl FnOnce(&V) -> R) -> Option<R> {
        Some(look(end))
    }
}

impl<V> Ranged<V> for Option<V> {
    fn ranged_value(&self) -> Option<&V> {
        self.as_ref()
    }
}

/// A value that can be compared with the ends of a range, and shown in an error.
#[diagnostic::on_unimplemented(
    message = "a `range` cannot bound `{Self}`",
    label = "cannot be compared or shown in an error",
    note = "derive `PartialOrd` and `Debug` for it"
)]
pub trait Bounded: PartialOrd + Debug {}

#[diagnostic::do_not_recommend]
impl<V: PartialOrd + Debug> Bounded for V {}

/// A range of `V`s.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a range of `{V}`",
    label = "expected a range of the field's values, like `1..=8`",
    note = "the length of text, bytes and collections is bounded by `#[snapshot(max = 64)]`"
)]
pub trait Bounds<V> {
    fn has(&self, value: &V) -> bool
    where
        V: PartialOrd;

    /// The first and the last value.
    fn ends(&self) -> [Bound<&V>; 2];
}

#[diagnostic::do_not_recommend]
impl<V, R: RangeBounds<V>> Bounds<V> for R {
    fn has(&self, value: &V) -> bool
    where
        V: PartialOrd,
    {
        self.contains(value)
    }

    fn ends(&self) -> [Bound<&V>; 2] {
        [self.start_bound(), self.end_bound()]
    }
}

/// Checks that a value, if there is one, is no longer than `max`.
pub fn max<F, T: Length>(field: &Field<F>, value: Option<&T>, max: usize) -> Result<(), Error> {
    let length = value.map_or(0, T::length);
    if length > max { Err(too_long(field.name(), length, T::UNIT, max)) } else { Ok(()) }
}

#[cold]
fn too_long(field: &'static str, length: usize, unit: &str, max: usize) -> Error {
    Error::invalid(format!("has {length} {unit}, but the maximum is {max}")).in_field(field)
}

/// The use of a field's range: a check of a value, or a note for manifests.
pub trait RangeUse<T> {
    type Result;

    fn with<V: Bounded>(self, range: impl Bounds<V>, text: &'static str) -> Self::Result
    where
        T: Ranged<V>;
}

/// Uses the `range` of a field of type `T`; `text` is the range as it was written. Every use calls this
/// one function, so that the compiler reports a wrong range in the same words each time, and shows them once.
#[inline]
pub fn range<T: Ranged<V>, V: Bounded, U: RangeUse<T>>(
    usage: U,
    range: impl Bounds<V>,
    text: &'static str,
) -> U::Result {
    usage.with(range, text)
}

/// Checks that the value of the field, if there is one, is in the range.
pub struct CheckRange<'a, F, T>(pub &'a Field<F>, pub Option<&'a T>);

impl<F, T> RangeUse<T> for CheckRange<'_, F, T> {
    type Result = Result<(), Error>;

    #[inline]
    fn with<V: Bounded>(self, range: impl Bounds<V>, text: &'static str) -> Result<(), Error>
    where
        T: Ranged<V>,
    {
        match self.1.and_then(T::ranged_value) {
            Some(value) if !range.has(value) => Err(out_of_range(self.0.name(), value, text)),
            _ => Ok(()),
        }
    }
}

#[cold]
fn out_of_range(field: &'static str, value: &dyn Debug, text: &str) -> Error {
    Error::invalid(format!("is {value:?}, which is not in {text}")).in_field(field)
}
