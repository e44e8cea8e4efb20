//! Saves time as a number of whole units.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Error;
use crate::codec::Countdown;
use crate::codec::well_known::since_epoch;

/// A `T` or an `Option` of one, so that an adapter also serves fields with presence.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a `{T}` nor an `Option` of it",
    label = "converts a `{T}`, not a `{Self}`"
)]
pub trait Held<T>: Sized {
    /// A `W` or an `Option` of one.
    type Of<W>;
    #[doc(hidden)]
    fn convert<W>(&self, to: fn(&T) -> Result<W, Error>) -> Result<Self::Of<W>, Error>;
    #[doc(hidden)]
    fn recover<W>(wire: Self::Of<W>, from: fn(W) -> Result<T, Error>) -> Result<Self, Error>;
}

macro_rules! held {
    ($($time:ty)*) => {$(
        impl Held<$time> for $time {
            type Of<W> = W;

            fn convert<W>(&self, to: fn(&$time) -> Result<W, Error>) -> Result<W, Error> {
                to(self)
            }

            fn recover<W>(wire: W, from: fn(W) -> Result<$time, Error>) -> Result<Self, Error> {
                from(wire)
            }
        }

        impl Held<$time> for Option<$time> {
            type Of<W> = Option<W>;

            fn convert<W>(&self, to: fn(&$time) -> Result<W, Error>) -> Result<Option<W>, Error> {
                self.as_ref().map(to).transpose()
            }

            fn recover<W>(
                wire: Option<W>,
                from: fn(W) -> Result<$time, Error>,
            ) -> Result<Self, Error> {
                wire.map(from).transpose()
            }
        }
    )*};
}

held! { Duration SystemTime Countdown }

const NANOS_PER_SECOND: u64 = 1_000_000_000;

#[cold]
fn not_whole(duration: &Duration, unit: &str) -> Error {
    Error::invalid(format!("{duration:?} is not a whole number of {unit}"))
}

/// Converts a duration to units. `PER_SECOND` is their number in a second.
fn to_units<const PER_SECOND: u64>(duration: &Duration, unit: &str) -> Result<u64, Error> {
    let nanos_per_unit = NANOS_PER_SECOND / PER_SECOND;
    let nanos = u64::from(duration.subsec_nanos());
    if nanos % nanos_per_unit != 0 {
        return Err(not_whole(duration, unit));
    }
    match duration.as_secs().checked_mul(PER_SECOND) {
        Some(units) => units.checked_add(nanos / nanos_per_unit),
        None => None,
    }
    .ok_or_else(|| Error::invalid(format!("{duration:?} is too long to count its {unit}")))
}

/// Returns the nearest whole number of units; the larger one if two are equally near.
fn to_nearest<const PER_SECOND: u64>(duration: &Duration, unit: &str) -> Result<u64, Error> {
    let nanos_per_unit = NANOS_PER_SECOND / PER_SECOND;
    let nanos = u64::from(duration.subsec_nanos());
    let rest = nanos % nanos_per_unit;
    let rounded = match rest >= nanos_per_unit.div_ceil(2) && rest > 0 {
        true => duration.checked_add(Duration::from_nanos(nanos_per_unit - rest)),
        false => duration.checked_sub(Duration::from_nanos(rest)),
    };
    to_units::<PER_SECOND>(&rounded.unwrap_or(Duration::new(duration.as_secs(), 0)), unit)
}

/// Converts units to a duration. Every number of units is one.
fn from_units<const PER_SECOND: u64>(units: u64) -> Duration {
    let nanos = units % PER_SECOND * (NANOS_PER_SECOND / PER_SECOND);
    Duration::new(units / PER_SECOND, nanos as u32)
}

macro_rules! units {
    ($($module:ident $unit:literal $per_second:literal;)*) => {$(
        #[doc = concat!("A [`Duration`](std::time::Duration), or an `Option` of one, as a whole number of ", $unit, ".")]
        pub mod $module {
            use super::{Duration, Error, Held, from_units, to_units};

            #[doc = concat!("Returns the number of ", $unit, ".")]
            ///
            /// # Errors
            ///
            /// If the duration is not a whole number of units, or has more of them than fit in a
            /// `u64`.
            pub fn to_wire<T: Held<Duration>>(duration: &T) -> Result<T::Of<u64>, Error> {
                duration.convert(|duration| to_units::<$per_second>(duration, $unit))
            }

            #[doc = concat!("Returns the duration of this many ", $unit, ".")]
            ///
            /// # Errors
            ///
            /// None.
            pub fn from_wire<T: Held<Duration>>(units: T::Of<u64>) -> Result<T, Error> {
                T::recover(units, |units| Ok(from_units::<$per_second>(units)))
            }
        }
    )*};
}

