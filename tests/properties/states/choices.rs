//! Oneofs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use prost_types::Any;
use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1::{self as pb, choice, keywords, shared_bytes, signal};
use uuid::Uuid;

use super::super::laws::Case;
use super::super::place::Places;
use super::super::twin::{Foreign, Twin, case, foreigners_of, named, natives_of, nest, nested};
use super::controllers::CounterState;
use super::enumerations::Sparse;
use super::scalars::{NarrowScalars, Scalars};

/// Declares an enum for a oneof, member by member, and its model.
macro_rules! oneof {
    ($(#[$meta:meta])* $name:ident: $proto:path, $field:literal {
        $($(#[$attribute:meta])* $variant:ident($ty:ty) = $member:ident $text:literal,)*
        $(; $($unit:ident $unit_text:literal,)*)?
    }) => {
        #[derive(Clone, Debug, PartialEq, Snapshot)]
        #[snapshot(oneof = $proto)]
        $(#[$meta])*
        pub enum $name {
            $($(#[$attribute])* $variant($ty),)*
            $($($unit,)*)?
        }

        impl Twin<Option<$proto>> for Option<$name> {
            const NAMELESS: bool = true;

            fn natives() -> BoxedStrategy<Self> {
                prop_oneof![
                    1 => Just(None),
                    3 => <$name as Twin<Option<$proto>>>::natives().prop_map(Some),
                ]
                .boxed()
            }

            fn to_prost(&self) -> Option<$proto> {
                self.as_ref().and_then(|choice| choice.to_prost())
            }

            fn of_prost(prost: &Option<$proto>) -> Result<Self, Places> {
                match prost {
                    None => Ok(None),
                    Some(_) => <$name>::of_prost(prost).map(Some),
                }
            }
        }

        /// An absent value is an error.
        impl Twin<Option<$proto>> for $name {
            const NAMELESS: bool = true;

            fn natives() -> BoxedStrategy<Self> {
                #[allow(unused_imports, reason = "not every oneof has a member with a value")]
                use $proto as Prost;
                let members: Vec<BoxedStrategy<Self>> = vec![
                    $(member_natives(
                        |member: $ty| Self::$variant(member),
                        |prost: &$proto| match prost {
                            Prost::$member(member) => member,
                            _ => unreachable!(),
                        },
                    ),)*
                    $($(Just(Self::$unit).boxed(),)*)?
                ];
                proptest::strategy::Union::new(members).boxed()
            }

            fn to_prost(&self) -> Option<$proto> {
                use $proto as Prost;
                Some(match self {
                    $(Self::$variant(member) => Prost::$member(member.to_prost()),)*
                    $($(Self::$unit => Prost::$unit(()),)*)?
                })
            }

            fn of_prost(prost: &Option<$proto>) -> Result<Self, Places> {
                use $proto as Prost;
                match prost {
                    $(Some(Prost::$member(member)) => match Twin::of_prost(member) {
                        Ok(member) => Ok(Self::$variant(member)),
                        Err(wrong) => Err(wrong.in_field($text)),
                    },)*
                    $($(Some(Prost::$unit(())) => Ok(Self::$unit),)*)?
                    None => Err(Places::here().in_field($field)),
                }
            }
        }
    };
}

/// The native values of one member; the closure only determines the type of prost's member.
fn member_natives<E: std::fmt::Debug + 'static, T: Twin<P>, O, P>(
    variant: fn(T) -> E,
    _member: fn(&O) -> &P,
) -> BoxedStrategy<E> {
    T::natives().prop_map(variant).boxed()
}

oneof! {
    /// The types of prost.
    Kind: choice::Kind, "kind" {
        Number(u32) = Number "number",
        Text(String) = Text "text",
        Message(Scalars) = Message "message",
        Sparse(Sparse) = Sparse "sparse",
        Raw(Vec<u8>) = Raw "raw",
        Zigzag(i64) = Zigzag "zigzag",
        Fixed(u64) = Fixed "fixed",
        Flag(bool) = Flag "flag",
        Ratio(f64) = Ratio "ratio",
        Any(Any) = Any "any",
        Duration(prost_types::Duration) = Duration "duration",
        Wrapped(String) = Wrapped "wrapped",
        Local(Local) = Local "local",
        ; Nothing "nothing",
    }
}

oneof! {
    /// Other types, other names, another order.
    NativeKind: choice::Kind, "kind" {
        #[snapshot(rename = Local)]
        Place(Box<Local>) = Local "local",
        Wrapped(PathBuf) = Wrapped "wrapped",
        Duration(Duration) = Duration "duration",
        Any(CounterState) = Any "any",
        Ratio(f64) = Ratio "ratio",
        Flag(bool) = Flag "flag",
        Fixed(u8) = Fixed "fixed",
        Zigzag(i8) = Zigzag "zigzag",
        Raw([u8; 4]) = Raw "raw",
        Nothing(()) = Nothing "nothing",
        Sparse(Sparse) = Sparse "sparse",
        Message(Arc<NarrowScalars>) = Message "message",
        #[snapshot(rename = Text)]
        Id(Uuid) = Text "text",
        Number(char) = Number "number",
    }
}

impl Foreign for Option<choice::Kind> {
    fn foreigners() -> BoxedStrategy<Self> {
        <Option<Kind> as Twin<Self>>::natives().prop_map(|choice| choice.to_prost()).boxed()
    }
}

oneof! {
    Interleaved: choice::Interleaved, "interleaved" {
        Low(u32) = Low "low",
        Middle(String) = Middle "middle",
        High(bool) = High "high",
    }
}

oneof! {
    NarrowInterleaved: choice::Interleaved, "interleaved" {
        Low(u8) = Low "low",
        Middle(char) = Middle "middle",
        High(bool) = High "high",
    }
}

impl Foreign for Option<choice::Interleaved> {
    fn foreigners() -> BoxedStrategy<Self> {
        <Option<Interleaved> as Twin<Self>>::natives().prop_map(|choice| choice.to_prost()).boxed()
    }
}

case! {
    Local: choice::Local { value: u32, }
}

case! {
    Choice: pb::Choice {
        before: String,
        kind: Option<Kind>,
        interleaved: Option<Interleaved>,
        between: u32,
        after: String,
        last: u32,
    }
}

case! {
    /// Declared in an order other than that of the numbers.
    NativeChoice: pb::Choice {
        last: u8,
        interleaved: NarrowInterleaved,
        after: Box<str>,
        kind: NativeKind,
        between: u16,
        before: Arc<str>,
    }
}

oneof! {
    BytesChoice: shared_bytes::Choice, "choice" {
        Chosen(Bytes) = Chosen "chosen",
        Text(String) = Text "text",
    }
}

impl Foreign for Option<shared_bytes::Choice> {
    fn foreigners() -> BoxedStrategy<Self> {
        <Option<BytesChoice> as Twin<Self>>::natives().prop_map(|choice| choice.to_prost()).boxed()
    }
}

oneof! {
    KeywordChoice: keywords::Fn, "fn" {
        Where(u8) = Where "where",
        Loop(String) = Loop "loop",
    }
}

impl Foreign for Option<keywords::Fn> {
    fn foreigners() -> BoxedStrategy<Self> {
        prop_oneof![
            Just(None),
            any::<u32>().prop_map(|value| Some(keywords::Fn::Where(value))),
            any::<String>().prop_map(|value| Some(keywords::Fn::Loop(value))),
        ]
        .boxed()
    }
}

oneof! {
    Switch: signal::Signal, "signal" {
        ; Start "start", Stop "stop",
    }
}

impl Foreign for Option<signal::Signal> {
    fn foreigners() -> BoxedStrategy<Self> {
        let signals = [None, Some(signal::Signal::Start(())), Some(signal::Signal::Stop(()))];
        prop::sample::select(signals.to_vec()).boxed()
    }
}

case! {
    Signal: pb::Signal { signal: Switch, }
}
