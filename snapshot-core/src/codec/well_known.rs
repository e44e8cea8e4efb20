//! The messages of `google.protobuf` that a Rust type stands for: `Duration`, `Timestamp`, `Empty`
//! and the scalar wrappers.
//! Source: <https://protobuf.dev/reference/protobuf/google.protobuf/>.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::{Reader, Single, Wire, Writer, take_once};
use crate::Error;
use crate::schema::Schema;
use crate::schema::kind::{self, Kind, Message};

/// The most that `google.protobuf.Duration` holds, 10,000 years of 365.25 days.
const MAX_DURATION_SECONDS: i64 = 315_576_000_000;
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the ends of `google.protobuf.Timestamp`.
const MIN_TIMESTAMP_SECONDS: i64 = -62_135_596_800;
const MAX_TIMESTAMP_SECONDS: i64 = 253_402_300_799;
const NANOS_PER_SECOND: i32 = 1_000_000_000;

/// Puts a message of `seconds = 1` and `nanos = 2`, as `Duration` and `Timestamp` both are.
fn put_time(seconds: i64, nanos: i32, w: &mut Writer) -> Result<(), Error> {
    let mark = w.position();
    put_member::<kind::Int32, _>(&nanos, 2, w)?;
    put_member::<kind::Int64, _>(&seconds, 1, w)?;
    w.length_since(mark);
    Ok(())
}

fn take_time(r: &mut Reader<'_>, name: &'static str) -> Result<(i64, i32), Error> {
    r.message(|r| {
        let mut seconds = None;
        let mut nanos = None;
        while let Some(tag) = r.tag()? {
            let offset = r.offset();
            let (result, field) = match tag.number {
                1 => (take_once::<kind::Int64, i64>(&mut seconds, tag, r), "seconds"),
                2 => (take_once::<kind::Int32, i32>(&mut nanos, tag, r), "nanos"),
                number => return Err(r.locate(no_such_field(name, number), offset)),
            };
            result.map_err(|error| r.locate(error, offset).in_field(field))?;
        }
        Ok((seconds.unwrap_or(0), nanos.unwrap_or(0)))
    })
}

/// Puts a field with implicit presence.
#[inline]
fn put_member<K: Kind, T: Wire<K>>(value: &T, number: u32, w: &mut Writer) -> Result<(), Error> {
    if !value.is_default() {
        value.put(w)?;
        w.tag(number, K::WIRE_TYPE);
    }
    Ok(())
}

#[cold]
#[inline(never)]
fn no_such_field(message: &str, number: u32) -> Error {
    Error::invalid(format!("{message} has no field {number}"))
}

/// The part of a second, which is never negative.
fn check_nanos(nanos: i32) -> Result<u32, Error> {
    match nanos {
        0..NANOS_PER_SECOND => Ok(nanos as u32),
        _ => Err(Error::invalid(format!("{nanos} is not in 0 to 999999999")).in_field("nanos")),
    }
}

#[cold]
#[inline(never)]
fn seconds_out_of_range(seconds: impl Into<i128>, least: i64, most: i64) -> Error {
    let seconds = seconds.into();
    Error::invalid(format!("{seconds} is not in {least} to {most}")).in_field("seconds")
}

impl Single for Duration {}

/// 0 to 315,576,000,000 s. A `std` duration is never negative, so a negative one is refused.
impl Wire<Message<prost_types::Duration>> for Duration {
    const LEAF: bool = true;

    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        match i64::try_from(self.as_secs()) {
            Ok(seconds @ 0..=MAX_DURATION_SECONDS) => {
                put_time(seconds, self.subsec_nanos() as i32, w)
            }
            _ => Err(seconds_out_of_range(self.as_secs(), 0, MAX_DURATION_SECONDS)),
        }
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        let (seconds, nanos) = take_time(r, "google.protobuf.Duration")?;
        match seconds {
            0..=MAX_DURATION_SECONDS => Ok(Self::new(seconds as u64, check_nanos(nanos)?)),
            _ => Err(seconds_out_of_range(seconds, 0, MAX_DURATION_SECONDS)),
        }
    }

    fn is_default(&self) -> bool {
        self.is_zero()
    }
}

impl Single for SystemTime {}

