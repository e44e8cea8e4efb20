//! `google.protobuf.Duration` and `Timestamp`, as the types of `std` and as prost's own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{no_such_field, put_member};
use crate::Error;
use crate::codec::{Reader, Single, Tag, Wire, Writer, size, take_once};
use crate::schema::ValueForm;
use crate::schema::kind::{self, Message, WireType};

/// The maximum of `google.protobuf.Duration`, 10,000 years of 365.25 days.
const MAX_DURATION_SECONDS: i64 = 315_576_000_000;
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the ends of `google.protobuf.Timestamp`.
const MIN_TIMESTAMP_SECONDS: i64 = -62_135_596_800;
const MAX_TIMESTAMP_SECONDS: i64 = 253_402_300_799;
const NANOS_PER_SECOND: i32 = 1_000_000_000;

/// The field numbers of both.
const SECONDS: u32 = 1;
const NANOS: u32 = 2;

/// Writes a message with `seconds = 1` and `nanos = 2`, the form of both `Duration` and
/// `Timestamp`.
fn put_time(seconds: i64, nanos: i32, w: &mut Writer) -> Result<(), Error> {
    w.message(|w| {
        put_member::<kind::Int32, _>(&nanos, NANOS, w)?;
        put_member::<kind::Int64, _>(&seconds, SECONDS, w)
    })
}

/// Returns the number of bytes that [`put_time`] writes, if the seconds are not negative.
#[inline]
fn time_size(seconds: u64, nanos: u32) -> usize {
    let field = |value| if value == 0 { 0 } else { size::tag(1) + size::varint(value) };
    size::delimited(field(seconds) + field(nanos.into()))
}

fn take_time(r: &mut Reader<'_>, name: &'static str) -> Result<(i64, i32), Error> {
    r.message(|r| {
        let mut seconds = None;
        let mut nanos = None;
        // Nearly always there is nothing else.
        if r.passes_tag(SECONDS, WireType::Varint) {
            let tag = Tag { number: SECONDS, wire_type: WireType::Varint };
            take_seconds(&mut seconds, tag, r)?;
        }
        while let Some(tag) = r.tag()? {
            match tag.number {
                SECONDS => take_seconds(&mut seconds, tag, r)?,
                NANOS => {
                    let left = r.remaining();
                    take_once::<kind::Int32, i32>(&mut nanos, tag, r)
                        .map_err(|error| in_member(error, "nanos", left, r))?;
                }
                number => {
                    return Err(r.locate(no_such_field(name, number), r.offset()));
                }
            }
        }
        Ok((seconds.unwrap_or(0), nanos.unwrap_or(0)))
    })
}

#[inline]
fn take_seconds(seconds: &mut Option<i64>, tag: Tag, r: &mut Reader<'_>) -> Result<(), Error> {
    let left = r.remaining();
    take_once::<kind::Int64, i64>(seconds, tag, r)
        .map_err(|error| in_member(error, "seconds", left, r))
}

/// Adds the place to an error in a member that started when `left` bytes were left.
#[cold]
#[inline(never)]
fn in_member(error: Error, field: &'static str, left: usize, r: &Reader<'_>) -> Error {
    r.locate(error, r.offset_before(left)).in_field(field)
}

