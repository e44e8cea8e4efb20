//! Keeping the panics of user code in.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Error;

/// Runs user code; a panic becomes an error.
///
/// What the code has changed may be half changed: either it is dropped after a panic, or it is
/// behind a lock of the user, who decides about poisoning.
pub(crate) fn caught<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

/// The error for a panic.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    match text {
        Some(text) => Error::internal(format!("panicked: {text}")),
        None => Error::internal("panicked"),
    }
}