/// 0001-01-01 to the end of 9999. Before 1970 the nanoseconds still count forward.
impl Wire<Message<prost_types::Timestamp>> for SystemTime {
    const LEAF: bool = true;

    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        let (seconds, nanos) = since_epoch(*self);
        match i64::try_from(seconds) {
            Ok(seconds @ MIN_TIMESTAMP_SECONDS..=MAX_TIMESTAMP_SECONDS) => {
                put_time(seconds, nanos as i32, w)
            }
            _ => Err(timestamp_out_of_range(seconds)),
        }
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        let (seconds, nanos) = take_time(r, "google.protobuf.Timestamp")?;
        if !(MIN_TIMESTAMP_SECONDS..=MAX_TIMESTAMP_SECONDS).contains(&seconds) {
            return Err(timestamp_out_of_range(seconds.into()));
        }
        let nanos = check_nanos(nanos)?;
        let whole = Duration::from_secs(seconds.unsigned_abs());
        let second =
            if seconds < 0 { UNIX_EPOCH.checked_sub(whole) } else { UNIX_EPOCH.checked_add(whole) };
        match second.and_then(|second| second.checked_add(Duration::new(0, nanos))) {
            // Some systems count time in steps longer than a nanosecond.
            Some(time) if since_epoch(time) == (seconds.into(), nanos) => Ok(time),
            _ => Err(Error::invalid("is a time that this system cannot hold exactly")),
        }
    }

    fn is_default(&self) -> bool {
        *self == UNIX_EPOCH
    }
}

fn timestamp_out_of_range(seconds: i128) -> Error {
    seconds_out_of_range(seconds, MIN_TIMESTAMP_SECONDS, MAX_TIMESTAMP_SECONDS)
}

/// Whole seconds since 1970, rounded down, and nanoseconds on top of them.
pub(super) fn since_epoch(time: SystemTime) -> (i128, u32) {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (after.as_secs().into(), after.subsec_nanos()),
        Err(error) => {
            let before = error.duration();
            let seconds = -i128::from(before.as_secs());
            match before.subsec_nanos() {
                0 => (seconds, 0),
                nanos => (seconds - 1, NANOS_PER_SECOND as u32 - nanos),
            }
        }
    }
}

impl Single for () {}

/// `google.protobuf.Empty`.
impl Wire<Message<()>> for () {
    const LEAF: bool = true;

    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        w.varint(0);
        Ok(())
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        r.message(|r| match r.tag()? {
            None => Ok(()),
            Some(tag) => {
                Err(r.locate(no_such_field("google.protobuf.Empty", tag.number), r.offset()))
            }
        })
    }

    fn is_default(&self) -> bool {
        true
    }
}

/// Puts a wrapper: a message whose field 1 is the value.
fn put_wrapped<K: Kind, T: Wire<K>>(value: &T, w: &mut Writer) -> Result<(), Error> {
    let mark = w.position();
    put_member::<K, T>(value, 1, w).map_err(|error| error.in_field("value"))?;
    w.length_since(mark);
    Ok(())
}

fn take_wrapped<M: Schema, K: Kind, T: Wire<K>>(r: &mut Reader<'_>) -> Result<T, Error> {
    r.message(|r| {
        let mut value = None;
        while let Some(tag) = r.tag()? {
            let offset = r.offset();
            if tag.number != 1 {
                let name = (M::DESCRIPTOR.full_name)();
                return Err(r.locate(no_such_field(&name, tag.number), offset));
            }
            take_once::<K, T>(&mut value, tag, r)
                .map_err(|error| r.locate(error, offset).in_field("value"))?;
        }
        match value {
            Some(value) => Ok(value),
            None => T::of_default(),
        }
    })
}

macro_rules! wrappers {
    ($($wrapper:ty as $kind:ident: $($value:ty)*;)*) => {$($(
        impl Wire<Message<$wrapper>> for $value {
            const LEAF: bool = true;

            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                put_wrapped::<kind::$kind, Self>(self, w)
            }

            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                take_wrapped::<$wrapper, kind::$kind, Self>(r)
            }

            fn is_default(&self) -> bool {
                Wire::<kind::$kind>::is_default(self)
            }
        }
    )*)*};
}

// The message of a wrapper is, as in prost, the Rust type that it wraps.
wrappers! {
    f64 as Double: f64;
    f32 as Float: f32;
    i64 as Int64: i8 i16 i32 i64 isize u8 u16 u32 u64 usize;
    u64 as Uint64: i8 i16 i32 i64 isize u8 u16 u32 u64 usize;
    i32 as Int32: i8 i16 i32 i64 isize u8 u16 u32 u64 usize;
    u32 as Uint32: i8 i16 i32 i64 isize u8 u16 u32 u64 usize;
    bool as Bool: bool;
    String as String: String Box<str> Arc<str> PathBuf;
    Vec<u8> as Bytes: Vec<u8> Box<[u8]> Arc<[u8]> Bytes;
}

