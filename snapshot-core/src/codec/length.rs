//! Lengths, for `#[snapshot(max = N)]`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// A value whose length `#[snapshot(max = N)]` can limit: text and bytes by their bytes, a
/// collection by its elements. An absent value has the length 0.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no length that `max` could bound",
    label = "neither text nor bytes nor a collection",
    note = "a number is bounded by `#[snapshot(range = 1..=8)]`"
)]
pub trait Length {
    /// The unit: `bytes` or `elements`.
    const UNIT: &'static str;

    /// Returns the length.
    fn length(&self) -> usize;
}

macro_rules! lengths {
    ($($unit:literal: $([$($generics:tt)*] $ty:ty,)*)*) => {$($(
        // Not listed in the error, because the text of the trait says which types have a length.
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> Length for $ty {
            const UNIT: &'static str = $unit;

            fn length(&self) -> usize {
                self.len()
            }
        }
    )*)*};
}

lengths! {
    "bytes":
        [] str,
        [] String,
        [] bytes::Bytes,
        [] std::ffi::OsString,
        [] std::borrow::Cow<'_, str>,
        [] std::borrow::Cow<'_, [u8]>,
    "elements":
        [T, const N: usize] [T; N],
        [T] [T],
        [T] Vec<T>,
        [T] VecDeque<T>,
        [T] BTreeSet<T>,
        [T, S] HashSet<T, S>,
        [K, V] BTreeMap<K, V>,
        [K, V, S] HashMap<K, V, S>,
}

#[diagnostic::do_not_recommend]
impl Length for Path {
    const UNIT: &'static str = "bytes";

    fn length(&self) -> usize {
        self.as_os_str().len()
    }
}

#[diagnostic::do_not_recommend]
impl Length for PathBuf {
    const UNIT: &'static str = "bytes";

    fn length(&self) -> usize {
        self.as_path().length()
    }
}

macro_rules! pointers {
    ($($pointer:ident)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<T: Length + ?Sized> Length for $pointer<T> {
            const UNIT: &'static str = T::UNIT;

            fn length(&self) -> usize {
                T::length(self)
            }
        }
    )*};
}

pointers! { Box Rc Arc }

impl<T: Length> Length for Option<T> {
    const UNIT: &'static str = T::UNIT;

    fn length(&self) -> usize {
        self.as_ref().map_or(0, T::length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_counted_in_bytes_and_a_collection_in_elements() {
        assert_eq!(("ä€".length(), str::UNIT), (5, "bytes"));
        assert_eq!(([1_u32, 2].length(), <[u32; 2]>::UNIT), (2, "elements"));
        assert_eq!(BTreeMap::from([(1, "one")]).length(), 1);
    }

    #[test]
    fn a_pointer_is_as_long_as_what_it_points_at() {
        assert_eq!(Box::<str>::from("abc").length(), 3);
        assert_eq!(Arc::<[u32]>::from([1, 2]).length(), 2);
        assert_eq!(Some("abc".to_owned()).length(), 3);
        assert_eq!(None::<String>.length(), 0);
    }
}
