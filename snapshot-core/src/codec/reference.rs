//! Names: the values of fields with `#[snapshot(defines = "...")]` and `#[snapshot(refers =
//! "...")]`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZero;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

#[cfg(feature = "uuid")]
use super::reader::ascii_text;
use crate::path::digits_of;
use crate::visit::Names;

/// A value that can be the end of a reference. Its name is its text on the wire, or the text that
/// it would have as a string. For a map these are the keys, for another collection the elements,
/// for an `Option` its content.
///
/// Newtypes get it from `#[snapshot(transparent)]`. For your own type:
///
/// ```
/// use snapshot_core::codec::{Names, Reference};
///
/// struct Slot {
///     controller: u8,
///     lun: u8,
/// }
///
/// impl Reference for Slot {
///     fn add_names(&self, names: &mut Names<'_>) {
///         names.add(&format!("{}:{}", self.controller, self.lun));
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the end of a reference",
    label = "neither text nor a number nor a collection of these",
    note = "`defines` and `refers` are for identifiers: text, numbers, `Uuid`, `PathBuf`, addresses, \
            newtypes with `transparent`, and options, lists, sets and map keys of them",
    note = "for another type implement `snapshot_core::codec::Reference`"
)]
pub trait Reference {
    /// Adds the names of this value: one for a single value, none for `None`, all for a collection.
    fn add_names(&self, names: &mut Names<'_>);
}

/// A map whose values can be the ends of references, for `#[snapshot(refers(values = "..."))]`.
#[diagnostic::on_unimplemented(
    message = "the values of `{Self}` cannot be the ends of references",
    label = "not a map of names to names",
    note = "`values = ...` is for maps whose keys and values are text, numbers or other \
            identifiers; elsewhere write `defines = \"...\"` or `refers = \"...\"`"
)]
pub trait ReferenceValues {
    /// Adds the names of the values, each at its key.
    fn add_value_names(&self, names: &mut Names<'_>);
}

impl Reference for str {
    fn add_names(&self, names: &mut Names<'_>) {
        names.add(self);
    }
}

impl Reference for String {
    fn add_names(&self, names: &mut Names<'_>) {
        names.add(self);
    }
}

/// A path that is not UTF-8 cannot be saved, so its name does not matter.
impl Reference for PathBuf {
    fn add_names(&self, names: &mut Names<'_>) {
        names.add(&self.to_string_lossy());
    }
}

#[cfg(feature = "uuid")]
impl Reference for uuid::Uuid {
    fn add_names(&self, names: &mut Names<'_>) {
        let mut text = [0; super::uuid_text::LENGTH];
        super::uuid_text::encode(self.as_bytes(), &mut text);
        // It consists of digits and hyphens.
        names.add(ascii_text(&text).unwrap_or_default());
    }
}

macro_rules! by_digits {
    ($($ty:ty)*) => {$(
        impl Reference for $ty {
            fn add_names(&self, names: &mut Names<'_>) {
                names.add(digits_of((*self).into(), &mut [0; 20]));
            }
        }
    )*};
}

// The text of `Display`, which takes much longer.
by_digits! { u8 u16 usize }

macro_rules! by_display {
    ($($ty:ty)*) => {$(
        impl Reference for $ty {
            fn add_names(&self, names: &mut Names<'_>) {
                names.add(&self.to_string());
            }
        }
    )*};
}

by_display! {
    u32 u64 i8 i16 i32 i64 isize bool char
    NonZero<u8> NonZero<u16> NonZero<u32> NonZero<u64> NonZero<usize>
    NonZero<i8> NonZero<i16> NonZero<i32> NonZero<i64> NonZero<isize>
    IpAddr Ipv4Addr Ipv6Addr SocketAddr
}

macro_rules! pointers {
    ($($pointer:ident)*) => {$(
        impl<T: Reference + ?Sized> Reference for $pointer<T> {
            fn add_names(&self, names: &mut Names<'_>) {
                T::add_names(self, names);
            }
        }

        impl<T: ReferenceValues + ?Sized> ReferenceValues for $pointer<T> {
            fn add_value_names(&self, names: &mut Names<'_>) {
                T::add_value_names(self, names);
            }
        }
    )*};
}

pointers! { Box Rc Arc }

impl<T: Reference> Reference for Option<T> {
    fn add_names(&self, names: &mut Names<'_>) {
        if let Some(value) = self {
            value.add_names(names);
        }
    }
}

macro_rules! lists {
    ($([$($n:tt)*] $list:ty,)*) => {$(
        impl<T: Reference, $($n)*> Reference for $list {
            fn add_names(&self, names: &mut Names<'_>) {
                for (index, element) in self.iter().enumerate() {
                    names.in_index(index, |names| element.add_names(names));
                }
            }
        }
    )*};
}

lists! {
    [] [T],
    [] Vec<T>,
    [] VecDeque<T>,
    [const N: usize] [T; N],
}

impl<T: Reference> Reference for BTreeSet<T> {
    fn add_names(&self, names: &mut Names<'_>) {
        add_keys(self.iter(), names);
    }
}

impl<T: Reference, S> Reference for HashSet<T, S> {
    fn add_names(&self, names: &mut Names<'_>) {
        add_hashed_keys(self.iter(), names);
    }
}

impl<K: Reference, V> Reference for BTreeMap<K, V> {
    fn add_names(&self, names: &mut Names<'_>) {
        add_keys(self.keys(), names);
    }
}

impl<K: Reference, V, S> Reference for HashMap<K, V, S> {
    fn add_names(&self, names: &mut Names<'_>) {
        add_hashed_keys(self.keys(), names);
    }
}

impl<K: Reference, V: Reference> ReferenceValues for BTreeMap<K, V> {
    fn add_value_names(&self, names: &mut Names<'_>) {
        add_values(self.iter(), names);
    }
}

impl<K: Reference, V: Reference, S> ReferenceValues for HashMap<K, V, S> {
    fn add_value_names(&self, names: &mut Names<'_>) {
        add_hashed_values(self.iter(), names);
    }
}

/// Adds the keys of a map or the elements of a set.
fn add_keys<'k, K: Reference + 'k>(keys: impl Iterator<Item = &'k K>, names: &mut Names<'_>) {
    names.as_keys(|names| keys.for_each(|key| key.add_names(names)));
}

/// Adds the keys of a hashed collection, whose order is arbitrary; sorts them for errors.
fn add_hashed_keys<'k, K: Reference + 'k>(
    keys: impl Iterator<Item = &'k K>,
    names: &mut Names<'_>,
) {
    if !names.wants_places() {
        return add_keys(keys, names);
    }
    let mut texts = names.texts(|names| keys.for_each(|key| key.add_names(names)));
    texts.sort_unstable();
    names.as_keys(|names| texts.iter().for_each(|text| names.add(text)));
}

/// Adds the names in the values of a map.
fn add_values<'e, K: Reference + 'e, V: Reference + 'e>(
    entries: impl Iterator<Item = (&'e K, &'e V)>,
    names: &mut Names<'_>,
) {
    for (key, value) in entries {
        match names.wants_places() {
            true => names.in_key(&text_of(key, names), |names| value.add_names(names)),
            false => value.add_names(names),
        }
    }
}

/// Adds the names in the values of a hashed map, whose order is arbitrary; sorts them for errors.
fn add_hashed_values<'e, K: Reference + 'e, V: Reference + 'e>(
    entries: impl Iterator<Item = (&'e K, &'e V)>,
    names: &mut Names<'_>,
) {
    if !names.wants_places() {
        return add_values(entries, names);
    }
    let mut entries: Vec<(String, &V)> =
        entries.map(|(key, value)| (text_of(key, names), value)).collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    for (key, value) in entries {
        names.in_key(&key, |names| value.add_names(names));
    }
}

/// Returns the text form of a key, without adding it as a name.
fn text_of<K: Reference>(key: &K, names: &Names<'_>) -> String {
    names.texts(|names| key.add_names(names)).concat()
}
