//! Converts panics of the program's own functions to errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt as _;
use snapshot_core::Error;

/// Runs a function of the program. A panic becomes an error with the name of the function.
pub(crate) fn caught<T>(name: &str, run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // The program is responsible for whatever a panic has left half done: the library only passes
    // it on.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(panicked(name, &*panic)))
}

/// Runs an async function of the program in the same way.
pub(crate) async fn caught_later<T>(
    name: &str,
    run: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let run = AssertUnwindSafe(run).catch_unwind().await;
    run.unwrap_or_else(|panic| Err(panicked(name, &*panic)))
}

fn panicked(name: &str, panic: &(dyn Any + Send)) -> Error {
    Error::internal(format!("{name} panicked: {}", text(panic)))
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}
