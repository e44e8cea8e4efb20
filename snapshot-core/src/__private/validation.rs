//! The user's functions, their errors, and the names in them.

use std::any::Any;
use std::fmt::Display;

use crate::error::Error;
use crate::payload::State;

/// Returns the name that a payload gives itself.
pub fn name_of<T: Display>(name: &T) -> String {
    name.to_string()
}

/// Returns the name of a payload that has none.
pub fn unnamed() -> Option<String> {
    None
}

pub(super) fn with_name(error: Error, name: Option<String>) -> Error {
    match name {
        Some(name) if !name.is_empty() => error.with_name(&name),
        _ => error,
    }
}

/// Calls `validate` with a state that was read.
pub fn validate<E: Display + 'static>(
    result: Result<(), E>,
    name: impl FnOnce() -> Option<String>,
) -> Result<(), Error> {
    match result {
        Ok(()) => Ok(()),
        Err(error) => Err(with_name(refusal(error), name())),
    }
}

/// Converts the error of a user's function: keeps it if it is an [`Error`], and its text otherwise.
#[cold]
pub(crate) fn refusal<E: Display + 'static>(error: E) -> Error {
    let text = error.to_string();
    match (Box::new(error) as Box<dyn Any>).downcast::<Error>() {
        Ok(error) => *error,
        Err(_) => Error::invalid(text),
    }
}

/// Returns the message of a state that can be saved.
#[track_caller]
pub fn message_of<S: State>(state: &S) -> S::Message {
    match state.to_message() {
        Ok(message) => message,
        Err(error) => panic!("the state cannot be saved: {error}"),
    }
}

/// The impls of a type whose derive failed are never run.
#[cold]
pub fn not_derived() -> Error {
    Error::internal("the derive of this type has failed")
}