macro_rules! rounded_units {
    ($($module:ident of $exact:ident $unit:literal $per_second:literal;)*) => {$(
        #[doc = concat!(
            "A [`Duration`](std::time::Duration), or an `Option` of one, rounded to the nearest number of ",
            $unit, ". The restored value may differ by half of one; [`", stringify!($exact),
            "`](super::", stringify!($exact), ") refuses values that it would have to round."
        )]
        pub mod $module {
            use super::{Duration, Error, Held, from_units, to_nearest};

            #[doc = concat!("Returns the nearest number of ", $unit, ".")]
            ///
            /// # Errors
            ///
            /// If the duration has more units than fit in a `u64`.
            pub fn to_wire<T: Held<Duration>>(duration: &T) -> Result<T::Of<u64>, Error> {
                duration.convert(|duration| to_nearest::<$per_second>(duration, $unit))
            }

            #[doc = concat!("Returns the duration of this many ", $unit, ".")]
            ///
            /// # Errors
            ///
            /// None.
            pub fn from_wire<T: Held<Duration>>(units: T::Of<u64>) -> Result<T, Error> {
                T::recover(units, |units| Ok(from_units::<$per_second>(units)))
            }
        }
    )*};
}

rounded_units! {
    seconds_rounded of seconds "seconds" 1;
    millis_rounded of millis "milliseconds" 1_000;
    micros_rounded of micros "microseconds" 1_000_000;
}

units! {
    seconds "seconds" 1;
    millis "milliseconds" 1_000;
    micros "microseconds" 1_000_000;
    nanos "nanoseconds" 1_000_000_000;
}

/// Saves a [`SystemTime`](std::time::SystemTime), or an `Option` of one, as seconds since 1970,
/// negative before. A fraction of a second is dropped, towards the past; [`unix_seconds`] refuses
/// it.
pub mod unix_seconds_rounded {
    use super::{Duration, Error, Held, SystemTime, since_epoch, unix_seconds};

    /// Returns the second since 1970 that contains the time.
    ///
    /// # Errors
    ///
    /// If the second does not fit in an `i64`.
    pub fn to_wire<T: Held<SystemTime>>(time: &T) -> Result<T::Of<i64>, Error> {
        time.convert(|time| {
            let (_, nanos) = since_epoch(*time);
            let whole = time.checked_sub(Duration::from_nanos(nanos.into())).unwrap_or(*time);
            unix_seconds::to_wire(&whole)
        })
    }

    /// Returns the time this many seconds after 1970.
    ///
    /// # Errors
    ///
    /// If this system cannot represent the time.
    pub fn from_wire<T: Held<SystemTime>>(seconds: T::Of<i64>) -> Result<T, Error> {
        unix_seconds::from_wire(seconds)
    }
}

/// Saves a [`SystemTime`](std::time::SystemTime), or an `Option` of one, as whole seconds since
/// 1970, negative before.
pub mod unix_seconds {
    use super::{Duration, Error, Held, SystemTime, UNIX_EPOCH, since_epoch};

    /// Returns the seconds since 1970.
    ///
    /// # Errors
    ///
    /// If the time is not at a whole second.
    pub fn to_wire<T: Held<SystemTime>>(time: &T) -> Result<T::Of<i64>, Error> {
        time.convert(|time| match since_epoch(*time) {
            (seconds, 0) => i64::try_from(seconds).map_err(|_| out_of_range(seconds)),
            (seconds, nanos) => Err(Error::invalid(format!(
                "is {nanos} ns after second {seconds} since 1970, not at a whole second"
            ))),
        })
    }

    /// Returns the time this many seconds after 1970.
    ///
    /// # Errors
    ///
    /// If this system cannot represent the time.
    pub fn from_wire<T: Held<SystemTime>>(seconds: T::Of<i64>) -> Result<T, Error> {
        T::recover(seconds, |seconds: i64| {
            let distance = Duration::from_secs(seconds.unsigned_abs());
            match seconds {
                0.. => UNIX_EPOCH.checked_add(distance),
                _ => UNIX_EPOCH.checked_sub(distance),
            }
            .ok_or_else(|| out_of_range(seconds.into()))
        })
    }

