//! Checks `below` and `at_most`: relations between the fields of one state.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

use crate::codec::Length;
use crate::error::Error;
use crate::schema::Field;

/// One or several numbers that another field limits.
#[diagnostic::on_unimplemented(
    message = "`below` and `at_most` cannot limit `{Self}`",
    label = "neither an integer nor an `Option` or a list of integers",
    note = "check the relation in `validate = function`"
)]
pub trait Limited {
    /// Returns the first number that `is_beyond`.
    fn find(&self, is_beyond: &dyn Fn(i128) -> bool) -> Option<i128>;
}

/// A field that limits others: an integer by its value; text, bytes and collections by their
/// length.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot limit a number",
    label = "neither an integer nor text, bytes or a collection",
    note = "check the relation in `validate = function`"
)]
pub trait Limiting {
    /// The unit, `bytes` or `elements`; empty for a number.
    const UNIT: &'static str;

    /// Returns the limit; `None` if the field is absent, which limits nothing.
    fn limit(&self) -> Option<i128>;
}

macro_rules! integers {
    ($($int:ty)*) => {$(
        #[diagnostic::do_not_recommend]
        impl Limited for $int {
            fn find(&self, is_beyond: &dyn Fn(i128) -> bool) -> Option<i128> {
                Some(*self as i128).filter(|number| is_beyond(*number))
            }
        }

        #[diagnostic::do_not_recommend]
        impl Limiting for $int {
            const UNIT: &'static str = "";

            fn limit(&self) -> Option<i128> {
                Some(*self as i128)
            }
        }

        #[diagnostic::do_not_recommend]
        impl Limited for NonZero<$int> {
            fn find(&self, is_beyond: &dyn Fn(i128) -> bool) -> Option<i128> {
                self.get().find(is_beyond)
            }
        }

        #[diagnostic::do_not_recommend]
        impl Limiting for NonZero<$int> {
            const UNIT: &'static str = "";

            fn limit(&self) -> Option<i128> {
                self.get().limit()
            }
        }
    )*};
}

integers! { u8 u16 u32 u64 usize i8 i16 i32 i64 isize }

macro_rules! numbers {
    ($([$($generics:tt)*] $ty:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<T: Limited, $($generics)*> Limited for $ty {
            fn find(&self, is_beyond: &dyn Fn(i128) -> bool) -> Option<i128> {
                self.iter().find_map(|number| number.find(is_beyond))
            }
        }
    )*};
}

numbers! {
    [] Option<T>;
    [] Vec<T>;
    [] VecDeque<T>;
    [] BTreeSet<T>;
    [S] HashSet<T, S>;
    [const N: usize] [T; N];
    [] Box<[T]>;
}

macro_rules! lengths {
    ($([$($generics:tt)*] $ty:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> Limiting for $ty {
            const UNIT: &'static str = <Self as Length>::UNIT;

            fn limit(&self) -> Option<i128> {
                Some(self.length() as i128)
            }
        }
    )*};
}

lengths! {
    [] String;
    [] PathBuf;
    [] bytes::Bytes;
    [T] Vec<T>;
    [T] VecDeque<T>;
    [T] BTreeSet<T>;
    [T, S] HashSet<T, S>;
    [K, V] BTreeMap<K, V>;
    [K, V, S] HashMap<K, V, S>;
    [T, const N: usize] [T; N];
    [T: Length + ?Sized] Box<T>;
    [T: Length + ?Sized] Arc<T>;
}

#[diagnostic::do_not_recommend]
impl<T: Limiting> Limiting for Option<T> {
    const UNIT: &'static str = T::UNIT;

    fn limit(&self) -> Option<i128> {
        self.as_ref().and_then(T::limit)
    }
}

/// Checks that the numbers in a field are below the limit in the field `name`; with `is_included`,
/// that they are at most the limit. An absent value passes, and so does one that could not be read.
pub fn limit<F, T: Limited, L: Limiting>(
    field: &Field<F>,
    value: Option<&T>,
    limit: Option<&L>,
    name: &str,
    is_included: bool,
) -> Result<(), Error> {
    let Some((value, limit)) = value.zip(limit.and_then(L::limit)) else { return Ok(()) };
    let is_beyond = |number| if is_included { number > limit } else { number >= limit };
    match value.find(&is_beyond) {
        None => Ok(()),
        Some(number) => {
            Err(beyond(number, name, limit, L::UNIT, is_included).in_field(field.name()))
        }
    }
}

#[cold]
fn beyond(number: i128, name: &str, limit: i128, unit: &str, is_included: bool) -> Error {
    let relation = if is_included { "at most" } else { "below" };
    let limit = match unit {
        "" => format!("`{name}`, which is {limit}"),
        unit => format!("the length of `{name}`, which has {limit} {unit}"),
    };
    Error::invalid(format!("is {number}, but must be {relation} {limit}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::kind::{Singular, Uint32};

    const FIELD: Field<Singular<Uint32>> = Field::new(1, "head");

    fn refusal(value: &impl Limited, other: &impl Limiting, is_included: bool) -> Option<String> {
        let result = limit(&FIELD, Some(value), Some(other), "ring", is_included);
        result.err().map(|error| error.to_string())
    }

    #[test]
    fn a_number_lies_below_another_field_or_its_length() {
        assert_eq!(refusal(&3u8, &4u64, false), None);
        assert_eq!(
            refusal(&4u8, &4u64, false).as_deref(),
            Some("head: is 4, but must be below `ring`, which is 4")
        );
        assert_eq!(refusal(&4u8, &4u64, true), None);
        assert_eq!(
            refusal(&5i64, &vec![0u8; 4], true).as_deref(),
            Some("head: is 5, but must be at most the length of `ring`, which has 4 elements")
        );
        assert_eq!(
            refusal(&2u8, &"ab".to_owned(), false).as_deref(),
            Some("head: is 2, but must be below the length of `ring`, which has 2 bytes")
        );
    }

    #[test]
    fn every_number_of_a_list_is_compared_and_nothing_passes() {
        assert_eq!(refusal(&vec![0u8, 3, 1], &4u8, false), None);
        let error = refusal(&[0u8, 9, 1], &4u8, false).unwrap();
        assert!(error.starts_with("head: is 9"), "{error}");
        assert_eq!(refusal(&None::<u32>, &0u8, false), None);
        assert_eq!(refusal(&Some(7u32), &None::<u8>, false), None);
        assert!(limit(&FIELD, None::<&u8>, Some(&0u8), "ring", false).is_ok());
    }
}
