//! Reports the progress of a migration to an observer.

use std::ops::Deref;

use tracing::span;

use crate::controller::Phase;
use crate::error::Error;
use crate::panics::{caught, quietly};
use crate::path::ControllerId;

/// Observes a migration, for instance for a progress bar. Its methods are called on the thread that
/// drives the phase, between hooks, so they must not block. A panic in one is logged, with the
/// phase and the controller, and has no other effect.
#[allow(unused_variables, reason = "the names document the arguments")]
pub trait Progress: Send + Sync {
    /// A phase starts, with a hook to run for this many controllers.
    fn phase_started(&self, phase: Phase, controllers: usize) {}

    /// The hook of a controller starts.
    fn controller_started(&self, phase: Phase, id: &ControllerId) {}

    /// The hook of a controller has ended, or was cut short.
    fn controller_ended(&self, phase: Phase, id: &ControllerId, result: Result<(), &Error>) {}

    /// A phase has ended.
    fn phase_ended(&self, phase: Phase, result: Result<(), &Error>) {}
}

/// Calls the observer for a phase, or for a controller in it. Its panics are caught.
pub(crate) fn tell(
    observer: Option<&dyn Progress>,
    phase: Phase,
    controller: Option<&ControllerId>,
    event: impl FnOnce(&dyn Progress),
) {
    let Some(observer) = observer else { return };
    let told = caught(|| {
        event(observer);
        Ok(())
    });
    if let Err(error) = told {
        let phase = phase.as_str();
        quietly(|| match controller {
            Some(id) => {
                tracing::error!(controller = %id, phase, %error, "the progress observer panicked");
            }
            None => tracing::error!(phase, %error, "the progress observer panicked"),
        });
    }
}

/// A span whose end is safe even if the subscriber panics.
pub(crate) struct Span(tracing::Span);

impl Span {
    pub(crate) const fn none() -> Self {
        Self(tracing::Span::none())
    }
}

impl Deref for Span {
    type Target = tracing::Span;

    fn deref(&self) -> &tracing::Span {
        &self.0
    }
}

impl Drop for Span {
    #[inline]
    fn drop(&mut self) {
        if !self.0.is_none() {
            let span = std::mem::replace(&mut self.0, tracing::Span::none());
            quietly(|| drop(span));
        }
    }
}

/// Creates a span; none if the subscriber panics.
pub(crate) fn span(make: impl FnOnce() -> tracing::Span) -> Span {
    Span(quietly(make).unwrap_or_else(tracing::Span::none))
}

/// The guard of a span that this thread has entered. A panic of the subscriber has no effect.
pub(crate) struct Entered<'s>(Option<span::Entered<'s>>);

impl<'s> Entered<'s> {
    #[inline]
    pub(crate) fn into(span: &'s Span) -> Self {
        match span.is_none() {
            true => Self(None),
            false => Self(quietly(|| span.enter())),
        }
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(entered) = self.0.take() {
            quietly(|| drop(entered));
        }
    }
}
