//! The notes on the meaning of a field, from its attributes. They are made for a manifest, and never while a
//! state is saved or restored.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::ops::Bound;

use super::bounds::{Bounded, Bounds, RangeUse, Ranged};
use super::put::{Putting, bytes_of};
use crate::schema::{AdaptedEnd, DefaultNote, Number, RangeNote};

/// Notes the range of a field of type `T`.
pub struct NoteRange<T>(pub PhantomData<fn() -> T>);

impl<T> RangeUse<T> for NoteRange<T> {
    type Result = RangeNote;

    fn with<V: Bounded>(self, range: impl Bounds<V>, text: &'static str) -> RangeNote
    where
        T: Ranged<V>,
    {
        range_note(range.ends(), text)
    }
}

fn range_note<V: Debug>(ends: [Bound<&V>; 2], text: &'static str) -> RangeNote {
    let end = |bound: Bound<&V>| match bound {
        Bound::Included(value) => Some((number_of(value), false)),
        Bound::Excluded(value) => Some((number_of(value), true)),
        Bound::Unbounded => None,
    };
    let [least, most] = ends.map(end);
    let is_number = |end: &Option<(Option<Number>, bool)>| {
        end.as_ref().is_none_or(|(number, _)| number.is_some())
    };
    let is_numeric = is_number(&least) && is_number(&most);
    let mut most_excluded = false;
    let least = least.and_then(|(number, is_excluded)| match number? {
        Number::Int(least) if is_excluded => Some(Number::Int(least.saturating_add(1))),
        least => Some(least),
    });
    let most = most.and_then(|(number, is_excluded)| match number? {
        Number::Int(most) if is_excluded => Some(Number::Int(most.saturating_sub(1))),
        most => {
            most_excluded = is_excluded;
            Some(most)
        }
    });
    RangeNote { text, least, most, most_excluded, is_numeric, adapted: None }
}

/// Notes the range of a field of type `T` that an adapter converts. `put` writes a value of the field as
/// the adapter makes it.
pub fn note_adapted_range<T, P: Fn(&T, &mut Putting<'_, 0>)>(put: P) -> NoteAdaptedRange<T, P> {
    NoteAdaptedRange { put, of: PhantomData }
}

/// See [`note_adapted_range`].
pub struct NoteAdaptedRange<T, P> {
    put: P,
    of: PhantomData<fn() -> T>,
}

impl<T, P: Fn(&T, &mut Putting<'_, 0>)> RangeUse<T> for NoteAdaptedRange<T, P> {
    type Result = RangeNote;

    fn with<V: Bounded>(self, range: impl Bounds<V>, text: &'static str) -> RangeNote
    where
        T: Ranged<V>,
    {
        let bytes = |bound: Bound<&V>| {
            let (Bound::Included(value) | Bound::Excluded(value)) = bound else { return None };
            let bytes = T::with_end(value, |value| bytes_of(|putting| (self.put)(value, putting)))?;
            bytes.ok().flatten().map(|field| field.bytes)
        };
        let ends = range.ends().map(|bound| match bound {
            Bound::Unbounded => AdaptedEnd::Unbounded,
            Bound::Included(_) => AdaptedEnd::of(bytes(bound), false),
            Bound::Excluded(_) => AdaptedEnd::of(bytes(bound), true),
        });
        RangeNote { adapted: Some(ends), ..range_note(range.ends(), text) }
    }
}

/// Returns the number that the `Debug` of a value shows, also inside of newtypes. The types that a range
/// bounds have no other trait that shows a number.
fn number_of(value: &impl Debug) -> Option<Number> {
    let text = format!("{value:?}");
    let mut text = text.as_str();
    while let Some((name, inner)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return None;
        }
        text = inner;
    }
    text.parse().map(Number::Int).or_else(|_| text.parse().map(Number::Float)).ok()
}

/// Returns the value that a field gets in older payloads; `put` writes it.
pub fn default_note(put: impl FnOnce(&mut Putting<'_, 0>)) -> DefaultNote {
    match bytes_of(put) {
        Ok(Some(field)) if field.has_no_value() => DefaultNote::NoValue,
        Ok(Some(field)) if !field.is_incomplete() => DefaultNote::Bytes(field.bytes),
        _ => DefaultNote::Unstated,
    }
}

#[cfg(test)]
mod tests {
    use super::super::bounds::range;
    use super::*;

    /// A newtype as users write them.
    #[derive(Debug, PartialEq, PartialOrd)]
    struct Slot(u32);

    #[test]
    fn the_ends_of_a_range_are_numbers_whatever_wraps_them() {
        let note: RangeNote = range(NoteRange::<Option<u8>>(PhantomData), 1..8, "1..8");
        assert_eq!((note.least, note.most), (Some(Number::Int(1)), Some(Number::Int(7))));
        assert!(note.is_numeric && !note.most_excluded);
        let note = range(NoteRange::<Slot>(PhantomData), Slot(2)..=Slot(5), "a..=b");
        assert_eq!((note.least, note.most), (Some(Number::Int(2)), Some(Number::Int(5))));
        let note = range(NoteRange::<f64>(PhantomData), 0.0..1.0, "0.0..1.0");
        assert_eq!(note.most, Some(Number::Float(1.0)));
        assert!(note.most_excluded);
        let note = range(NoteRange::<u8>(PhantomData), 3.., "3..");
        assert_eq!((note.least, note.most), (Some(Number::Int(3)), None));
    }

    #[test]
    fn a_range_of_other_things_has_words_alone() {
        let note = range(NoteRange::<char>(PhantomData), 'a'..='f', "'a'..='f'");
        assert_eq!((note.least, note.most, note.is_numeric), (None, None, false));
        assert_eq!(note.text, "'a'..='f'");
    }
}
