//! The seal of the codec's traits: which types there are beside those that derive `Snapshot`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16,
    AtomicU32, AtomicU64, AtomicUsize,
};
use std::time::{Duration, SystemTime};

/// A type whose form on the wire this crate or `derive(Snapshot)` defines. The traits of the codec require
/// it, so that nobody implements one of them by hand: the compiler does not check the rules between them,
/// and the rules change without notice.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot implement this trait by hand",
    label = "only `#[derive(Snapshot)]` implements it",
    note = "derive `Snapshot` for the type, or convert the fields that hold it: \
            `#[snapshot(with = module)]`"
)]
pub trait Sealed {}

macro_rules! sealed {
    (@ [$($generics:tt)*] $type:ty) => {
        // Not to be listed in the error: the text of the trait says what to do.
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> Sealed for $type {}
    };
    ($($generics:tt $($type:ty),*;)*) => {$($(sealed! { @ $generics $type })*)*};
}

sealed! {
    [] (), bool, char, f32, f64;
    [] u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, u128, i128;
    [] NonZero<u8>, NonZero<u16>, NonZero<u32>, NonZero<u64>, NonZero<usize>;
    [] NonZero<i8>, NonZero<i16>, NonZero<i32>, NonZero<i64>, NonZero<isize>;
    [] AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize;
    [] AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize;
    [] str, String, ::bytes::Bytes, PathBuf, OsString;
    [] IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr;
    [] Duration, SystemTime;
    [] prost_types::Any, prost_types::FieldMask, prost_types::Duration, prost_types::Timestamp;
    [T: ToOwned + ?Sized] Cow<'_, T>;
    [T: Sealed + ?Sized] Arc<T>, Box<T>;
    [T] Option<T>, [T], Vec<T>, VecDeque<T>, BTreeSet<T>;
    [T, const N: usize] [T; N];
    [T, S] HashSet<T, S>;
    [K, V] BTreeMap<K, V>;
    [K, V, S] HashMap<K, V, S>;
    // Keys of maps.
    [A, B] (A, B);
    [A, B, C] (A, B, C);
}

#[cfg(feature = "uuid")]
sealed! { [] uuid::Uuid; }