#[cfg(feature = "uuid")]
wrappers! { String as String: uuid::Uuid; }

#[cfg(test)]
mod tests {
    use prost::encoding;

    use super::super::field_tests::{put_refusal, refusal, round_trip, take};
    use super::*;
    use crate::schema::kind::{Optional, Repeated};

    type DurationField = Optional<Message<prost_types::Duration>>;
    type TimestampField = Optional<Message<prost_types::Timestamp>>;

    fn message(message: &impl prost::Message) -> Vec<u8> {
        let mut bytes = Vec::new();
        encoding::message::encode(1, message, &mut bytes);
        bytes
    }

    fn duration(seconds: i64, nanos: i32) -> Vec<u8> {
        message(&prost_types::Duration { seconds, nanos })
    }

    fn timestamp(seconds: i64, nanos: i32) -> Vec<u8> {
        message(&prost_types::Timestamp { seconds, nanos })
    }

    #[test]
    fn durations_are_as_prost_writes_them() {
        for (seconds, nanos) in
            [(0, 0), (0, 1), (1, 0), (59, 999_999_999), (MAX_DURATION_SECONDS, 999_999_999)]
        {
            let value = Duration::new(seconds as u64, nanos as u32);
            round_trip::<DurationField, Duration>(&value, &duration(seconds, nanos));
            round_trip::<DurationField, Option<Duration>>(&Some(value), &duration(seconds, nanos));
        }
        round_trip::<DurationField, Option<Duration>>(&None, &[]);
        assert_eq!(refusal::<DurationField, Duration>(&[]), "is missing");
    }

    #[test]
    fn a_duration_out_of_range_is_refused_both_ways() {
        assert_eq!(
            refusal::<DurationField, Duration>(&duration(-1, 0)),
            "seconds: -1 is not in 0 to 315576000000 (byte 1 of 13)"
        );
        let error = refusal::<DurationField, Duration>(&duration(MAX_DURATION_SECONDS + 1, 0));
        assert!(error.starts_with("seconds: 315576000001 is not in 0 to 315576000000"), "{error}");
        for nanos in [-1, 1_000_000_000, i32::MIN, i32::MAX] {
            let error = refusal::<DurationField, Duration>(&duration(0, nanos));
            let expected = format!("nanos: {nanos} is not in 0 to 999999999 (byte 1 of ");
            assert!(error.starts_with(&expected), "{error}");
        }
        for seconds in [MAX_DURATION_SECONDS as u64 + 1, u64::MAX] {
            assert_eq!(
                put_refusal::<DurationField, Duration>(&Duration::from_secs(seconds)),
                format!("seconds: {seconds} is not in 0 to 315576000000")
            );
        }
    }

    #[test]
    fn a_duration_message_is_read_strictly() {
        assert_eq!(
            refusal::<DurationField, Duration>(&[0x0a, 2, 0x18, 1]),
            "google.protobuf.Duration has no field 3 (byte 3 of 4)"
        );
        assert_eq!(
            refusal::<DurationField, Duration>(&[0x0a, 4, 0x08, 1, 0x08, 1]),
            "seconds: is there twice (byte 5 of 6)"
        );
        assert_eq!(
            refusal::<DurationField, Duration>(&[0x0a, 5, 0x15, 1, 0, 0, 0]),
            "nanos: has wire type 32-bit, expected varint (byte 3 of 7)"
        );
        // In another order, and with a default written out.
        let value: Duration = take::<DurationField, _>(&[0x0a, 4, 0x10, 5, 0x08, 0]).unwrap();
        assert_eq!(value, Duration::from_nanos(5));
    }

    #[test]
    fn times_are_as_prost_writes_them_on_both_sides_of_1970() {
        for (seconds, nanos) in [
            (MIN_TIMESTAMP_SECONDS, 0),
            (-2, 1),
            (-1, 999_999_999),
            (-1, 0),
            (0, 0),
            (0, 1),
            (1_700_000_000, 123_456_789),
            (MAX_TIMESTAMP_SECONDS, 999_999_999),
        ] {
            let bytes = timestamp(seconds, nanos);
            let time: SystemTime = take::<TimestampField, _>(&bytes).unwrap();
            round_trip::<TimestampField, SystemTime>(&time, &bytes);
            let by_prost = SystemTime::try_from(prost_types::Timestamp { seconds, nanos }).unwrap();
            assert_eq!(time, by_prost);
        }
        round_trip::<TimestampField, Option<SystemTime>>(&None, &[]);
    }

