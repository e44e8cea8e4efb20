//! Drives a phase: runs its hooks in order, and concurrently where the order permits.

mod left_out;
mod ready;

use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Instant;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tracing::level_filters::LevelFilter;

use self::ready::Ready;
use super::Phase;
use super::fault;
use super::hook_run::{self, Begun, Ended, HookRun};
use super::in_flight::InFlight;
use super::journal::{HowEnded, Journal};
use super::progress::{self, Span, tell};
use super::recorder::Recorder;
use super::session::{Limits, Session};
use super::timer::{Sleep, Watch};
use super::tree::Tree;
use super::waiting::Waiting;
use crate::controller::{ByAddress, Contexts, Hook, HookFuture, Node};
use crate::controller::{Raised, Signal};
use crate::panics::quietly;
use crate::{Code, Error};

/// One run of a hook over a tree.
pub(super) struct Sweep<'a> {
    hook: Hook,
    phase: Phase,
    limits: Limits,
    tree: &'a Tree,
    session: &'a Session,
    journal: &'a mut Journal,
    contexts: &'a Contexts,
    /// The types that are known to leave the hook out, by the addresses of their infos.
    left_out: ByAddress<()>,
    recorder: Recorder<'a>,
    /// Per step, how many steps it still waits for; `None` if each waits for its parent alone.
    blockers: Option<Vec<u32>>,
    ready: Ready,
    /// The hooks that wait for something.
    running: FuturesUnordered<HookRun<'a>>,
    in_flight: Arc<InFlight>,
    /// The waits for the states, whose stages are set when a hook has ended.
    locks: Arc<Waiting>,
    /// Tells the hooks to stop.
    stop: Arc<Signal>,
    cause: Option<Error>,
}

/// An event for which the driver waits.
enum Event {
    Ended(Ended),
    Cancelled,
    Overdue,
    GraceOver,
}

/// The watches that end the driver's wait for hooks.
struct Watches {
    cancelled: Option<Raised>,
    deadline: Option<Sleep>,
    grace: Option<Sleep>,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(
        hook: Hook,
        tree: &'a Arc<Tree>,
        session: &'a Session,
        journal: &'a mut Journal,
        contexts: &'a Contexts,
        stop: Arc<Signal>,
    ) -> Self {
        journal.open(hook);
        let blockers = tree.plan.blockers(hook.first());
        let mut ready = Ready::default();
        match &blockers {
            Some(blockers) => {
                let free = blockers.iter().enumerate().filter(|(_, count)| **count == 0);
                ready.extend(free.map(|(step, _)| step));
            }
            None => ready.push(0),
        }
        let limits = session.limits(hook.phase());
        let locks = Waiting::of_session(hook.phase(), session);
        locks.know(Arc::clone(tree) as _);
        Self {
            hook,
            phase: hook.phase(),
            limits,
            tree,
            session,
            recorder: Recorder::new(session, &tree.plan, hook.phase()),
            journal,
            contexts,
            left_out: ByAddress::default(),
            blockers,
            ready,
            running: FuturesUnordered::new(),
            in_flight: Arc::new(InFlight::new(hook.phase(), tree, limits.per_hook, locks.board())),
            locks,
            stop,
            cause: None,
        }
    }

    /// Returns the number of controllers that the hook concerns.
    pub(super) fn concerned(&self) -> usize {
        let units = 0..self.tree.nodes().len();
        units.filter(|&unit| self.journal.concerns(self.hook, unit)).count()
    }

