//! Checks `max` and `range`.

use std::fmt::Debug;
use std::ops::RangeBounds;

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
}

#[diagnostic::do_not_recommend]
impl<V, R: RangeBounds<V>> Bounds<V> for R {
    fn has(&self, value: &V) -> bool
    where
        V: PartialOrd,
    {
        self.contains(value)
    }
}

/// Checks that a value, if there is one, is no longer than `max`.
pub fn max<F, T: Length>(field: &Field<F>, value: Option<&T>, max: usize) -> Result<(), Error> {
    let length = value.map_or(0, T::length);
    if length > max { Err(too_long(field.name(), length, T::UNIT, max)) } else { Ok(()) }
}

#[cold]
fn too_long(field: &'static str, length: usize, unit: &str, max: usize) -> Error {
    Error::invalid(format!("has {length} {unit}, but at most {max} are allowed")).in_field(field)
}

/// Checks that a value, if there is one, is in `range`, whose text is `text`.
pub fn range<F, V: Bounded, T: Ranged<V>>(
    field: &Field<F>,
    value: Option<&T>,
    range: impl Bounds<V>,
    text: &str,
) -> Result<(), Error> {
    match value.and_then(T::ranged_value) {
        Some(value) if !range.has(value) => Err(out_of_range(field.name(), value, text)),
        _ => Ok(()),
    }
}

#[cold]
fn out_of_range(field: &'static str, value: &dyn Debug, text: &str) -> Error {
    Error::invalid(format!("is {value:?}, which is not in {text}")).in_field(field)
}
