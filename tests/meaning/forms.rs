//! Forms that are deeper than a plain field: wide integers, keys and values of maps, elements, nested states,
//! members of oneofs, children, and ranges behind adapters.

use std::sync::Arc;

use snapshot_core::registry::{Registration, Registry};
use snapshot_core::{Child, Controller, Snapshot, Source};

use crate::stay_behind::{engine, gpu};

#[derive(Clone, PartialEq, snapshot_core::Schema, prost::Message)]
pub(crate) struct Inner {
    #[prost(uint64, optional, tag = "1")]
    pub level: Option<u64>,
}

impl prost::Name for Inner {
    const NAME: &'static str = "Inner";
    const PACKAGE: &'static str = "meaning.v1";
}

#[derive(Clone, PartialEq, snapshot_core::Schema, prost::Oneof)]
pub(crate) enum Choice {
    #[prost(uint64, tag = "10")]
    Number(u64),
    #[prost(string, tag = "11")]
    Text(String),
}

/// A number in a newtype.
#[derive(Snapshot, Clone, Debug, PartialEq)]
#[snapshot(transparent)]
pub(crate) struct Level(pub u8);

/// A newtype in a newtype.
#[derive(Snapshot, Clone, Debug, PartialEq)]
#[snapshot(transparent)]
pub(crate) struct Outer(pub Level);

macro_rules! inner {
    ($name:ident $level:ty) => {
        #[derive(Snapshot, Clone, Debug, PartialEq)]
        #[snapshot(message = Inner)]
        pub(crate) struct $name {
            pub level: Option<$level>,
        }
    };
}

inner! { AnyLevel u64 }
inner! { NarrowLevel Outer }

macro_rules! choice {
    ($name:ident $number:ty, $text:ty) => {
        #[derive(Snapshot, Clone, Debug, PartialEq)]
        #[snapshot(oneof = Choice)]
        pub(crate) enum $name {
            Number($number),
            Text($text),
        }
    };
}

choice! { AnyChoice u64, String }
choice! { NarrowChoice u8, std::net::IpAddr }

direction! {
    a_number_without_a_sign_to_one_with_a_sign over wide
    from (version = 1, ignore(map, span, pieces, names, delta, ratio, inner, choice, child, time)) { pub data: u128 } |s| s.data.to_string();
    to (version = 1, ignore(map, span, pieces, names, delta, ratio, inner, choice, child, time)) { pub data: i128 } |s| s.data.to_string();
    State { data: u128::MAX } => arrival if refused(arrival, "data", "means u128 at the source and i128 at the destination"),
    State { data: 1 } => arrival if refused(arrival, "data", "means u128"),
}

direction! {
    a_wide_number_to_its_bytes over wide
    from (version = 1, ignore(map, span, pieces, names, delta, ratio, inner, choice, child, time)) { pub data: u128 } |s| s.data.to_be_bytes().to_vec();
    to (version = 1, ignore(map, span, pieces, names, delta, ratio, inner, choice, child, time)) { pub data: [u8; 16] } |s| s.data.to_vec();
    State { data: 1 } => arrival if refused(arrival, "data", "means u128 at the source and the value itself at the destination"),
}

direction! {
    wide_numbers_in_a_list over wide
    from (version = 1, ignore(data, map, span, names, delta, ratio, inner, choice, child, time)) { pub pieces: Vec<i128> } |s| s.pieces.iter().map(ToString::to_string).collect::<Vec<_>>();
    to (version = 1, ignore(data, map, span, names, delta, ratio, inner, choice, child, time)) { pub pieces: Vec<u128> } |s| s.pieces.iter().map(ToString::to_string).collect::<Vec<_>>();
    State { pieces: vec![-1] } => arrival if refused(arrival, "pieces", "means i128"),
}

