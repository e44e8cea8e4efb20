//! One hook that runs, with its deadline, and with its panics kept in.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use tracing::Span;

use super::timer::{Alarm, Sleep};
use crate::caught::panicked;
use crate::controller::{Context, Hook, HookFuture};
use crate::{Code, Error};

/// How a hook ended.
pub(super) struct Ended {
    pub(super) unit: usize,
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) result: Result<(), Error>,
}

/// A hook that runs. A panic in it goes no further, whether it is polled or dropped.
pub(super) struct HookRun<'c> {
    pub(super) unit: usize,
    pub(super) began: Instant,
    hook: Hook,
    cx: &'c Context,
    /// Entered while the hook runs or is dropped.
    span: Span,
    /// `None` before it begins and when it has ended.
    future: Option<HookFuture<'c>>,
    /// How long it may take.
    limit: Duration,
    /// When its time is up; `None` if it has no deadline, and before it has to wait.
    deadline: Option<Sleep>,
}

impl<'c> HookRun<'c> {
    pub(super) fn new(
        hook: Hook,
        unit: usize,
        cx: &'c Context,
        span: Span,
        began: Instant,
        limit: Duration,
    ) -> Self {
        Self { unit, began, hook, cx, span, future: None, limit, deadline: None }
    }

    /// Makes the hook's future and polls it for the first time, without a deadline: most hooks
    /// return at once. One that does not is to be given one by [`HookRun::arm`].
    pub(super) fn begin(
        &mut self,
        make: impl FnOnce(&'c Context) -> HookFuture<'c>,
        task: &mut task::Context<'_>,
    ) -> Poll<Result<(), Error>> {
        let Self { cx, span, future, .. } = self;
        let _entered = span.enter();
        let polled = catch_unwind(AssertUnwindSafe(|| future.insert(make(cx)).as_mut().poll(task)));
        after_poll(future, polled)
    }

    /// Starts the clock of a hook that waits.
    ///
    /// # Errors
    ///
    /// If there is no timer.
    pub(super) fn arm(&mut self, alarm: Alarm) -> Result<(), Error> {
        if let Some(due) = self.began.checked_add(self.limit) {
            self.deadline = Some(Sleep::until(due, Some(alarm))?);
        }
        Ok(())
    }

    fn poll_hook(&mut self, task: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        let Self { span, future, deadline, .. } = self;
        let _entered = span.enter();
        let Some(running) = future else { return Poll::Pending };
        let polled = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(task)));
        if let Poll::Ready(result) = after_poll(future, polled) {
            return Poll::Ready(result);
        }
        let Some(deadline) = deadline else { return Poll::Pending };
        if Pin::new(deadline).poll(task).is_pending() {
            return Poll::Pending;
        }
        let reason = format!("{} did not return within {:?}", self.hook.as_str(), self.limit);
        let late = Error::new(Code::DeadlineExceeded, reason);
        Poll::Ready(Err(match drop_future(future) {
            Ok(()) => late,
            Err(error) => late.and(error),
        }))
    }
}

/// Drops the future of a hook that has ended.
fn after_poll(
    future: &mut Option<HookFuture<'_>>,
    polled: std::thread::Result<Poll<Result<(), Error>>>,
) -> Poll<Result<(), Error>> {
    match polled {
        Ok(Poll::Ready(result)) => Poll::Ready(result.and(drop_future(future))),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => {
            // What is left of it may panic again.
            let _ = drop_future(future);
            Poll::Ready(Err(panicked(&*panic)))
        }
    }
}

fn drop_future(future: &mut Option<HookFuture<'_>>) -> Result<(), Error> {
    let Some(future) = future.take() else { return Ok(()) };
    catch_unwind(AssertUnwindSafe(|| drop(future))).map_err(|panic| panicked(&*panic))
}

impl Future for HookRun<'_> {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Ended> {
        self.poll_hook(task).map(|result| {
            self.deadline = None;
            Ended { unit: self.unit, began: self.began, ended: Instant::now(), result }
        })
    }
}

impl Drop for HookRun<'_> {
    fn drop(&mut self) {
        let Self { span, future, .. } = self;
        if future.is_none() {
            return;
        }
        let _entered = span.enter();
        if let Err(error) = drop_future(future) {
            let (id, phase) = (self.cx.id(), self.hook.phase().as_str());
            tracing::error!(controller = %id, phase, %error, "panicked while it was cut short");
        }
    }
}
