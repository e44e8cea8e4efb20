//! The run of one hook, with its deadline. Its panics become errors.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use super::journal::HowEnded;
use super::progress::{Entered, Span};
use super::timer::{Alarm, Sleep};
use crate::controller::{Context, Hook, HookFuture};
use crate::panics::{panicked, quietly};
use crate::{Code, Error};

/// The end of a hook.
pub(super) struct Ended {
    pub(super) unit: usize,
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) how: HowEnded,
    pub(super) result: Result<(), Error>,
}

/// Creates the future of a hook and polls it for the first time, without a deadline: most hooks
/// return at once. If it waits, it becomes a [`HookRun`].
///
/// A panic in it becomes an error.
#[inline]
pub(super) fn begin<'c>(
    make: impl FnOnce() -> HookFuture<'c>,
    span: &Span,
    task: &mut task::Context<'_>,
) -> Begun<'c> {
    let _entered = Entered::into(span);
    let mut future = None;
    let mut result = None;
    let polled = catch_unwind(AssertUnwindSafe(|| {
        let running = future.insert(make());
        if let Poll::Ready(ready) = running.as_mut().poll(task) {
            result = Some(ready);
            future = None;
        }
    }));
    match (polled, result, future) {
        (Ok(()), Some(result), _) => Begun::Ended(result),
        (Ok(()), None, Some(future)) => Begun::Waits(future),
        // Every hook has either ended or waits.
        (Ok(()), None, None) => Begun::Ended(Err(Error::internal("a hook is gone"))),
        // The future has panicked when it was dropped.
        (Err(panic), Some(result), _) => Begun::Ended(result.and(Err(panicked(panic)))),
        (Err(panic), None, mut future) => {
            // The rest of the future may panic again.
            let _ = drop_future(&mut future);
            Begun::Ended(Err(panicked(panic)))
        }
    }
}

/// The progress of a hook after its first poll.
pub(super) enum Begun<'c> {
    Ended(Result<(), Error>),
    Waits(HookFuture<'c>),
}

/// A hook that waits. A panic in it becomes an error, whether it occurs in a poll or in the
/// destructor.
pub(super) struct HookRun<'c> {
    pub(super) unit: usize,
    pub(super) began: Instant,
    pub(super) hook: Hook,
    pub(super) cx: &'c Context,
    /// The span to enter while the hook runs or is dropped.
    pub(super) span: Span,
    /// `None` after its end.
    pub(super) future: Option<HookFuture<'c>>,
    /// The time that it may take.
    pub(super) limit: Duration,
    /// The end of its time; `None` if it has no deadline, or if that was not armed.
    pub(super) deadline: Option<Sleep>,
}

impl HookRun<'_> {
    /// Starts the deadline of a hook that waits.
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

    fn poll_hook(&mut self, task: &mut task::Context<'_>) -> Poll<(HowEnded, Result<(), Error>)> {
        let Self { span, future, deadline, .. } = self;
        let _entered = Entered::into(span);
        let Some(running) = future else { return Poll::Pending };
        let polled = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(task)));
        if let Poll::Ready(result) = after_poll(future, polled) {
            return Poll::Ready((HowEnded::ByItself, result));
        }
        let Some(deadline) = deadline else { return Poll::Pending };
        if Pin::new(deadline).poll(task).is_pending() {
            return Poll::Pending;
        }
        let reason = format!("{} did not return within {:?}", self.hook.as_str(), self.limit);
        let late = Error::new(Code::DeadlineExceeded, reason);
        let late = match drop_future(future) {
            Ok(()) => late,
            Err(error) => late.and(error),
        };
        Poll::Ready((HowEnded::CutShort, Err(late)))
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
            // The rest of the future may panic again.
            let _ = drop_future(future);
            Poll::Ready(Err(panicked(panic)))
        }
    }
}

fn drop_future(future: &mut Option<HookFuture<'_>>) -> Result<(), Error> {
    let Some(future) = future.take() else { return Ok(()) };
    catch_unwind(AssertUnwindSafe(|| drop(future))).map_err(panicked)
}

impl Future for HookRun<'_> {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Ended> {
        self.poll_hook(task).map(|(how, result)| {
            self.deadline = None;
            Ended { unit: self.unit, began: self.began, ended: Instant::now(), how, result }
        })
    }
}

impl Drop for HookRun<'_> {
    fn drop(&mut self) {
        let Self { span, future, .. } = self;
        if future.is_none() {
            return;
        }
        let _entered = Entered::into(span);
        if let Err(error) = drop_future(future) {
            let (id, phase) = (self.cx.id(), self.hook.phase().as_str());
            quietly(|| {
                let error = error.on_one_line();
                tracing::error!(controller = %id, phase, %error, "panicked while it was cut short");
            });
        }
    }
}