direction! {
    bytes_to_an_array over wide
    from (version = 1, ignore(map, span, pieces, names, delta, ratio, inner, choice, child, time)) { pub data: Vec<u8> } |s| s.data.clone();
    to (version = 1, ignore(map, span, pieces, names, delta, ratio, inner, choice, child, time)) { pub data: [u8; 2] } |s| s.data.to_vec();
    State { data: vec![1] } => arrival if refused(arrival, "data", "the destination takes 2 bytes"),
    State { data: vec![0, 0] } => Arrival::Whole,
    State { data: Vec::new() } => arrival if refused(arrival, "data", "missing"),
}

direction! {
    bytes_in_a_list_to_arrays over wide
    from (version = 1, ignore(data, map, span, names, delta, ratio, inner, choice, child, time)) { pub pieces: Vec<Vec<u8>> } |s| s.pieces.clone();
    to (version = 1, ignore(data, map, span, names, delta, ratio, inner, choice, child, time)) { pub pieces: Vec<[u8; 2]> } |s| s.pieces.iter().map(|piece| piece.to_vec()).collect::<Vec<_>>();
    State { pieces: vec![vec![1, 2], vec![3]] } => arrival if refused(arrival, "pieces[1]", "the destination takes 2 bytes"),
    State { pieces: vec![vec![1, 2]] } => Arrival::Whole,
}

direction! {
    arrays_in_an_array over wide
    from (version = 1, ignore(data, map, span, names, delta, ratio, inner, choice, child, time)) { pub pieces: Vec<[u8; 2]> } |s| s.pieces.clone();
    to (version = 1, ignore(data, map, span, names, delta, ratio, inner, choice, child, time)) { pub pieces: [[u8; 2]; 2] } |s| s.pieces.to_vec();
    State { pieces: vec![[1, 2]] } => arrival if refused(arrival, "pieces", "has 1 element, but the destination takes 2"),
    State { pieces: vec![[1, 2], [0, 0]] } => Arrival::Whole,
}

direction! {
    any_key_to_a_tuple over wide
    from (version = 1, ignore(data, span, pieces, names, delta, ratio, inner, choice, child, time)) { pub map: BTreeMap<String, u32> } |s| s.map.iter().map(|(key, value)| (key.clone(), u64::from(*value))).collect::<BTreeMap<_, _>>();
    to (version = 1, ignore(data, span, pieces, names, delta, ratio, inner, choice, child, time)) { pub map: BTreeMap<(u8, String), u32> } |s| s.map.iter().map(|((a, b), value)| (format!("{a}/{b}"), u64::from(*value))).collect::<BTreeMap<_, _>>();
    State { map: [("300/a".to_owned(), 1)].into() } => arrival if refused(arrival, "map[\"300/a\"]", "the destination takes (u8, String)"),
    State { map: [("a".to_owned(), 1)].into() } => arrival if refused(arrival, "map[\"a\"]", "the destination takes (u8, String)"),
    State { map: [("255/a".to_owned(), 1)].into() } => Arrival::Whole,
}

direction! {
    a_tuple_to_any_key over wide
    from (version = 1, ignore(data, span, pieces, names, delta, ratio, inner, choice, child, time)) { pub map: BTreeMap<(u8, String), u32> } |s| s.map.iter().map(|((a, b), value)| (format!("{a}/{b}"), u64::from(*value))).collect::<BTreeMap<_, _>>();
    to (version = 1, ignore(data, span, pieces, names, delta, ratio, inner, choice, child, time)) { pub map: BTreeMap<String, u32> } |s| s.map.iter().map(|(key, value)| (key.clone(), u64::from(*value))).collect::<BTreeMap<_, _>>();
    State { map: [((1, "a".to_owned()), 1)].into() } => Arrival::Whole,
}