    #[cold]
    fn out_of_range(seconds: i128) -> Error {
        Error::invalid(format!("second {seconds} since 1970 is out of range"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_in_whole_units() {
        let duration = Duration::from_millis(1_500);
        assert_eq!(millis::to_wire(&duration).unwrap(), 1_500);
        assert_eq!(micros::to_wire(&duration).unwrap(), 1_500_000);
        assert_eq!(nanos::to_wire(&duration).unwrap(), 1_500_000_000);
        assert_eq!(millis::from_wire::<Duration>(1_500).unwrap(), duration);
        assert_eq!(nanos::from_wire::<Duration>(1_500_000_000).unwrap(), duration);
        assert_eq!(
            seconds::to_wire(&duration).unwrap_err().to_string(),
            "1.5s is not a whole number of seconds"
        );
        assert_eq!(
            millis::to_wire(&Duration::from_micros(10)).unwrap_err().to_string(),
            "10µs is not a whole number of milliseconds"
        );
    }

    #[test]
    fn the_largest_counts_are_read_and_larger_durations_are_not_saved() {
        for from_wire in [seconds::from_wire, millis::from_wire, micros::from_wire] {
            let duration: Duration = from_wire(u64::MAX).unwrap();
            assert!(duration > Duration::from_secs(u64::MAX / 1_000_000 - 1));
        }
        let longest: Duration = nanos::from_wire(u64::MAX).unwrap();
        assert_eq!(nanos::to_wire(&longest).unwrap(), u64::MAX);
        let error = nanos::to_wire(&(longest + Duration::from_nanos(1))).unwrap_err().to_string();
        assert_eq!(error, "18446744073.709551616s is too long to count its nanoseconds");
        let error = millis::to_wire(&Duration::from_secs(u64::MAX)).unwrap_err().to_string();
        assert!(error.ends_with("is too long to count its milliseconds"), "{error}");
    }

    #[test]
    fn rounding_adapters_take_the_nearest_unit() {
        for (nanos, millis) in [(0, 0), (499_999, 0), (500_000, 1), (1_000_000, 1), (1_499_999, 1)]
        {
            assert_eq!(millis_rounded::to_wire(&Duration::from_nanos(nanos)).unwrap(), millis);
        }
        assert_eq!(seconds_rounded::to_wire(&Duration::from_millis(1_500)).unwrap(), 2);
        assert_eq!(seconds_rounded::to_wire(&Duration::MAX).unwrap(), u64::MAX);
        assert_eq!(micros_rounded::to_wire(&Duration::from_nanos(1_499)).unwrap(), 1);
        assert_eq!(millis_rounded::to_wire(&None::<Duration>).unwrap(), None);
        let back: Duration = millis_rounded::from_wire(7).unwrap();
        assert_eq!(back, Duration::from_millis(7));
        let error = micros_rounded::to_wire(&Duration::MAX).unwrap_err().to_string();
        assert!(error.ends_with("is too long to count its microseconds"), "{error}");
        for (time, second) in [
            (UNIX_EPOCH + Duration::from_millis(1_999), 1),
            (UNIX_EPOCH - Duration::from_nanos(1), -1),
        ] {
            assert_eq!(unix_seconds_rounded::to_wire(&time).unwrap(), second);
        }
        let back: SystemTime = unix_seconds_rounded::from_wire(-1).unwrap();
        assert_eq!(back, UNIX_EPOCH - Duration::from_secs(1));
    }

    #[test]
    fn absence_stays_absence() {
        assert_eq!(millis::to_wire(&None::<Duration>).unwrap(), None);
        assert_eq!(millis::from_wire::<Option<Duration>>(None).unwrap(), None);
        let some = Some(Duration::ZERO);
        assert_eq!(millis::from_wire::<Option<Duration>>(Some(0)).unwrap(), some);
        assert_eq!(millis::to_wire(&some).unwrap(), Some(0));
    }

    #[test]
    fn times_are_counted_in_seconds_on_both_sides_of_1970() {
        for seconds in [-86_401, -1, 0, 1, 1_700_000_000] {
            let time: SystemTime = unix_seconds::from_wire(seconds).unwrap();
            assert_eq!(unix_seconds::to_wire(&time).unwrap(), seconds);
        }
        let error =
            unix_seconds::to_wire(&(UNIX_EPOCH - Duration::from_nanos(1))).unwrap_err().to_string();
        assert_eq!(error, "is 999999999 ns after second -1 since 1970, not at a whole second");
    }
}
