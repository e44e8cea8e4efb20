//! Telling an observer how far a migration is.

use std::ops::Deref;

use tracing::span;

use crate::caught::{caught, quietly};
use crate::controller::Phase;
use crate::error::Error;
use crate::path::ControllerId;

/// Observes a migration, for a progress bar for instance. Called on the thread that drives the
/// phase, between hooks: it must not block. A panic in it is logged, with the phase and the controller
/// that it was called for, and goes no further.
#[allow(unused_variables, reason = "the names document the arguments")]
pub trait Progress: Send + Sync {
    /// A phase starts; so many controllers have a hook to run in it.
    fn phase_started(&self, phase: Phase, controllers: usize) {}

    /// The hook of a controller starts.
    fn controller_started(&self, phase: Phase, id: &ControllerId) {}

    /// The hook of a controller has ended, by itself or because it was cut short.
    fn controller_ended(&self, phase: Phase, id: &ControllerId, result: Result<(), &Error>) {}

    /// A phase has ended.
    fn phase_ended(&self, phase: Phase, result: Result<(), &Error>) {}
}

/// Tells the observer of a phase, or of a controller in it, whatever it does.
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

/// A span whose end goes no further either if the subscriber panics.
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

/// Makes a span; none if the subscriber panics.
pub(crate) fn span(make: impl FnOnce() -> tracing::Span) -> Span {
    Span(quietly(make).unwrap_or_else(tracing::Span::none))
}

/// A span that this thread is in until this is dropped, whatever the subscriber does.
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
