//! Handles several fields of a struct at once.
//!
//! The derive lists such fields a single time, as the tuple of their types' answers (see
//! [`super::proof_of_fit`]). The methods of the tuple are compiled here, once for all structs; a
//! call for each field of each struct would take most of the compile time.

use super::answer::{Answer, Fit};
use super::field_port::Planned;
use super::put::Putting;
use super::take::Taking;
use crate::Error;
use crate::codec::{Reader, Tag, Writer};
use crate::payload::lost_error;
use crate::schema::{MessageDescriptor, TypeNotes};

/// The types that some fields have, as a tuple.
pub trait FieldTypes: Sized {
    /// References to a value of each.
    type Refs<'a>
    where
        Self: 'a;
    /// The values, each if it could be read.
    type Options: Options<Values = Self>;
}

/// Values of some fields, each if it could be read.
pub trait Options {
    type Values;

    /// Returns all of them, if all could be read.
    fn all(self) -> Option<Self::Values>;
}

/// The way in which fields of the types `T` are saved.
pub trait Plan<T: FieldTypes>: Answer + Copy {
    /// Collects the fields while their message is read.
    type Open: Default;

    /// Writes the fields, the last one first.
    fn put<const N: usize>(self, values: T::Refs<'_>, put: &mut Putting<'_, N>);

    /// Returns the number of bytes that `put` will write. A part that is expensive to compute
    /// counts as 0.
    fn size(self, values: T::Refs<'_>) -> usize;

    /// Reads the next values in canonical encoding, as far as they belong to these fields.
    fn open(self, open: &mut Self::Open, take: &mut Taking, r: &mut Reader<'_>);

    /// Reads the occurrence after `tag`, if it belongs to one of these fields.
    fn offer(self, open: &mut Self::Open, take: &mut Taking, tag: Tag, r: &mut Reader<'_>) -> bool;

    /// Returns the values; `None` after an error, or a default that is never used.
    fn finish(self, open: Self::Open, take: &mut Taking) -> T::Options;
}

/// Writes a message that consists of these fields.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn put_planned<T: FieldTypes, P: Plan<T>, const N: usize>(
    plan: P,
    values: T::Refs<'_>,
    w: &mut Writer,
) -> Result<(), Error> {
    let mut put = Putting::<N>::new(w);
    plan.put(values, &mut put);
    put.finish()
}

/// Reads a message that consists of these fields.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn take_planned<T: FieldTypes, P: Plan<T>>(
    plan: P,
    descriptor: &'static MessageDescriptor,
    discarded: &'static [u32],
    r: &mut Reader<'_>,
) -> Result<T, Error> {
    let mut take = Taking::new();
    let mut open = P::Open::default();
    // In canonical encoding, the values come in the order of the fields.
    plan.open(&mut open, &mut take, r);
    while let Some(tag) = take.next(r) {
        if !plan.offer(&mut open, &mut take, tag, r) {
            take.unmapped(descriptor, discarded, tag, r);
        }
    }
    let values = plan.finish(open, &mut take);
    take.end()?;
    values.all().ok_or_else(lost_error)
}

/// For each field: its answer, its type, its place, and a place counted from the end.
macro_rules! plans {
    ($($answer:ident $ty:ident $at:tt $back:tt,)*) => {
        impl<$($answer: Answer),*> Answer for ($($answer,)*) {
            const FIT: &'static Fit = &Fit::Each(&[$($answer::FIT),*]);
            const NOTES: &'static TypeNotes = &TypeNotes::Each(&[$($answer::NOTES),*]);
        }

        impl<$($ty),*> FieldTypes for ($($ty,)*) {
            type Refs<'a> = ($(&'a $ty,)*) where Self: 'a;
            type Options = ($(Option<$ty>,)*);
        }

        impl<$($ty),*> Options for ($(Option<$ty>,)*) {
            type Values = ($($ty,)*);

            // One check for all of them: an early return after each would have to drop those before
            // it.
            #[cfg_attr(not(debug_assertions), inline(always))]
            #[allow(non_snake_case, reason = "the parameters' names are all there is")]
            fn all(self) -> Option<($($ty,)*)> {
                match self {
                    ($(Some($ty),)*) => Some(($($ty,)*)),
                    _ => None,
                }
            }
        }

        impl<$($ty,)* $($answer: Planned<$ty>),*> Plan<($($ty,)*)> for ($($answer,)*) {
            type Open = ($($answer::Open,)*);

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn put<const N: usize>(self, values: ($(&$ty,)*), put: &mut Putting<'_, N>) {
                $(self.$back.put(values.$back, put);)*
            }

            #[inline]
            fn size(self, values: ($(&$ty,)*)) -> usize {
                super::put::sum(&[$(self.$at.size(values.$at)),*])
            }

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn open(self, open: &mut Self::Open, take: &mut Taking, r: &mut Reader<'_>) {
                $(self.$at.open(&mut open.$at, take, r);)*
            }

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn offer(
                self,
                open: &mut Self::Open,
                take: &mut Taking,
                tag: Tag,
                r: &mut Reader<'_>,
            ) -> bool {
                // The first one to which the tag belongs reads the value.
                $(self.$at.offer(&mut open.$at, take, tag, r))||*
            }

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn finish(self, open: Self::Open, take: &mut Taking) -> ($(Option<$ty>,)*) {
                ($(self.$at.finish(open.$at, take),)*)
            }
        }
    };
}

plans!(A Ta 0 0,);
plans!(A Ta 0 1, B Tb 1 0,);
plans!(A Ta 0 2, B Tb 1 1, C Tc 2 0,);
plans!(A Ta 0 3, B Tb 1 2, C Tc 2 1, D Td 3 0,);
plans!(A Ta 0 4, B Tb 1 3, C Tc 2 2, D Td 3 1, E Te 4 0,);
plans!(A Ta 0 5, B Tb 1 4, C Tc 2 3, D Td 3 2, E Te 4 1, F Tf 5 0,);
plans!(A Ta 0 6, B Tb 1 5, C Tc 2 4, D Td 3 3, E Te 4 2, F Tf 5 1, G Tg 6 0,);
plans!(A Ta 0 7, B Tb 1 6, C Tc 2 5, D Td 3 4, E Te 4 3, F Tf 5 2, G Tg 6 1, H Th 7 0,);
plans!(
    A Ta 0 8, B Tb 1 7, C Tc 2 6, D Td 3 5, E Te 4 4, F Tf 5 3, G Tg 6 2, H Th 7 1, I Ti 8 0,
);
plans!(
    A Ta 0 9, B Tb 1 8, C Tc 2 7, D Td 3 6, E Te 4 5, F Tf 5 4, G Tg 6 3, H Th 7 2, I Ti 8 1,
    J Tj 9 0,
);
plans!(
    A Ta 0 10, B Tb 1 9, C Tc 2 8, D Td 3 7, E Te 4 6, F Tf 5 5, G Tg 6 4, H Th 7 3, I Ti 8 2,
    J Tj 9 1, K Tk 10 0,
);
// The largest number of elements for which the standard library has a default.
plans!(
    A Ta 0 11, B Tb 1 10, C Tc 2 9, D Td 3 8, E Te 4 7, F Tf 5 6, G Tg 6 5, H Th 7 4, I Ti 8 3,
    J Tj 9 2, K Tk 10 1, L Tl 11 0,
);
