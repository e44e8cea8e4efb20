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
            Some(tag) => Err(no_such_field("google.protobuf.Empty", tag.number)),
        })
    }

    fn is_default(&self) -> bool {
        true
    }
}

/// Puts a wrapper: a message whose field 1 is the value.
fn put_wrapped<K: Kind, T: Wire<K>>(value: &T, w: &mut Writer) -> Result<(), Error> {
    let mark = w.position();
    put_member::<K, T>(value, 1, w)?;
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
