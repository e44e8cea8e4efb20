//! Saves a [`Countdown`](crate::codec::Countdown), or an `Option` of one, as the number of
//! milliseconds that remain.
//!
//! ```ignore
//! #[snapshot(with = codec::remaining_millis)]
//! lease: Countdown,
//! ```

use std::time::Duration;

use super::time::{Held, millis};
use crate::Error;
use crate::codec::Countdown;

/// Returns the remaining milliseconds, rounded up: the deadline never comes early.
///
/// # Errors
///
/// If there are more milliseconds than fit in a `u64`.
pub fn to_wire<T: Held<Countdown>>(countdown: &T) -> Result<T::Of<u64>, Error> {
    countdown.convert(|countdown| {
        const PART: Duration = Duration::from_nanos(999_999);
        let up = countdown.remaining().saturating_add(PART);
        let rest = Duration::from_nanos(u64::from(up.subsec_nanos() % 1_000_000));
        millis::to_wire(&(up - rest))
    })
}

/// Returns a paused countdown with this many milliseconds left.
///
/// # Errors
///
/// None.
pub fn from_wire<T: Held<Countdown>>(millis: T::Of<u64>) -> Result<T, Error> {
    T::recover(millis, |millis| Ok(Countdown::paused(Duration::from_millis(millis))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_millisecond_counts_as_a_whole() {
        for (nanos, millis) in [(0, 0), (1, 1), (1_000_000, 1), (1_000_001, 2)] {
            let countdown = Countdown::paused(Duration::from_nanos(nanos));
            assert_eq!(to_wire(&countdown).unwrap(), millis);
        }
        let back: Countdown = from_wire(1_500).unwrap();
        assert_eq!(back, Countdown::paused(Duration::from_millis(1_500)));
        assert_eq!(to_wire(&None::<Countdown>).unwrap(), None);
        let error = to_wire(&Countdown::paused(Duration::MAX)).unwrap_err().to_string();
        assert!(error.ends_with("is too long to count its milliseconds"), "{error}");
    }
}