    /// Runs the hooks.
    ///
    /// # Errors
    ///
    /// As [`run`](super::phase::run).
    pub(super) async fn drive(&mut self) -> Result<(), Error> {
        let mut watches = Watches { cancelled: None, deadline: None, grace: None };
        if self.hook.can_stop() {
            watches.cancelled = Some(self.session.cancel_signal().raised());
            let alarm = self.in_flight.phase_alarm(&self.stop, self.limits.whole);
            watches.deadline = Sleep::after(self.limits.whole, Some(alarm))?;
        }
        let _watch = match self.in_flight.next_look(Instant::now()) {
            Some(due) => self.timed(Watch::from(due, Arc::clone(&self.in_flight) as _))?,
            None => None,
        };
        let _lock_watch = self.timed(self.locks.watch())?;
        let locks = Arc::clone(&self.locks);
        loop {
            if self.hook.can_stop() && self.cause.is_none() && self.is_cancelled() {
                self.fail(self.cancelled());
            }
            let due = watches.deadline.as_ref().map(Sleep::due);
            let interrupted = match self.goes_on() {
                true => {
                    let start = |task: &mut task::Context<'_>| {
                        Poll::Ready(locks.during(|| self.start_ready(due, task)))
                    };
                    poll_fn(start).await
                }
                false => None,
            };
            self.in_flight.end_first();
            if self.cause.is_some() && self.hook.can_stop() && watches.grace.is_none() {
                watches.cancelled = None;
                watches.grace = Sleep::after(self.limits.grace, None)?;
            }
            let event = match interrupted {
                Some(event) => event,
                None if self.goes_on() && self.has_room() && !self.ready.is_empty() => continue,
                None if self.running.is_empty() => break,
                None => self.next(&mut watches).await,
            };
            match event {
                Event::Ended(ended) => {
                    self.in_flight.end_waiting(ended.unit);
                    locks.during(|| self.end(ended));
                }
                Event::Cancelled => self.fail(self.cancelled()),
                Event::Overdue => {
                    self.fail(self.overdue());
                    self.cut_short();
                    break;
                }
                Event::GraceOver => {
                    self.cut_short();
                    break;
                }
            }
        }
        match self.cause.take() {
            Some(cause) => Err(cause),
            None => Ok(()),
        }
    }

    /// Returns whether more hooks are to be started.
    fn goes_on(&self) -> bool {
        self.cause.is_none() || !self.hook.can_stop()
    }

    fn is_cancelled(&self) -> bool {
        self.session.cancel_signal().is_raised()
    }

    fn has_room(&self) -> bool {
        self.running.len() < self.limits.max_in_flight
    }

    async fn next(&mut self, watches: &mut Watches) -> Event {
        poll_fn(|cx| {
            if let Some(cancelled) = &mut watches.cancelled
                && Pin::new(cancelled).poll(cx).is_ready()
            {
                return Poll::Ready(Event::Cancelled);
            }
            if let Some(deadline) = &mut watches.deadline
                && Pin::new(deadline).poll(cx).is_ready()
            {
                return Poll::Ready(Event::Overdue);
            }
            match self.running.poll_next_unpin(cx) {
                Poll::Ready(Some(ended)) => return Poll::Ready(Event::Ended(ended)),
                Poll::Ready(None) | Poll::Pending => {}
            }
            if let Some(grace) = &mut watches.grace
                && Pin::new(grace).poll(cx).is_ready()
            {
                return Poll::Ready(Event::GraceOver);
            }
            Poll::Pending
        })
        .await
    }

    /// Starts all hooks that are ready, even if one fails: they run concurrently. Those that become
    /// ready meanwhile follow after the driver's next look around.
    fn start_ready(&mut self, due: Option<Instant>, task: &mut task::Context<'_>) -> Option<Event> {
        let interrupted = self.start_each(due, task);
        self.recorder.publish();
        interrupted
    }

    fn start_each(&mut self, due: Option<Instant>, task: &mut task::Context<'_>) -> Option<Event> {
        let mut now = Instant::now();
        let is_watched = LevelFilter::current() >= LevelFilter::DEBUG
            || self.session.observer().is_some()
            || !self.session.faults().is_empty();
        let mut turns = self.ready.len();
        while turns > 0 && self.has_room() {
            let Some(&Range { start: step, .. }) = self.ready.first() else { break };
            if !self.has_hook(step) {
                self.ready.take(1);
                turns -= 1;
                self.release(step..step + 1);
                continue;
            }
            // Checked before every start, so that both are noticed even if no hook ever waits.
            if self.hook.can_stop() {
                if self.cause.is_none() && self.is_cancelled() {
                    return Some(Event::Cancelled);
                }
                if due.is_some_and(|due| due <= now) {
                    return Some(Event::Overdue);
                }
            }
            let passed = if is_watched { 0 } else { self.pass_by(turns, now) };
            if passed > 0 {
                turns -= passed;
                now = Instant::now();
                continue;
            }
            self.ready.take(1);
            turns -= 1;
            now = match is_watched {
                true => self.start_watched(step, task),
                false => self.start_quietly(step, now, task),
            };
        }
        None
    }

    /// Returns whether a step is a unit that the hook concerns.
    fn has_hook(&self, step: usize) -> bool {
        step < self.tree.nodes().len() && self.journal.concerns(self.hook, step)
    }

    /// Starts a hook that nobody observes, as nearly all are, and polls it once. Returns the time
    /// after that.
    #[inline]
    fn start_quietly(
        &mut self,
        unit: usize,
        began: Instant,
        task: &mut task::Context<'_>,
    ) -> Instant {
        if let Err(error) = self.journal.begin(self.hook, unit, self.tree) {
            return self.not_begun(unit, began, error);
        }
        let (hook, tree, contexts) = (self.hook, self.tree, self.contexts);
        self.in_flight.begin(unit);
        let span = Span::none();
        let make = || tree.nodes()[unit].hook(hook, contexts.of(unit));
        let begun = hook_run::begin(make, &span, task);
        self.in_flight.end_first();
        let ended = Instant::now();
        let how = self.note_left_out(unit);
        match begun {
            Begun::Ended(Ok(())) => match self.journal.end(hook, unit, tree, (how, Ok(()))) {
                Ok(()) => {
                    self.recorder.record(unit..unit + 1, began, ended, true);
                    self.release(unit..unit + 1);
                }
                Err(error) => self.ended(unit, began, ended, Err(error)),
            },
            Begun::Ended(result) => self.end(Ended { unit, began, ended, how, result }),
            Begun::Waits(future) => self.wait_for(unit, began, span, future),
        }
        ended
    }

    /// Does the same with a span, an observer or an injected fault.
    fn start_watched(&mut self, unit: usize, task: &mut task::Context<'_>) -> Instant {
        if let Err(error) = self.journal.begin(self.hook, unit, self.tree) {
            return self.not_begun(unit, Instant::now(), error);
        }
        tell(self.session.observer(), self.phase, Some(self.tree.id(unit)), |observer| {
            observer.controller_started(self.phase, self.tree.id(unit));
        });
        // The observer's time does not count as the hook's.
        let began = Instant::now();
        let (hook, session, cx) = (self.hook, self.session, self.contexts.of(unit));
        let node: &'a dyn Node = &*self.tree.nodes()[unit];
        let span = progress::span(|| {
            tracing::debug_span!(
                "controller",
                controller = %self.tree.id(unit),
                type_url = self.tree.plan.info(unit).type_url,
                phase = self.phase.as_str()
            )
        });
        self.in_flight.begin(unit);
        let make = || -> HookFuture<'a> {
            Box::pin(async move {
                node.hook(hook, cx).await?;
                let (faults, cancel) = (session.faults(), session.cancel_signal());
                fault::happen(faults, cancel, cx, hook.can_stop()).await
            })
        };
        let begun = hook_run::begin(make, &span, task);
        self.in_flight.end_first();
        let ended = Instant::now();
        let how = self.note_left_out(unit);
        match begun {
            Begun::Ended(result) => self.end(Ended { unit, began, ended, how, result }),
            Begun::Waits(future) => self.wait_for(unit, began, span, future),
        }
        ended
    }

    /// Records a hook that was not called, because its controller could not be put into the stage
    /// before it.
    #[cold]
    fn not_begun(&mut self, unit: usize, began: Instant, error: Error) -> Instant {
        let (ended, how) = (Instant::now(), HowEnded::ByItself);
        self.end(Ended { unit, began, ended, how, result: Err(error) });
        ended
    }

    /// Stores a hook that waits, and gives it a timer.
    fn wait_for(&mut self, unit: usize, began: Instant, span: Span, future: HookFuture<'a>) {
        self.in_flight.wait(unit);
        let mut run = HookRun {
            unit,
            began,
            hook: self.hook,
            cx: self.contexts.of(unit),
            span,
            future: Some(future),
            limit: self.limits.per_hook,
            deadline: None,
        };
        let armed = run.arm(self.in_flight.hook_alarm(unit));
        match self.timed(armed) {
            Ok(_) => self.running.push(run),
            Err(error) => {
                self.in_flight.end_waiting(unit);
                let (ended, how) = (Instant::now(), HowEnded::CutShort);
                self.end(Ended { unit, began, ended, how, result: Err(error) });
            }
        }
    }

    /// Returns the watch of the timer thread, or `None` for an end that continues without a
    /// timer: no controller may stay frozen or uncommitted because a thread could not be started.
    ///
    /// # Errors
    ///
    /// If there is no timer, in a phase that can be undone.
    fn timed<T>(&self, watched: Result<T, Error>) -> Result<Option<T>, Error> {
        match watched {
            Ok(watched) => Ok(Some(watched)),
            Err(error) if self.hook.can_stop() => Err(error),
            Err(error) => {
                let (phase, error) = (self.phase.as_str(), error.on_one_line());
                quietly(|| tracing::error!(phase, %error, "the phase goes on without deadlines"));
                Ok(None)
            }
        }
    }

    /// Releases the steps that wait only for these.
    fn release(&mut self, steps: Range<usize>) {
        let Self { tree, blockers, ready, .. } = self;
        let first = self.hook.first();
        let Some(blockers) = blockers else {
            return tree.plan.each_after(first, steps, |after| ready.push(after));
        };
        tree.plan.each_after(first, steps, |after| {
            let blockers = &mut blockers[after];
            *blockers -= 1;
            if *blockers == 0 {
                ready.push(after);
            }
        });
    }

    fn end(&mut self, Ended { unit, began, ended, how, result }: Ended) {
        let result = self.journal.end(self.hook, unit, self.tree, (how, result));
        self.ended(unit, began, ended, result);
    }

    /// Handles the end of a hook, which its journal entry already records.
    fn ended(&mut self, unit: usize, began: Instant, ended: Instant, result: Result<(), Error>) {
        let result = result.map_err(|error| error.at_controller(self.tree.id(unit)));
        self.tell(unit, began, ended, result.as_ref().map(|&()| ()));
        match result {
            Ok(()) => self.release(unit..unit + 1),
            Err(error) => {
                // The error of a hook that was told to stop is a consequence, not the cause.
                if self.cause.is_none() || error.code() != Code::Cancelled {
                    self.fail(error);
                }
                if !self.hook.can_stop() {
                    self.release(unit..unit + 1);
                }
            }
        }
    }

    fn tell(&mut self, unit: usize, began: Instant, ended: Instant, result: Result<(), &Error>) {
        let took = ended.saturating_duration_since(began);
        let (id, type_url) = (self.tree.id(unit), self.tree.plan.info(unit).type_url);
        let phase = self.phase.as_str();
        quietly(|| match result {
            Ok(()) => tracing::debug!(controller = %id, type_url, phase, ?took, "hook done"),
            Err(error) => {
                tracing::error!(controller = %id, type_url, phase, ?took, error = %error.on_one_line(), "hook failed");
            }
        });
        self.recorder.record(unit..unit + 1, began, ended, result.is_ok());
        self.recorder.publish();
        tell(self.session.observer(), self.phase, Some(id), |observer| {
            observer.controller_ended(self.phase, id, result);
        });
    }

    fn fail(&mut self, error: Error) {
        if self.hook.can_stop() {
            self.stop.raise();
        }
        self.cause = Some(match self.cause.take() {
            Some(cause) => cause.and(error),
            None => error,
        });
    }

    /// Drops the running hooks. Their journal entries already say that they did not end.
    fn cut_short(&mut self) {
        self.in_flight.clear();
        for run in std::mem::take(&mut self.running) {
            let error = Error::new(Code::Cancelled, "was cut short");
            let error = error.at_controller(self.tree.id(run.unit));
            let (unit, began) = (run.unit, run.began);
            drop(run);
            let error = match self.journal.put_back(self.hook, unit, self.tree) {
                Ok(()) => error,
                Err(put_back) => error.and(put_back.at_controller(self.tree.id(unit))),
            };
            self.tell(unit, began, Instant::now(), Err(&error));
        }
    }

    #[cold]
    fn cancelled(&self) -> Error {
        let reason = format!("cancelled during the {} phase", self.phase);
        Error::new(Code::Cancelled, reason)
    }

    #[cold]
    fn overdue(&self) -> Error {
        let (phase, limit) = (self.phase, self.limits.whole);
        let why = match self.in_flight.names() {
            none if none.is_empty() => "some of its hooks have not begun".to_owned(),
            waiting => format!("it waits for {waiting}"),
        };
        Error::new(
            Code::DeadlineExceeded,
            format!("the {phase} phase did not end within {limit:?}, {why}"),
        )
    }
}