    #[test]
    fn a_time_out_of_range_is_refused_both_ways() {
        for seconds in [MIN_TIMESTAMP_SECONDS - 1, MAX_TIMESTAMP_SECONDS + 1, i64::MIN, i64::MAX] {
            let error = refusal::<TimestampField, SystemTime>(&timestamp(seconds, 0));
            let expected =
                format!("seconds: {seconds} is not in -62135596800 to 253402300799 (byte 1 of ");
            assert!(error.starts_with(&expected), "{error}");
        }
        assert_eq!(
            refusal::<TimestampField, SystemTime>(&timestamp(0, -1)),
            "nanos: -1 is not in 0 to 999999999 (byte 1 of 13)"
        );
        let late = UNIX_EPOCH + Duration::from_secs(MAX_TIMESTAMP_SECONDS as u64 + 1);
        assert_eq!(
            put_refusal::<TimestampField, SystemTime>(&late),
            "seconds: 253402300800 is not in -62135596800 to 253402300799"
        );
        let early = UNIX_EPOCH
            - Duration::from_secs(MIN_TIMESTAMP_SECONDS.unsigned_abs())
            - Duration::from_nanos(1);
        assert_eq!(
            put_refusal::<TimestampField, SystemTime>(&early),
            "seconds: -62135596801 is not in -62135596800 to 253402300799"
        );
    }

    #[test]
    fn wrappers_are_as_prost_writes_them() {
        macro_rules! check {
            ($($wrapper:ty, $value:ty: $($sample:expr)*;)*) => {$($(
                let value: $value = $sample;
                let bytes = message(&<$wrapper>::try_from(value.clone()).unwrap());
                round_trip::<Optional<Message<$wrapper>>, $value>(&value, &bytes);
                round_trip::<Optional<Message<$wrapper>>, Option<$value>>(&Some(value), &bytes);
                round_trip::<Optional<Message<$wrapper>>, Option<$value>>(&None, &[]);
            )*)*};
        }
        check! {
            u64, u64: 0 1 u64::MAX;
            u64, u8: 0 255;
            i64, i64: 0 -1 i64::MIN;
            u32, u16: 0 65_535;
            i32, i32: 0 i32::MIN i32::MAX;
            f64, f64: 0.0 -0.0 1.5;
            f32, f32: 0.0 f32::MIN;
            bool, bool: false true;
            String, String: String::new() "жук".to_owned();
            Vec<u8>, Vec<u8>: vec![] vec![0, 255];
        }
    }

    #[test]
    fn a_wrapper_is_read_strictly() {
        type Wrapped = Optional<Message<u32>>;
        assert_eq!(
            refusal::<Wrapped, u8>(&[0x0a, 3, 0x08, 0x80, 0x02]),
            "value: 256 does not fit u8, which is 0 to 255 (byte 3 of 5)"
        );
        assert_eq!(
            refusal::<Wrapped, u32>(&[0x0a, 2, 0x10, 1]),
            "google.protobuf.UInt32Value has no field 2 (byte 3 of 4)"
        );
        assert_eq!(
            refusal::<Wrapped, u32>(&[0x0a, 4, 0x08, 1, 0x08, 1]),
            "value: is there twice (byte 5 of 6)"
        );
        assert_eq!(take::<Wrapped, u32>(&[0x0a, 2, 0x08, 0]).unwrap(), 0);
        assert_eq!(
            put_refusal::<Wrapped, i8>(&-1),
            "value: -1 does not fit uint32, which is 0 to 4294967295"
        );
    }

    #[test]
    fn an_empty_message_is_a_unit_and_has_no_fields() {
        round_trip::<Optional<Message<()>>, Option<()>>(&Some(()), &[0x0a, 0]);
        round_trip::<Optional<Message<()>>, Option<()>>(&None, &[]);
        round_trip::<Repeated<Message<()>>, Vec<()>>(&vec![(), ()], &[0x0a, 0, 0x0a, 0]);
        assert_eq!(
            refusal::<Optional<Message<()>>, ()>(&[0x0a, 2, 0x08, 1]),
            "google.protobuf.Empty has no field 1 (byte 3 of 4)"
        );
    }
}
