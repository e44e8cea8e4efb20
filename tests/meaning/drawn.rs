//! Pairs of builds over one message, drawn at random, and states drawn at random: a green light means that
//! the state arrives as it was, and a red one that it would not.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZero;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use snapshot_core::codec::{from_any_bytes, to_any_bytes};
use snapshot_core::evolution::{compatible, judge};
use snapshot_core::registry::{Registration, Registry};
use snapshot_core::{Error, codec};

/// The message of all builds.
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
}

impl prost::Name for Saved {
    const NAME: &'static str = "Saved";
    const PACKAGE: &'static str = "meaning.drawn";
}

/// The values of a state.
#[derive(Clone, Debug)]
struct Draw {
    number: u64,
    text: String,
    list: Vec<u32>,
    maybe: Option<u32>,
}

/// A type of a field.
trait Drawn: Sized {
    /// The value that the draw has, if the type has it.
    fn drawn(draw: &Draw) -> Option<Self>;
    /// The meaning of the value; `None` if it means the same as no value.
    fn meaning(&self) -> Option<String>;
}

macro_rules! drawn {
    ($($ty:ty: |$draw:ident| $make:expr, |$value:ident| $meaning:expr;)*) => {$(
        impl Drawn for $ty {
            fn drawn($draw: &Draw) -> Option<Self> {
                $make
            }

            fn meaning(&self) -> Option<String> {
                let $value = self;
                $meaning
            }
        }
    )*};
}

fn listed<'n>(numbers: impl Iterator<Item = &'n u32>) -> Option<String> {
    let numbers: Vec<String> = numbers.map(u32::to_string).collect();
    (!numbers.is_empty()).then(|| numbers.join(" "))
}

drawn! {
    u64: |draw| Some(draw.number), |value| (*value != 0).then(|| value.to_string());
    u8: |draw| u8::try_from(draw.number).ok(), |value| (*value != 0).then(|| value.to_string());
    NonZero<u64>: |draw| NonZero::new(draw.number), |value| Some(value.to_string());
    Duration: |draw| Some(Duration::from_secs(draw.number)),
        // In seconds, as the form says that the plain number of another build is.
        |value| (!value.is_zero()).then(|| value.as_secs().to_string());
    String: |draw| Some(draw.text.clone()), |value| (!value.is_empty()).then(|| value.clone());
    IpAddr: |draw| draw.text.parse().ok(), |value| Some(value.to_string());
    Vec<u32>: |draw| Some(draw.list.clone()), |value| listed(value.iter());
    BTreeSet<u32>: |draw| Some(draw.list.iter().copied().collect()), |value| listed(value.iter());
    [u32; 2]: |draw| draw.list.clone().try_into().ok(), |value| listed(value.iter());
    Option<u32>: |draw| Some(draw.maybe), |value| value.map(|value| value.to_string());
    u32: |draw| draw.maybe, |value| Some(value.to_string());
}

/// The meanings of a state's fields.
type View = BTreeMap<&'static str, String>;

/// A build, behind functions.
struct Build {
    name: &'static str,
    registry: Registry,
    #[expect(clippy::type_complexity, reason = "the bytes and the values that they stand for")]
    save: fn(&Draw) -> Option<(Vec<u8>, View)>,
    load: fn(&[u8]) -> Result<View, Error>,
}