/// Returns the fraction of a second, which is never negative.
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
    // In seconds.
    const FORM: ValueForm = ValueForm::integer(0, MAX_DURATION_SECONDS as i128);

    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        match i64::try_from(self.as_secs()) {
            Ok(seconds @ 0..=MAX_DURATION_SECONDS) => {
                put_time(seconds, self.subsec_nanos() as i32, w)
            }
            _ => Err(seconds_out_of_range(self.as_secs(), 0, MAX_DURATION_SECONDS)),
        }
    }

    #[inline]
    fn size(&self) -> usize {
        time_size(self.as_secs(), self.subsec_nanos())
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
        let nanos = check_timestamp(seconds, nanos)?;
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

/// Returns the nanoseconds of a timestamp that is in range.
fn check_timestamp(seconds: i64, nanos: i32) -> Result<u32, Error> {
    match seconds {
        MIN_TIMESTAMP_SECONDS..=MAX_TIMESTAMP_SECONDS => check_nanos(nanos),
        _ => Err(timestamp_out_of_range(seconds.into())),
    }
}

fn timestamp_out_of_range(seconds: i128) -> Error {
    seconds_out_of_range(seconds, MIN_TIMESTAMP_SECONDS, MAX_TIMESTAMP_SECONDS)
}

/// Returns whole seconds since 1970, rounded down, and the remaining nanoseconds.
pub(in crate::codec) fn since_epoch(time: SystemTime) -> (i128, u32) {
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

impl Single for prost_types::Duration {}

/// For values that `std` cannot hold, such as a negative duration, and as an intermediate type for
/// those of other crates: `#[snapshot(with = module)]`. Seconds and nanoseconds must have the same
/// sign.
impl Wire<Message<Self>> for prost_types::Duration {
    const LEAF: bool = true;

    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        check_signed(self.seconds, self.nanos)?;
        put_time(self.seconds, self.nanos, w)
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        let (seconds, nanos) = take_time(r, "google.protobuf.Duration")?;
        check_signed(seconds, nanos)?;
        Ok(Self { seconds, nanos })
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn check_signed(seconds: i64, nanos: i32) -> Result<(), Error> {
    if seconds.unsigned_abs() > MAX_DURATION_SECONDS as u64 {
        return Err(seconds_out_of_range(seconds, -MAX_DURATION_SECONDS, MAX_DURATION_SECONDS));
    }
    if nanos.unsigned_abs() >= NANOS_PER_SECOND as u32 {
        let reason = format!("{nanos} is not in -999999999 to 999999999");
        return Err(Error::invalid(reason).in_field("nanos"));
    }
    // Nanoseconds count away from 0, as the seconds do.
    if seconds.signum() * i64::from(nanos.signum()) < 0 {
        let reason = format!("{nanos} has another sign than the seconds, {seconds}");
        return Err(Error::invalid(reason).in_field("nanos"));
    }
    Ok(())
}

impl Single for prost_types::Timestamp {}

/// As an intermediate type for those of other crates: `#[snapshot(with = module)]`.
impl Wire<Message<Self>> for prost_types::Timestamp {
    const LEAF: bool = true;

    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        check_timestamp(self.seconds, self.nanos)?;
        put_time(self.seconds, self.nanos, w)
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        let (seconds, nanos) = take_time(r, "google.protobuf.Timestamp")?;
        check_timestamp(seconds, nanos)?;
        Ok(Self { seconds, nanos })
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use prost::encoding;

    use super::*;
    use crate::codec::field_tests::{put_refusal, refusal, round_trip, take};
    use crate::schema::kind::Optional;

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
            "seconds: occurs twice (byte 5 of 6)"
        );
        assert_eq!(
            refusal::<DurationField, Duration>(&[0x0a, 5, 0x15, 1, 0, 0, 0]),
            "nanos: has wire type 32-bit, expected varint (byte 3 of 7)"
        );
        // In another order, and with a default that is written.
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
    fn the_prost_types_hold_all_that_is_valid_and_nothing_else() {
        use prost_types::{Duration, Timestamp};
        for (seconds, nanos) in
            [(0, 0), (0, -1), (-1, -999_999_999), (1, 5), (-MAX_DURATION_SECONDS, 0)]
        {
            let value = Duration { seconds, nanos };
            round_trip::<DurationField, Duration>(&value, &duration(seconds, nanos));
        }
        for (seconds, nanos, expected) in [
            (1, -1, "nanos: -1 has another sign than the seconds, 1"),
            (-1, 1, "nanos: 1 has another sign than the seconds, -1"),
            (-1, i32::MIN, "nanos: -2147483648 is not in -999999999 to 999999999"),
            (i64::MIN, 0, "seconds: -9223372036854775808 is not in -315576000000 to 315576000000"),
        ] {
            let value = Duration { seconds, nanos };
            assert_eq!(put_refusal::<DurationField, Duration>(&value), expected);
            let error = refusal::<DurationField, Duration>(&duration(seconds, nanos));
            assert!(error.starts_with(expected), "{error}");
        }
        let value = Timestamp { seconds: -1, nanos: 999_999_999 };
        round_trip::<TimestampField, Timestamp>(&value, &timestamp(-1, 999_999_999));
        let value = Timestamp { seconds: 0, nanos: -1 };
        assert_eq!(
            put_refusal::<TimestampField, Timestamp>(&value),
            "nanos: -1 is not in 0 to 999999999"
        );
    }
}
