//! One hook that runs, with its deadline, and with its panics kept in.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::timer::Sleep;
use crate::caught::panicked;
use crate::controller::{Hook, HookFuture};
use crate::{Code, ControllerId, Error};

/// How a hook ended.
pub(super) struct Ended {
    pub(super) unit: usize,
    pub(super) took: Duration,
    pub(super) result: Result<(), Error>,
}

/// A hook that runs. A panic in it goes no further, whether it is polled or dropped.
pub(super) struct HookRun {
    pub(super) unit: usize,
    pub(super) id: ControllerId,
    pub(super) hook: Hook,
    pub(super) began: Instant,
    /// How long it may take.
    pub(super) limit: Duration,
    /// `None` when it has ended.
    pub(super) future: Option<HookFuture<'static>>,
    /// When its time is up; `None` if it has no deadline.
    pub(super) deadline: Option<Sleep>,
}

impl HookRun {
    fn drop_future(&mut self) -> Result<(), Error> {
        let future = self.future.take();
        catch_unwind(AssertUnwindSafe(|| drop(future))).map_err(|panic| panicked(&*panic))
    }

    fn poll_hook(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let Some(future) = &mut self.future else { return Poll::Pending };
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        match polled {
            Ok(Poll::Ready(result)) => return Poll::Ready(result.and(self.drop_future())),
            Ok(Poll::Pending) => {}
            Err(panic) => {
                // What is left of it may panic again.
                let _ = self.drop_future();
                let error = panicked(&*panic);
                return Poll::Ready(Err(error));
            }
        }
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        if Pin::new(deadline).poll(cx).is_pending() {
            return Poll::Pending;
        }
        let reason = format!("{} did not return within {:?}", self.hook.as_str(), self.limit);
        let late = Error::new(Code::DeadlineExceeded, reason);
        Poll::Ready(Err(match self.drop_future() {
            Ok(()) => late,
            Err(error) => late.and(error),
        }))
    }
}

impl Future for HookRun {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        self.poll_hook(cx).map(|result| {
            self.deadline = None;
            Ended { unit: self.unit, took: self.began.elapsed(), result }
        })
    }
}

impl Drop for HookRun {
    fn drop(&mut self) {
        if let Err(error) = self.drop_future() {
            let phase = self.hook.phase().as_str();
            tracing::error!(controller = %self.id, phase, %error, "panicked while it was cut short");
        }
    }
}
