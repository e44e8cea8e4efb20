//! Numbers and `bool`.

use std::num::NonZero;

use proptest::prelude::*;

use super::place::Places;
use super::twin::{Foreign, Twin};

/// The values at which encodings change length or sign.
const EDGES: [i128; 25] = [
    i64::MIN as i128,
    i32::MIN as i128 - 1,
    i32::MIN as i128,
    i16::MIN as i128 - 1,
    i16::MIN as i128,
    -129,
    -128,
    -65,
    -64,
    -2,
    -1,
    0,
    1,
    63,
    64,
    127,
    128,
    255,
    256,
    16_384,
    65_535,
    65_536,
    i32::MAX as i128,
    u32::MAX as i128,
    i64::MAX as i128,
];

/// Integers in a range, mostly its limits and the limits of encodings.
fn integers(least: i128, most: i128) -> impl Strategy<Value = i128> {
    prop_oneof![
        2 => prop::sample::select(EDGES.to_vec()),
        1 => prop::sample::select(vec![least, least + 1, most - 1, most]),
        1 => any::<i64>().prop_map(i128::from),
        1 => -300i128..300,
    ]
    .prop_map(move |value| value.clamp(least, most))
}

macro_rules! pairs {
    ($([$($native:ident)*] $prosts:tt)*) => {$($( pairs! { @ $native $prosts } )*)*};
    (@ $native:ident [$($prost:ident)*]) => {$(
        impl Twin<$prost> for $native {
            fn natives() -> BoxedStrategy<Self> {
                let least = ($native::MIN as i128).max($prost::MIN as i128);
                let most = ($native::MAX as i128).min($prost::MAX as i128);
                integers(least, most).prop_map(|value| value as $native).boxed()
            }

            fn to_prost(&self) -> $prost {
                (*self).try_into().unwrap()
            }

            fn of_prost(prost: &$prost) -> Result<Self, Places> {
                (*prost).try_into().map_err(|_| Places::here())
            }
        }

        /// An absent value is an error.
        impl Twin<Option<$prost>> for $native {
            fn natives() -> BoxedStrategy<Self> {
                <Self as Twin<$prost>>::natives()
            }

            fn to_prost(&self) -> Option<$prost> {
                Some(Twin::<$prost>::to_prost(self))
            }

            fn of_prost(prost: &Option<$prost>) -> Result<Self, Places> {
                prost.as_ref().map_or_else(|| Err(Places::here()), Twin::<$prost>::of_prost)
            }
        }

        impl Twin<$prost> for NonZero<$native> {
            fn natives() -> BoxedStrategy<Self> {
                let native = <$native as Twin<$prost>>::natives();
                // 1 is in the range of every kind.
                native.prop_map(|value| Self::new(value).or(Self::new(1)).unwrap()).boxed()
            }

            fn to_prost(&self) -> $prost {
                Twin::<$prost>::to_prost(&self.get())
            }

            fn of_prost(prost: &$prost) -> Result<Self, Places> {
                Self::new(Twin::of_prost(prost)?).ok_or_else(Places::here)
            }
        }

        /// 0 is `None`.
        impl Twin<$prost> for Option<NonZero<$native>> {
            fn natives() -> BoxedStrategy<Self> {
                <$native as Twin<$prost>>::natives().prop_map(NonZero::new).boxed()
            }

            fn to_prost(&self) -> $prost {
                self.as_ref().map_or(0, Twin::<$prost>::to_prost)
            }

            fn of_prost(prost: &$prost) -> Result<Self, Places> {
                <$native>::of_prost(prost).map(NonZero::new)
            }
        }
    )*};
}

pairs! { [u8 u16 u32 u64 usize i8 i16 i32 i64 isize] [i32 i64 u32 u64] }

macro_rules! same {
    ($($ty:ty: $strategy:expr;)*) => {$(
        impl Twin<$ty> for $ty {
            fn natives() -> BoxedStrategy<Self> {
                Self::foreigners()
            }

            fn to_prost(&self) -> $ty {
                self.clone()
            }

            fn of_prost(prost: &$ty) -> Result<Self, Places> {
                Ok(prost.clone())
            }
        }

        impl Foreign for $ty {
            fn foreigners() -> BoxedStrategy<Self> {
                $strategy.boxed()
            }
        }
    )*};
}

pub(crate) use same;

// Neither NaN, which equals nothing, nor -0.0, which prost omits: both have their own tests.
same! {
    bool: any::<bool>();
    f64: prop_oneof![
        prop::sample::select(vec![0.0, 1.0, -1.5, f64::MIN_POSITIVE, f64::MAX, f64::NEG_INFINITY]),
        prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL,
    ];
    f32: prop_oneof![
        prop::sample::select(vec![0.0, 1.0, -1.5, f32::MIN_POSITIVE, f32::MAX, f32::NEG_INFINITY]),
        prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL,
    ];
}

macro_rules! foreign {
    ($($prost:ident)*) => {$(
        impl Foreign for $prost {
            fn foreigners() -> BoxedStrategy<Self> {
                <$prost as Twin<$prost>>::natives()
            }
        }
    )*};
}

foreign! { i32 i64 u32 u64 }

/// A plain type in a proto field with presence: an absent value is an error.
macro_rules! required {
    ($($ty:ty as $prost:ty;)*) => {$(
        impl Twin<Option<$prost>> for $ty {
            fn natives() -> BoxedStrategy<Self> {
                <Self as Twin<$prost>>::natives()
            }

            fn to_prost(&self) -> Option<$prost> {
                Some(Twin::<$prost>::to_prost(self))
            }

            fn of_prost(prost: &Option<$prost>) -> Result<Self, Places> {
                match prost {
                    Some(prost) => Twin::<$prost>::of_prost(prost),
                    None => Err(Places::here()),
                }
            }
        }
    )*};
}

pub(crate) use required;

required! { bool as bool; f64 as f64; f32 as f32; }
