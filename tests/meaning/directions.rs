//! Moves states from one build to another. The two builds are two modules over one message. The source is in
//! this program's registry, as a running program is; the destination is known by its manifest, and imports.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_executor::block_on;
use snapshot_core::registry::{Registration, Registry};
use snapshot_core::{Controller, Incoming, Preflight, Session, Source, State};

/// What became of a state.
#[derive(Debug, PartialEq)]
pub(crate) enum Arrival {
    /// It arrived as it was.
    Whole,
    /// It was refused before the freeze; the text of the error.
    Refused(String),
    /// It arrived without the values that the destination drops on purpose, which the preflight named.
    Dropped(Vec<String>),
}

/// How many pairs of a state and a destination were tried, in all tests of this program.
pub(crate) static TRIED: AtomicUsize = AtomicUsize::new(0);

/// Moves a controller from this program to a build that knows it as a `D`. `views` show the meaning of the
/// states of both.
#[track_caller]
#[expect(clippy::type_complexity, reason = "`views` are two functions, one for each side")]
pub(crate) fn migrate<S: Controller, D: Controller, V: PartialEq + Debug>(
    source: S,
    views: (fn(&S::State) -> V, fn(&D::State) -> V),
) -> Arrival
where
    <D::State as State>::Message: prost::Name,
{
    TRIED.fetch_add(1, Ordering::Relaxed);
    let theirs = manifest_of::<D>();
    let root = Arc::new(source);
    let before = (views.0)(&root.state());
    let source = Source::new(&root);
    let Preflight { dropped, .. } = match source.preflight(&theirs) {
        Ok(preflight) => preflight,
        Err(error) => return Arrival::Refused(error.to_string()),
    };
    let session = Session::new();
    let frozen = block_on(source.freeze(&session)).unwrap();
    let bytes = frozen.save().unwrap().into_bytes();
    let imported = Incoming::open(bytes).unwrap().import::<D>();
    let imported = imported.expect("the preflight passed, and the import is refused");
    let live = block_on(block_on(imported.patch(&session)).unwrap().resume(&session)).unwrap();
    let after = (views.1)(&live.state());
    block_on(frozen.commit()).unwrap();
    if !dropped.is_empty() {
        return Arrival::Dropped(dropped.iter().map(ToString::to_string).collect());
    }
    assert_eq!(after, before, "a silent change of meaning");
    Arrival::Whole
}

fn manifest_of<C: Controller>() -> snapshot_core::schema::Manifest
where
    <C::State as State>::Message: prost::Name,
{
    Registry::new([Registration::of::<C>()]).unwrap().manifest()
}

/// The message of two builds, one for each test: in one program each message is claimed once.
macro_rules! message_of {
    (small) => {
        #[derive(Clone, PartialEq, snapshot_core::Schema, prost::Message)]
        pub(crate) struct Saved {
            #[prost(uint32, tag = "1")]
            pub schema_version: u32,
            #[prost(uint64, tag = "2")]
            pub number: u64,
            #[prost(string, tag = "3")]
            pub text: String,
            #[prost(uint32, repeated, tag = "4")]
            pub list: Vec<u32>,
            #[prost(uint32, optional, tag = "5")]
            pub maybe: Option<u32>,
            #[prost(uint64, tag = "6")]
            pub other: u64,
        }
    };
    (wide) => {
        #[derive(Clone, PartialEq, snapshot_core::Schema, prost::Message)]
        pub(crate) struct Saved {
            #[prost(uint32, tag = "1")]
            pub schema_version: u32,
            #[prost(bytes = "vec", tag = "2")]
            pub data: Vec<u8>,
            #[prost(map = "string, uint32", tag = "3")]
            pub map: std::collections::HashMap<String, u32>,
            #[prost(message, optional, tag = "4")]
            pub span: Option<prost_types::Duration>,
            #[prost(bytes = "vec", repeated, tag = "5")]
            pub pieces: Vec<Vec<u8>>,
            #[prost(map = "uint32, string", tag = "6")]
            pub names: std::collections::HashMap<u32, String>,
            #[prost(sint64, tag = "7")]
            pub delta: i64,
            #[prost(double, tag = "8")]
            pub ratio: f64,
            #[prost(message, optional, tag = "9")]
            pub inner: Option<crate::forms::Inner>,
            #[prost(oneof = "crate::forms::Choice", tags = "10, 11")]
            pub choice: Option<crate::forms::Choice>,
            #[prost(message, optional, tag = "12")]
            pub child: Option<prost_types::Any>,
            #[prost(int64, tag = "13")]
            pub time: i64,
        }
    };
}