direction! {
    values_of_a_map_to_a_newtype over wide
    from (version = 1, ignore(data, span, pieces, names, delta, ratio, inner, choice, child, time)) { pub map: BTreeMap<String, u32> } |s| s.map.iter().map(|(key, value)| (key.clone(), u64::from(*value))).collect::<BTreeMap<_, _>>();
    to (version = 1, ignore(data, span, pieces, names, delta, ratio, inner, choice, child, time)) { pub map: BTreeMap<String, crate::forms::Level> } |s| s.map.iter().map(|(key, value)| (key.clone(), u64::from(value.0))).collect::<BTreeMap<_, _>>();
    State { map: [("a".to_owned(), 256)].into() } => arrival if refused(arrival, "map[\"a\"]", "is 256, but the destination takes at most 255"),
    State { map: [("a".to_owned(), 0)].into() } => Arrival::Whole,
}

direction! {
    keys_and_values_of_a_map_to_narrower_ones over wide
    from (version = 1, ignore(data, map, span, pieces, delta, ratio, inner, choice, child, time)) { pub names: BTreeMap<u32, String> } |s| s.names.iter().map(|(key, value)| (u64::from(*key), value.to_string())).collect::<BTreeMap<_, _>>();
    to (version = 1, ignore(data, map, span, pieces, delta, ratio, inner, choice, child, time)) { pub names: BTreeMap<u8, IpAddr> } |s| s.names.iter().map(|(key, value)| (u64::from(*key), value.to_string())).collect::<BTreeMap<_, _>>();
    State { names: [(300, "::1".to_owned())].into() } => arrival if refused(arrival, "names[\"300\"]", "is 300, but the destination takes at most 255"),
    State { names: [(0, "x".to_owned())].into() } => arrival if refused(arrival, "names[\"0\"]", "the destination takes ip"),
    State { names: [(0, "::1".to_owned())].into() } => Arrival::Whole,
}

direction! {
    a_span_to_what_remains over wide
    from (version = 1, ignore(data, map, pieces, names, delta, ratio, inner, choice, child, time)) { pub span: Duration } |s| s.span;
    to (version = 1, ignore(data, map, pieces, names, delta, ratio, inner, choice, child, time)) { pub span: codec::Countdown } |s| s.span.remaining();
    State { span: Duration::from_secs(30) } => arrival if refused(arrival, "span", "means the value itself at the source and the time that remains at the destination"),
}

direction! {
    what_remains_to_a_span over wide
    from (version = 1, ignore(data, map, pieces, names, delta, ratio, inner, choice, child, time)) { pub span: codec::Countdown } |s| s.span.remaining();
    to (version = 1, ignore(data, map, pieces, names, delta, ratio, inner, choice, child, time)) { pub span: Duration } |s| s.span;
    State { span: codec::Countdown::paused(Duration::from_secs(30)) } => arrival if refused(arrival, "span", "means the time that remains"),
}

direction! {
    a_signed_number_to_a_narrow_one over wide
    from (version = 1, ignore(data, map, span, pieces, names, ratio, inner, choice, child, time)) { pub delta: i64 } |s| s.delta;
    to (version = 1, ignore(data, map, span, pieces, names, ratio, inner, choice, child, time)) { pub delta: i8 } |s| i64::from(s.delta);
    State { delta: -129 } => arrival if refused(arrival, "delta", "is -129, but the destination takes -128 to 127"),
    State { delta: -128 } => Arrival::Whole,
}

direction! {
    a_signed_number_to_a_narrow_one_in_an_arc over wide
    from (version = 1, ignore(data, map, span, pieces, names, ratio, inner, choice, child, time)) { pub delta: i64 } |s| s.delta;
    to (version = 1, ignore(data, map, span, pieces, names, ratio, inner, choice, child, time)) { pub delta: std::sync::Arc<i8> } |s| i64::from(*s.delta);
    State { delta: 128 } => arrival if refused(arrival, "delta", "is 128, but the destination takes -128 to 127"),
    State { delta: 0 } => Arrival::Whole,
}

