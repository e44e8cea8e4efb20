//! Converts panics of the program's own functions to errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use snapshot_core::Error;

/// Runs a function of the program. A panic becomes an error with the name of the function.
pub(crate) fn caught<T>(name: &str, run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // The program is responsible for whatever a panic has left half done: the library only passes
    // it on.
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(Error::internal(format!("{name} panicked: {}", text(&*panic)))))
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}
