//! `Option`, lists, sets, maps and pointers.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Debug;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::place::Places;
use super::twin::{Foreign, Twin};

/// A hasher that gives all keys the same hash, so that a map keeps the order of insertion.
#[derive(Clone, Debug, Default)]
pub struct Alike;

impl Hasher for Alike {
    fn finish(&self) -> u64 {
        7
    }

    fn write(&mut self, _bytes: &[u8]) {}
}

pub type AlikeState = BuildHasherDefault<Alike>;

/// The maximum number of elements in a collection.
const MOST: usize = 4;

impl<P, T: Twin<P>> Twin<Option<P>> for Option<T> {
    fn natives() -> BoxedStrategy<Self> {
        prop::option::of(T::natives()).boxed()
    }

    fn to_prost(&self) -> Option<P> {
        self.as_ref().map(T::to_prost)
    }

    fn of_prost(prost: &Option<P>) -> Result<Self, Places> {
        prost.as_ref().map(T::of_prost).transpose()
    }
}

impl<P: Foreign> Foreign for Option<P> {
    fn foreigners() -> BoxedStrategy<Self> {
        prop::option::of(P::foreigners()).boxed()
    }
}

macro_rules! pointers {
    ($($pointer:ident)*) => {$(
        impl<P, T: Twin<P>> Twin<P> for $pointer<T> {
            const NAMELESS: bool = T::NAMELESS;

            fn natives() -> BoxedStrategy<Self> {
                T::natives().prop_map(Self::new).boxed()
            }

            fn to_prost(&self) -> P {
                T::to_prost(self)
            }

            fn of_prost(prost: &P) -> Result<Self, Places> {
                T::of_prost(prost).map(Self::new)
            }
        }
    )*};
}

pointers! { Box Arc }

impl<P: Foreign> Foreign for Vec<P> {
    fn foreigners() -> BoxedStrategy<Self> {
        vec(P::foreigners(), 0..=MOST).boxed()
    }
}

/// Every element, or the places of all wrong ones.
fn elements<P, T: Twin<P>>(prost: &[P]) -> Result<Vec<T>, Places> {
    let mut places = Places::default();
    let mut elements = Vec::new();
    for (index, element) in prost.iter().enumerate() {
        let element = T::of_prost(element).map_err(|wrong| wrong.in_index(index));
        elements.extend(places.keep(element));
    }
    if places.is_empty() { Ok(elements) } else { Err(places) }
}

macro_rules! lists {
    ($($list:ty)*) => {$(
        impl<P, T: Twin<P>> Twin<Vec<P>> for $list {
            fn natives() -> BoxedStrategy<Self> {
                vec(T::natives(), 0..=MOST).prop_map(Into::into).boxed()
            }

            fn to_prost(&self) -> Vec<P> {
                self.iter().map(T::to_prost).collect()
            }

            fn of_prost(prost: &Vec<P>) -> Result<Self, Places> {
                elements(prost).map(Into::into)
            }
        }
    )*};
}

lists! { Vec<T> VecDeque<T> Box<[T]> }

impl<P, T: Twin<P>> Twin<Vec<P>> for [T; 3] {
    fn natives() -> BoxedStrategy<Self> {
        prop::array::uniform3(T::natives()).boxed()
    }

    fn to_prost(&self) -> Vec<P> {
        self.iter().map(T::to_prost).collect()
    }

    fn of_prost(prost: &Vec<P>) -> Result<Self, Places> {
        elements::<P, T>(prost)?.try_into().map_err(|_| Places::here())
    }
}

/// The additional properties of a map key or set element.
pub trait Key<P>: Twin<P> + Clone + Eq + Hash {
    /// The text in errors.
    fn shown(&self) -> String;
}

impl<T: Twin<String> + Clone + Eq + Hash> Key<String> for T {
    fn shown(&self) -> String {
        self.to_prost()
    }
}

impl<T: Twin<Vec<u8>> + Clone + Eq + Hash> Key<Vec<u8>> for T {
    fn shown(&self) -> String {
        self.to_prost().escape_ascii().to_string()
    }
}

macro_rules! shown {
    ($($prost:ident)*) => {$(
        impl<T: Twin<$prost> + Clone + Eq + Hash> Key<$prost> for T {
            fn shown(&self) -> String {
                self.to_prost().to_string()
            }
        }
    )*};
}

shown! { i32 i64 u32 u64 bool }

