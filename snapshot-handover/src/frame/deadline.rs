//! A point in time, and the step that must end before it.

use std::future::Future;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use snapshot_core::{Code, Error};

use super::Timer;

/// The end of a step's time in a hand-over, and the name of the step for the error.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    began: Instant,
    budget: Duration,
    step: &'static str,
}

impl Deadline {
    /// Creates a deadline for a step that begins now. [`Duration::MAX`] means no deadline.
    pub fn after(budget: Duration, step: &'static str) -> Self {
        Self { began: Instant::now(), budget, step }
    }

    /// Returns the deadline of a part that begins now and has at most `budget`: the earlier of the
    /// two.
    #[must_use]
    pub fn part(&self, budget: Duration, step: &'static str) -> Self {
        match self.left() > budget {
            true => Self::after(budget, step),
            false => *self,
        }
    }

    /// Returns whether both are deadlines of the same step.
    pub(crate) fn is_for(&self, other: &Self) -> bool {
        self.step == other.step
    }

    /// Returns the time that is left.
    pub fn left(&self) -> Duration {
        self.budget.saturating_sub(self.began.elapsed())
    }

    /// Runs a future, and drops it if it has not ended in time.
    ///
    /// # Errors
    ///
    /// Those of the future, or [`Code::DeadlineExceeded`].
    pub(crate) async fn within<T>(
        self,
        timer: &dyn Timer,
        run: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let sleep = timer.sleep(self.left())?;
        match select(Box::pin(run), sleep).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(Error::new(
                Code::DeadlineExceeded,
                format!("{} took longer than {:?}", self.step, self.budget),
            )),
        }
    }
}
