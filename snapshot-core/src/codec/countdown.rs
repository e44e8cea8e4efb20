//! The time that remains until a deadline.

use std::time::{Duration, Instant};

use super::{Reader, Sealed, Single, Wire, Writer};
use crate::Error;
use crate::schema::ValueForm;
use crate::schema::kind::Message;

/// The time that remains until a deadline. Use it in place of an [`Instant`](std::time::Instant),
/// which means nothing on another host.
///
/// A countdown runs until [`pause`](Self::pause). Pause it in `freeze`, so that every save of the
/// frozen tree has the same bytes, and let it [`run`](Self::run) again in `thaw` and `resume`. A
/// restored one is paused. So the blackout does not count: after the resume, as much time remains
/// as before the freeze.
///
/// It fits `google.protobuf.Duration`, and with [`remaining_millis`](super::remaining_millis) a `uint64`.
///
/// ```
/// use snapshot_core::codec::Countdown;
/// use std::time::{Duration, Instant};
///
/// let mut lease = Countdown::until(Instant::now() + Duration::from_secs(60));
/// lease.pause(); // in `freeze`
/// let remaining = lease.remaining();
/// assert!(remaining <= Duration::from_secs(60));
/// assert_eq!(lease.deadline(), None);
///
/// lease.run(); // in `thaw` and `resume`
/// assert!(lease.deadline().is_some_and(|deadline| deadline >= Instant::now()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Countdown {
    /// The remaining time when it began to run, or when it was paused.
    left: Duration,
    running_since: Option<Instant>,
}

impl Countdown {
    /// Creates a running countdown to a deadline. If the deadline has passed, nothing remains.
    pub fn until(deadline: Instant) -> Self {
        let now = Instant::now();
        Self { left: deadline.saturating_duration_since(now), running_since: Some(now) }
    }

    /// Creates a paused countdown with this much time left.
    pub fn paused(left: Duration) -> Self {
        Self { left, running_since: None }
    }

    /// Returns the remaining time; zero if the deadline has passed.
    pub fn remaining(&self) -> Duration {
        match self.running_since {
            Some(since) => self.left.saturating_sub(since.elapsed()),
            None => self.left,
        }
    }

    /// Returns the deadline. `None` while the countdown is paused, and if the system cannot
    /// represent it.
    pub fn deadline(&self) -> Option<Instant> {
        self.running_since.and_then(|since| since.checked_add(self.left))
    }

    /// Returns whether the countdown is paused.
    pub fn is_paused(&self) -> bool {
        self.running_since.is_none()
    }

    /// Pauses the countdown. Has no effect on a paused one.
    pub fn pause(&mut self) {
        *self = Self::paused(self.remaining());
    }

    /// Continues a paused countdown. Has no effect on a running one.
    pub fn run(&mut self) {
        self.running_since.get_or_insert_with(Instant::now);
    }
}

#[diagnostic::do_not_recommend]
impl Sealed for Countdown {}

impl Single for Countdown {}

/// The remaining time; for a running countdown, the time that remains at that moment.
impl Wire<Message<prost_types::Duration>> for Countdown {
    const LEAF: bool = true;
    const FORM: ValueForm =
        <Duration as Wire<Message<prost_types::Duration>>>::FORM.meaning("the time that remains");

    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        self.remaining().put(w)
    }

    fn size(&self) -> usize {
        self.left.size()
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        Duration::take(r).map(Self::paused)
    }

    fn is_default(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::field_tests::{put, round_trip};
    use super::*;
    use crate::schema::kind::Optional;

    type Field = Optional<Message<prost_types::Duration>>;

    #[test]
    fn a_paused_countdown_comes_back_with_what_remained() {
        round_trip::<Field, Countdown>(
            &Countdown::paused(Duration::new(3, 7)),
            b"\x0a\x04\x08\x03\x10\x07",
        );
        round_trip::<Field, Option<Countdown>>(&Some(Countdown::paused(Duration::ZERO)), b"\x0a\0");
    }

    #[test]
    fn a_paused_countdown_stands_still_and_a_running_one_does_not() {
        let mut countdown = Countdown::until(Instant::now() + Duration::from_secs(1_000_000));
        assert!(!countdown.is_paused());
        countdown.pause();
        let remaining = countdown.remaining();
        assert!(remaining <= Duration::from_secs(1_000_000) && !remaining.is_zero());
        assert_eq!(put::<Field, _>(&countdown).unwrap(), put::<Field, _>(&countdown).unwrap());
        assert_eq!(countdown.remaining(), remaining);
        countdown.run();
        let deadline = countdown.deadline().unwrap();
        assert!(deadline > Instant::now());
        countdown.run();
        assert_eq!(countdown.deadline(), Some(deadline));
    }

    #[test]
    fn of_a_deadline_that_is_over_nothing_remains() {
        let mut countdown = Countdown::until(Instant::now());
        countdown.pause();
        assert_eq!(countdown.remaining(), Duration::ZERO);
        let mut endless = Countdown::paused(Duration::MAX);
        endless.run();
        assert_eq!(endless.deadline(), None);
    }
}
