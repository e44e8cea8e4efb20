//! Telling an observer how far a migration is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::controller::Phase;
use crate::error::Error;
use crate::path::ControllerId;

/// Observes a migration, for a progress bar for instance. Called on the thread that drives the
/// phase, between hooks: it must not block. A panic in it is logged and goes no further.
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

/// Tells the observer, whatever it does.
pub(crate) fn tell(observer: Option<&dyn Progress>, event: impl FnOnce(&dyn Progress)) {
    if let Some(observer) = observer
        && catch_unwind(AssertUnwindSafe(|| event(observer))).is_err()
    {
        tracing::error!("the progress observer panicked");
    }
}