/// Two builds over one message, and what becomes of states that move from the first to the second.
macro_rules! direction {
    ($test:ident from $($rest:tt)*) => {
        direction! { $test over small from $($rest)* }
    };
    (
        $test:ident over $message:ident
        from ($($from_attr:tt)*) { $($from:tt)* } $from_view:expr;
        to ($($to_attr:tt)*) { $($to:tt)* } $to_view:expr;
        $($state:expr => $expected:pat $(if $guard:expr)?),+ $(,)?
    ) => {
        mod $test {
            use crate::directions::migrate;

            message_of! { $message }

            impl prost::Name for Saved {
                const NAME: &'static str = "Saved";
                const PACKAGE: &'static str = concat!("across.", stringify!($test));
            }

            mod from {
                #[allow(unused_imports)]
                use crate::directions::outside::*;
                use super::Saved;

                #[derive(snapshot_core::Snapshot)]
                #[snapshot(message = Saved, controller = Build, $($from_attr)*)]
                pub(crate) struct State { $($from)* }
                controller!(Build);
            }

            mod to {
                #[allow(unused_imports)]
                use crate::directions::outside::*;
                use super::Saved;

                #[derive(snapshot_core::Snapshot)]
                #[snapshot(message = Saved, $($to_attr)*)]
                pub(crate) struct State { $($to)* }
                controller!(Build);
            }

            #[test]
            fn arrives_as_it_was_or_is_refused_by_name() {
                #[allow(unused_imports)]
                use crate::directions::outside::*;
                $(
                    let state: from::State = {
                        use from::State;
                        $state
                    };
                    let arrival = migrate::<from::Build, to::Build, _>(
                        from::Build::new(state),
                        ($from_view, $to_view),
                    );
                    match &arrival {
                        $expected $(if $guard)? => {}
                        _ => panic!("{}: {arrival:?}", stringify!($state)),
                    }
                )+
            }
        }
    };
}

/// Whether an arrival is a refusal that names the field and says this.
pub(crate) fn refused(arrival: &Arrival, field: &str, reason: &str) -> bool {
    matches!(arrival, Arrival::Refused(text) if text.contains(field) && text.contains(reason))
}

/// What the states of the builds name.
pub(crate) mod outside {
    #[allow(unused_imports)]
    pub(crate) use std::collections::{BTreeMap, BTreeSet};
    #[allow(unused_imports)]
    pub(crate) use std::net::IpAddr;
    #[allow(unused_imports)]
    pub(crate) use std::num::NonZero;
    #[allow(unused_imports)]
    pub(crate) use std::time::{Duration, SystemTime};

    #[allow(unused_imports)]
    pub(crate) use snapshot_core::codec;

    #[allow(unused_imports)]
    pub(crate) use super::{Arrival, refused};

    /// Counts in dozens, and takes nothing else.
    pub(crate) mod dozens {
        pub(crate) fn to_wire(number: &u64) -> Result<u64, &'static str> {
            if number.is_multiple_of(12) { Ok(number / 12) } else { Err("is no number of dozens") }
        }

        pub(crate) fn from_wire(dozens: u64) -> Result<u64, &'static str> {
            dozens.checked_mul(12).ok_or("is too many dozens")
        }
    }

    /// The same in a module of another name.
    pub(crate) mod twelves {
        pub(crate) use super::dozens::{from_wire, to_wire};
    }
}