direction! {
    any_ratio_to_a_part over wide
    from (version = 1, ignore(data, map, span, pieces, names, delta, inner, choice, child, time)) { pub ratio: f64 } |s| s.ratio.to_bits();
    to (version = 1, ignore(data, map, span, pieces, names, delta, inner, choice, child, time)) { #[snapshot(range = 0.0..=1.0)] pub ratio: f64 } |s| s.ratio.to_bits();
    State { ratio: f64::NAN } => arrival if refused(arrival, "ratio", "the destination takes 0.0 to 1.0"),
    State { ratio: 1.5 } => arrival if refused(arrival, "ratio", "is 1.5"),
    State { ratio: -0.0 } => Arrival::Whole,
    State { ratio: 1.0 } => Arrival::Whole,
}

direction! {
    a_nested_number_to_a_newtype_in_a_newtype over wide
    from (version = 1, ignore(data, map, span, pieces, names, delta, ratio, choice, child, time)) { pub inner: crate::forms::AnyLevel } |s| s.inner.level;
    to (version = 1, ignore(data, map, span, pieces, names, delta, ratio, choice, child, time)) { pub inner: Box<crate::forms::NarrowLevel> } |s| s.inner.level.as_ref().map(|level| u64::from(level.0.0));
    State { inner: crate::forms::AnyLevel { level: Some(256) } } => arrival if refused(arrival, "inner.level", "is 256, but the destination takes at most 255"),
    State { inner: crate::forms::AnyLevel { level: None } } => Arrival::Whole,
    State { inner: crate::forms::AnyLevel { level: Some(0) } } => Arrival::Whole,
}

direction! {
    a_nested_state_that_may_be_absent over wide
    from (version = 1, ignore(data, map, span, pieces, names, delta, ratio, choice, child, time)) { pub inner: Option<crate::forms::AnyLevel> } |s| s.inner.as_ref().map(|inner| inner.level);
    to (version = 1, ignore(data, map, span, pieces, names, delta, ratio, choice, child, time)) { pub inner: crate::forms::AnyLevel } |s| Some(s.inner.level);
    State { inner: None } => arrival if refused(arrival, "inner", "is missing, but the destination requires it"),
    State { inner: Some(crate::forms::AnyLevel { level: None }) } => Arrival::Whole,
}

direction! {
    members_to_narrower_ones over wide
    from (version = 1, ignore(data, map, span, pieces, names, delta, ratio, inner, child, time)) { pub choice: Option<crate::forms::AnyChoice> } |s| s.choice.as_ref().map(|choice| match choice {
        crate::forms::AnyChoice::Number(number) => number.to_string(),
        crate::forms::AnyChoice::Text(text) => text.clone(),
    });
    to (version = 1, ignore(data, map, span, pieces, names, delta, ratio, inner, child, time)) { pub choice: Option<crate::forms::NarrowChoice> } |s| s.choice.as_ref().map(|choice| match choice {
        crate::forms::NarrowChoice::Number(number) => number.to_string(),
        crate::forms::NarrowChoice::Text(text) => text.to_string(),
    });
    State { choice: Some(crate::forms::AnyChoice::Number(256)) } => arrival if refused(arrival, "number", "is 256, but the destination takes at most 255"),
    State { choice: Some(crate::forms::AnyChoice::Text("x".into())) } => arrival if refused(arrival, "text", "the destination takes ip"),
    State { choice: Some(crate::forms::AnyChoice::Number(0)) } => Arrival::Whole,
    State { choice: None } => Arrival::Whole,
}

direction! {
    a_time_to_a_range over wide
    from (version = 1, ignore(data, map, span, pieces, names, delta, ratio, inner, choice, child)) { #[snapshot(with = codec::millis)] pub time: Duration } |s| s.time;
    to (version = 1, ignore(data, map, span, pieces, names, delta, ratio, inner, choice, child)) { #[snapshot(with = codec::millis, range = Duration::from_secs(1)..=Duration::from_secs(60))] pub time: Duration } |s| s.time;
    State { time: Duration::from_millis(999) } => arrival if refused(arrival, "time", "is 999, but the destination takes 1000 to 60000"),
    State { time: Duration::ZERO } => arrival if refused(arrival, "time", "is 0, but the destination takes 1000 to 60000"),
    State { time: Duration::from_millis(60000) } => Arrival::Whole,
}

direction! {
    a_time_to_a_range_without_its_end over wide
    from (version = 1, ignore(data, map, span, pieces, names, delta, ratio, inner, choice, child)) { #[snapshot(with = codec::millis)] pub time: Duration } |s| s.time;
    to (version = 1, ignore(data, map, span, pieces, names, delta, ratio, inner, choice, child)) { #[snapshot(with = codec::millis, range = Duration::from_secs(1)..Duration::from_secs(60))] pub time: Duration } |s| s.time;
    State { time: Duration::from_millis(60000) } => arrival if refused(arrival, "time", "is 60000, but the destination takes 1000 to 59999"),
    State { time: Duration::ZERO } => arrival if refused(arrival, "time", "is 0, but the destination takes 1000 to 59999"),
    State { time: Duration::from_millis(59999) } => Arrival::Whole,
}

direction! {
    a_date_to_a_range over wide
    from (version = 1, ignore(data, map, span, pieces, names, delta, ratio, inner, choice, child)) { #[snapshot(with = codec::unix_seconds)] pub time: SystemTime } |s| s.time;
    to (version = 1, ignore(data, map, span, pieces, names, delta, ratio, inner, choice, child)) { #[snapshot(with = codec::unix_seconds, range = SystemTime::UNIX_EPOCH..)] pub time: SystemTime } |s| s.time;
    State { time: SystemTime::UNIX_EPOCH - Duration::from_secs(1) } => arrival if refused(arrival, "time", "is -1, but the destination takes at least 0"),
    State { time: SystemTime::UNIX_EPOCH } => Arrival::Whole,
}

/// A build that holds a controller of any type.
mod any {
    use super::*;

    #[derive(Snapshot)]
    #[snapshot(message = Saved, version = 1, controller = Build)]
    pub(crate) struct State {
        pub(crate) child: Child<dyn Controller>,
    }

    #[derive(Clone, PartialEq, snapshot_core::Schema, prost::Message)]
    pub(crate) struct Saved {
        #[prost(uint32, tag = "1")]
        pub schema_version: u32,
        #[prost(message, optional, tag = "2")]
        pub child: Option<prost_types::Any>,
    }

    impl prost::Name for Saved {
        const NAME: &'static str = "Holder";
        const PACKAGE: &'static str = "meaning.v1";
    }
    controller!(Build);
}

/// A build that holds an engine.
mod one {
    use super::*;

    #[derive(Snapshot)]
    #[snapshot(message = any::Saved, version = 1)]
    pub(crate) struct State {
        pub(crate) child: Child<engine::Build>,
    }
    controller!(Build);
}

#[test]
fn a_child_of_another_type_is_refused_before_the_freeze() {
    let theirs = Registry::new([
        Registration::of::<one::Build>(),
        Registration::of::<engine::Build>(),
        Registration::of::<gpu::Gpu>(),
    ]);
    let theirs = theirs.unwrap().manifest();
    let preflight = |child: Child<dyn Controller>| {
        let root = Arc::new(any::Build::new(any::State { child }));
        Source::new(&root).preflight(&theirs).map_err(|error| error.to_string())
    };
    let engine = engine::Build::new(engine::State { size: 1 });
    assert!(preflight(Child::of(engine)).is_ok());
    let error = preflight(Child::of(gpu::Gpu::new(true))).unwrap_err();
    assert_eq!(
        error,
        ".: meaning.v1.Holder.child: is a payload of type \
         \"type.googleapis.com/meaning.v1.Gpu\", but the destination takes type.googleapis.com/meaning.v1.Engine"
    );
}