macro_rules! sets {
    ($($set:ty, [$($t:tt)*], [$($s:tt)*];)*) => {$(
        impl<P, T, $($s)*> Twin<Vec<P>> for $set
        where
            P: Ord,
            T: Key<P> + $($t)*,
        {
            fn natives() -> BoxedStrategy<Self> {
                vec(T::natives(), 0..=MOST).prop_map(|list| list.into_iter().collect()).boxed()
            }

            /// In canonical order, which is that of prost's type.
            fn to_prost(&self) -> Vec<P> {
                let mut list: Vec<P> = self.iter().map(T::to_prost).collect();
                list.sort();
                list
            }

            fn of_prost(prost: &Vec<P>) -> Result<Self, Places> {
                let mut places = Places::default();
                let mut set = Self::default();
                // Only the order in which a set is written is right.
                let mut last = None;
                for (index, element) in prost.iter().enumerate() {
                    let element = T::of_prost(element).and_then(|element| {
                        let form = element.to_prost();
                        if last.as_ref().is_some_and(|last| form <= *last) {
                            return Err(Places::here());
                        }
                        last = Some(form);
                        if set.insert(element) { Ok(()) } else { Err(Places::here()) }
                    });
                    places.keep(element.map_err(|wrong| wrong.in_index(index)));
                }
                if places.is_empty() { Ok(set) } else { Err(places) }
            }
        }
    )*};
}

sets! {
    BTreeSet<T>, [Ord], [];
    HashSet<T, S>, [Eq + Hash], [S: BuildHasher + Default + 'static];
}

/// The entries of a prost map, or the places of all wrong ones.
fn entries<'a, PK: 'a, PV: 'a, K: Key<PK>, V: Twin<PV>>(
    prost: impl IntoIterator<Item = (&'a PK, &'a PV)>,
) -> Result<Vec<(K, V)>, Places> {
    let mut places = Places::default();
    let mut entries: Vec<(K, V)> = Vec::new();
    for (prost_key, prost_value) in prost {
        let entry = match K::of_prost(prost_key) {
            Err(wrong) => {
                let mut both = Places::default();
                both.keep(Err::<(), _>(wrong.in_field("key")));
                both.keep(V::of_prost(prost_value));
                Err(both)
            }
            Ok(key) => match V::of_prost(prost_value) {
                Err(wrong) => Err(wrong.in_key(&key.shown())),
                Ok(_) if entries.iter().any(|(earlier, _)| *earlier == key) => {
                    Err(Places::here().in_key(&key.shown()))
                }
                Ok(value) => Ok((key, value)),
            },
        };
        entries.extend(places.keep(entry));
    }
    if places.is_empty() { Ok(entries) } else { Err(places) }
}

macro_rules! maps {
    ($prosts:tt: $($map:ty, $k:tt, $s:tt;)*) => {$( maps! { @ $prosts $map, $k, $s } )*};
    (@ [$($prost:ident)*] $map:ty, $k:tt, $s:tt) => {$( maps! { @@ $prost $map, $k, $s } )*};
    (@@ $prost:ident $map:ty, [$($k:tt)*], [$($s:tt)*]) => {
        impl<PK, PV, K, V, $($s)*> Twin<$prost<PK, PV>> for $map
        where
            PK: Ord + Hash + 'static,
            PV: 'static,
            K: Key<PK> + $($k)*,
            V: Twin<PV>,
        {
            fn natives() -> BoxedStrategy<Self> {
                vec((K::natives(), V::natives()), 0..=MOST)
                    .prop_map(|list| list.into_iter().collect())
                    .boxed()
            }

            fn to_prost(&self) -> $prost<PK, PV> {
                self.iter().map(|(key, value)| (key.to_prost(), value.to_prost())).collect()
            }

            fn of_prost(prost: &$prost<PK, PV>) -> Result<Self, Places> {
                Ok(entries(prost)?.into_iter().collect())
            }
        }
    };
}

maps! {
    [HashMap BTreeMap]:
        BTreeMap<K, V>, [Ord], [];
        HashMap<K, V, S>, [Eq], [S: BuildHasher + Default + 'static];
}

impl<PK: Foreign + Eq + Hash, PV: Foreign> Foreign for HashMap<PK, PV> {
    fn foreigners() -> BoxedStrategy<Self> {
        prop::collection::hash_map(PK::foreigners(), PV::foreigners(), 0..=MOST).boxed()
    }
}

impl<PK: Foreign + Ord, PV: Foreign> Foreign for BTreeMap<PK, PV> {
    fn foreigners() -> BoxedStrategy<Self> {
        prop::collection::btree_map(PK::foreigners(), PV::foreigners(), 0..=MOST).boxed()
    }
}
