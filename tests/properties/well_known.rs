//! The messages of `google.protobuf`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use prost_types::{Any, Duration as ProstDuration, Timestamp};

use super::numbers::{required, same};
use super::place::Places;
use super::twin::{Foreign, Twin};

/// 10,000 years of 365.25 days.
const MOST_SECONDS: i64 = 315_576_000_000;
/// The years 1 to 9999.
const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

fn nanos() -> impl Strategy<Value = i32> {
    prop_oneof![Just(0), Just(1), Just(999_999_999), 0..1_000_000_000i32]
}

/// Seconds and nanoseconds, some of them out of range.
fn any_time() -> impl Strategy<Value = (i64, i32)> {
    let seconds = prop_oneof![
        4 => -2i64..3,
        2 => prop::sample::select(vec![
            -MOST_SECONDS - 1,
            -MOST_SECONDS,
            MOST_SECONDS,
            MOST_SECONDS + 1,
            *YEARS.start() - 1,
            *YEARS.start(),
            *YEARS.end(),
            *YEARS.end() + 1,
            i64::MIN,
            i64::MAX,
        ]),
        1 => any::<i64>(),
    ];
    let nanos = prop_oneof![
        4 => nanos(),
        1 => prop::sample::select(vec![-1, -999_999_999, -1_000_000_000, 1_000_000_000, i32::MIN]),
    ];
    (seconds, nanos)
}

impl Foreign for ProstDuration {
    fn foreigners() -> BoxedStrategy<Self> {
        any_time().prop_map(|(seconds, nanos)| Self { seconds, nanos }).boxed()
    }
}

impl Foreign for Timestamp {
    fn foreigners() -> BoxedStrategy<Self> {
        any_time().prop_map(|(seconds, nanos)| Self { seconds, nanos }).boxed()
    }
}

/// A wrong part of a value: the seconds are checked first.
fn check(seconds_are_right: bool, nanos_are_right: bool) -> Result<(), Places> {
    match (seconds_are_right, nanos_are_right) {
        (true, true) => Ok(()),
        (true, false) => Err(Places::here().in_field("nanos")),
        (false, _) => Err(Places::here().in_field("seconds")),
    }
}

impl Twin<ProstDuration> for Duration {
    fn natives() -> BoxedStrategy<Self> {
        let seconds = prop_oneof![Just(0), Just(MOST_SECONDS as u64), 0..=MOST_SECONDS as u64];
        (seconds, nanos()).prop_map(|(s, n)| Self::new(s, n as u32)).boxed()
    }

    fn to_prost(&self) -> ProstDuration {
        let nanos = self.subsec_nanos().try_into().unwrap();
        ProstDuration { seconds: self.as_secs().try_into().unwrap(), nanos }
    }

    fn of_prost(prost: &ProstDuration) -> Result<Self, Places> {
        let ProstDuration { seconds, nanos } = *prost;
        check((0..=MOST_SECONDS).contains(&seconds), (0..1_000_000_000).contains(&nanos))?;
        Ok(Self::new(seconds as u64, nanos as u32))
    }
}

impl Twin<Timestamp> for SystemTime {
    fn natives() -> BoxedStrategy<Self> {
        (prop_oneof![Just(0), Just(-1), YEARS], nanos())
            .prop_map(|(seconds, nanos)| Self::of_prost(&Timestamp { seconds, nanos }).unwrap())
            .boxed()
    }

    fn to_prost(&self) -> Timestamp {
        // prost's own conversion.
        Timestamp::from(*self)
    }

    fn of_prost(prost: &Timestamp) -> Result<Self, Places> {
        let Timestamp { seconds, nanos } = *prost;
        check(YEARS.contains(&seconds), (0..1_000_000_000).contains(&nanos))?;
        let second = Duration::from_secs(seconds.unsigned_abs());
        let second = if seconds < 0 { UNIX_EPOCH - second } else { UNIX_EPOCH + second };
        Ok(second + Duration::from_nanos(nanos as u64))
    }
}

/// A duration as in prost, including negative ones.
impl Twin<ProstDuration> for ProstDuration {
    fn natives() -> BoxedStrategy<Self> {
        (-MOST_SECONDS..=MOST_SECONDS, nanos())
            .prop_map(|(seconds, nanos)| {
                let nanos = if seconds < 0 { -nanos } else { nanos };
                Self { seconds, nanos }
            })
            .boxed()
    }

    fn to_prost(&self) -> ProstDuration {
        *self
    }

    fn of_prost(prost: &ProstDuration) -> Result<Self, Places> {
        let ProstDuration { seconds, nanos } = *prost;
        let same_sign = seconds.signum() * i64::from(nanos.signum()) >= 0;
        check(
            (-MOST_SECONDS..=MOST_SECONDS).contains(&seconds),
            (-999_999_999..=999_999_999).contains(&nanos) && same_sign,
        )?;
        Ok(*prost)
    }
}

impl Twin<Timestamp> for Timestamp {
    fn natives() -> BoxedStrategy<Self> {
        (YEARS, nanos()).prop_map(|(seconds, nanos)| Self { seconds, nanos }).boxed()
    }

    fn to_prost(&self) -> Timestamp {
        *self
    }

    fn of_prost(prost: &Timestamp) -> Result<Self, Places> {
        check(YEARS.contains(&prost.seconds), (0..1_000_000_000).contains(&prost.nanos))?;
        Ok(*prost)
    }
}

same! {
    (): Just(());
    // Its content is not checked.
    Any: (String::foreigners(), Vec::<u8>::foreigners())
        .prop_map(|(type_url, value)| Any { type_url, value });
}

required! {
    Duration as ProstDuration;
    SystemTime as Timestamp;
    ProstDuration as ProstDuration;
    Timestamp as Timestamp;
    () as ();
    Any as Any;
}