macro_rules! builds {
    ($($name:ident ($($left_out:tt)*) { $($(#[$attribute:meta])* $field:ident: $ty:ty,)* })*) => {
        $(mod $name {
            use super::*;

            #[derive(snapshot_core::Snapshot)]
            #[snapshot(message = Saved, version = 1, $($left_out)*)]
            pub(crate) struct State { $($(#[$attribute])* pub(super) $field: $ty,)* }

            controller!(Here);

            fn view(state: &State) -> View {
                let _ = state;
                let fields: Vec<(&str, Option<String>)> =
                    vec![$((stringify!($field), state.$field.meaning())),*];
                fields.into_iter().filter_map(|(name, meaning)| Some((name, meaning?))).collect()
            }

            pub(super) fn build() -> Build {
                Build {
                    name: stringify!($name),
                    registry: Registry::new([Registration::of::<Here>()]).unwrap(),
                    save: |draw| {
                        let _ = draw;
                        let state = State { $($field: <$ty>::drawn(draw)?),* };
                        let bytes = to_any_bytes(&state).ok()?;
                        // A controller of its own, as a program has it.
                        let here = Here::new(state);
                        let view = view(&snapshot_core::Controller::state(&here));
                        Some((bytes, view))
                    },
                    load: |bytes| from_any_bytes::<State>(bytes).map(|state| view(&state)),
                }
            }
        })*

        fn builds() -> Vec<Build> {
            vec![$($name::build()),*]
        }
    };
}

builds! {
    plain () { number: u64, text: String, list: Vec<u32>, maybe: Option<u32>, }
    narrow () { number: u8, #[snapshot(max = 4)] text: String, list: Vec<u32>, maybe: u32, }
    in_millis () {
        #[snapshot(with = codec::millis)] number: Duration,
        text: IpAddr,
        list: BTreeSet<u32>,
        maybe: Option<u32>,
    }
    in_seconds () {
        #[snapshot(with = codec::seconds)] number: Duration,
        text: String,
        list: [u32; 2],
        maybe: Option<u32>,
    }
    named_seconds () {
        #[snapshot(form = "seconds")] number: u64,
        text: IpAddr,
        list: [u32; 2],
        maybe: u32,
    }
    in_a_range () {
        #[snapshot(range = 1..=100)] number: u64,
        #[snapshot(max = 6)] text: String,
        #[snapshot(max = 2)] list: Vec<u32>,
        #[snapshot(range = ..10)] maybe: Option<u32>,
    }
    not_zero () { number: NonZero<u64>, text: String, list: BTreeSet<u32>, maybe: u32, }
    less (ignore(number, list)) { text: String, maybe: Option<u32>, }
    least (ignore(number, text, list, maybe)) {}
    dropping (discard(number, text)) { list: Vec<u32>, maybe: Option<u32>, }
    related () {
        #[snapshot(below = maybe)] number: u64,
        text: String,
        #[snapshot(at_most = number)] list: Vec<u32>,
        maybe: Option<u32>,
    }
    secret () { #[snapshot(secret)] number: u64, text: String, list: Vec<u32>, maybe: Option<u32>, }
}

fn draws() -> impl Strategy<Value = Draw> {
    let number = prop_oneof![Just(0), 0..12_u64, 90..110_u64, 250..260_u64, any::<u64>()];
    let text = prop_oneof![
        Just(String::new()),
        "[a-c]{1,8}",
        any::<[u8; 4]>().prop_map(|bytes| Ipv4Addr::from(bytes).to_string()),
    ];
    let list = proptest::collection::vec(0..6_u32, 0..4);
    (number, text, list, proptest::option::of(0..20_u32))
        .prop_map(|(number, text, list, maybe)| Draw { number, text, list, maybe })
}

#[test]
fn a_green_light_means_that_the_state_arrives_as_it_was() {
    let builds = builds();
    let manifests: Vec<_> = builds.iter().map(|build| build.registry.manifest()).collect();
    let (moved, refused, silent) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let pairs = std::cell::RefCell::new(BTreeSet::new());
    let try_pair = |from: usize, to: usize, draw: &Draw| {
        let (source, destination) = (&builds[from], &builds[to]);
        let Some((bytes, before)) = (source.save)(draw) else { return Ok(()) };
        pairs.borrow_mut().insert((from, to));
        let sides = format!("{} to {}: {draw:?}", source.name, destination.name);
        let verdict = compatible(&manifests[from], &manifests[to]);
        let is_refused_by_schema = verdict.payloads.iter().any(|payload| {
            use snapshot_core::evolution::Verdict;
            matches!(&payload.verdict, Verdict::Differs { differences, .. }
                if differences.iter().any(|difference| !difference.by_value))
        });
        let judged = judge(&bytes, &source.registry, &manifests[to]);
        let arrived = (destination.load)(&bytes);
        match judged {
            Ok(dropped) if !is_refused_by_schema => {
                let mut after = arrived.map_err(|error| {
                    TestCaseError::fail(format!("{sides}: green, and refused: {error}"))
                })?;
                for finding in &dropped {
                    let field = finding.path().to_string();
                    for (name, value) in before.iter().filter(|(name, _)| field.ends_with(*name)) {
                        after.insert(name, value.clone());
                    }
                }
                if after != before {
                    silent.set(silent.get() + 1);
                }
                prop_assert_eq!(after, before, "{}: a silent change", sides);
                moved.set(moved.get() + 1);
            }
            Ok(_) => refused.set(refused.get() + 1),
            Err(error) => {
                // No false alarm: the destination does refuse it.
                prop_assert!(arrived.is_err(), "{}: refused without need: {}", sides, error);
                let is_named =
                    error.findings().all(|finding| !finding.path().to_string().is_empty());
                prop_assert!(is_named, "{}: no field is named: {}", sides, error);
                refused.set(refused.get() + 1);
            }
        }
        Ok(())
    };
    let try_all = |draw: &Draw| {
        for from in 0..builds.len() {
            for to in 0..builds.len() {
                try_pair(from, to, draw)?;
            }
        }
        Ok(())
    };
    // Each build saves one of these two, so that no pair depends on what is drawn.
    for text in ["1.2.3.4", "abc"] {
        let draw = Draw { number: 2, text: text.into(), list: vec![1, 2], maybe: Some(5) };
        try_all(&draw).unwrap();
    }
    let config = ProptestConfig { cases: 110, failure_persistence: None, ..Default::default() };
    TestRunner::new(config).run(&draws(), |draw| try_all(&draw)).unwrap();
    println!(
        "{} pairs of {} builds: {} states arrived as they were, {} were refused, {} changed silently",
        pairs.borrow().len(),
        builds.len(),
        moved.get(),
        refused.get(),
        silent.get()
    );
    assert_eq!(pairs.borrow().len(), builds.len() * builds.len());
    assert!(moved.get() > 500 && refused.get() > 500);
}
