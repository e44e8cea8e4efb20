//! Enums, and a message with enums at every place.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1::{self as pb, enums, keywords, optional_scalars};

use super::super::laws::Case;
use super::super::numbers::required;
use super::super::place::Places;
use super::super::twin::{Foreign, Twin, case, foreigners_of, named, natives_of, nest, nested};

macro_rules! enumerations {
    ($($(#[$meta:meta])* $name:ident: $proto:path {
        $zero:ident = 0, $($variant:ident = $number:literal,)*
    })*) => {$(
        #[derive(Clone, Copy, Debug, Default, PartialEq, Snapshot)]
        #[snapshot(enumeration = $proto)]
        pub enum $name {
            #[default]
            $zero = 0,
            $($variant = $number,)*
        }

        impl Twin<i32> for $name {
            fn natives() -> BoxedStrategy<Self> {
                prop::sample::select(vec![Self::$zero, $(Self::$variant,)*]).boxed()
            }

            fn to_prost(&self) -> i32 {
                (match self {
                    Self::$zero => <$proto>::$zero,
                    $(Self::$variant => <$proto>::$variant,)*
                }) as i32
            }

            fn of_prost(prost: &i32) -> Result<Self, Places> {
                match *prost {
                    0 => Ok(Self::$zero),
                    $($number => Ok(Self::$variant),)*
                    _ => Err(Places::here()),
                }
            }
        }

        /// An absent value is an error.
        impl Twin<Option<i32>> for $name {
            fn natives() -> BoxedStrategy<Self> {
                <Self as Twin<i32>>::natives()
            }

            fn to_prost(&self) -> Option<i32> {
                Some(Twin::<i32>::to_prost(self))
            }

            fn of_prost(prost: &Option<i32>) -> Result<Self, Places> {
                prost.as_ref().map_or_else(|| Err(Places::here()), Twin::<i32>::of_prost)
            }
        }
    )*};
}

enumerations! {
    Sparse: pb::Sparse { Zero = 0, Two = 2, Seven = 7, TwoBytes = 128, Max = 2_147_483_647, }
    Signed: pb::Signed { Zero = 0, MinusOne = -1, PlusOne = 1, Min = -2_147_483_648, }
    Color: pb::Color { None = 0, Red = 1, DarkBlue = 2, }
    Level: enums::Level { Low = 0, High = 1, }
    InnerLevel: enums::inner::Level { Low = 0, High = 3, }
    Mode: optional_scalars::Mode { Off = 0, On = 1, }
    KeywordEnum: keywords::r#type::Enum { None = 0, Self_ = 1, Match = 2, }
}

case! {
    Enums: pb::Enums {
        sparse: Sparse,
        signed: Signed,
        color: Color,
        level: Level,
        inner_level: InnerLevel,
        maybe: Option<Signed>,
        list: Vec<Signed>,
        by_number: HashMap<i32, Signed>,
        inner: Option<Inner>,
    }
}

case! {
    Inner: enums::Inner {
        level: InnerLevel,
        outer_level: Level,
    }
}

required! { Inner as enums::Inner; }

impl Foreign for enums::Inner {
    fn foreigners() -> BoxedStrategy<Self> {
        (-1..4i32, -1..4i32).prop_map(|(level, outer_level)| Self { level, outer_level }).boxed()
    }
}

case! {
    RequiredEnums: pb::Enums {
        sparse: Box<Sparse>,
        signed: Signed,
        color: Color,
        level: Level,
        inner_level: InnerLevel,
        maybe: Signed,
        list: [Signed; 3],
        by_number: BTreeMap<i8, Signed>,
        inner: Inner,
    }
}
