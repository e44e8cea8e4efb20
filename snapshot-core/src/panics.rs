//! Catches panics of user code.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Error;

/// Runs user code and converts a panic to an error.
///
/// A panic can leave values partly changed. Such a value is either dropped, or it is in a lock of the user,
/// who decides how to handle poisoning.
#[inline]
pub(crate) fn caught<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    ADAPTER.set(None);
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(panicked(panic)))
}

/// Runs user code, such as a subscriber of `tracing`, and discards a panic, which the panic hook has already
/// reported. Returns `None` after a panic.
#[inline]
pub(crate) fn quietly<T>(run: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run)).map_err(discard).ok()
}

/// Runs the destructor of a value of the user.
///
/// # Errors
///
/// If it panics.
pub(crate) fn drop_of<T>(value: T) -> Result<(), Error> {
    caught(|| {
        drop(value);
        Ok(())
    })
    .map_err(|error| error.explained("when it was dropped, "))
}

/// Converts a panic to an error.
#[cold]
#[inline(never)]
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Error {
    match (ADAPTER.take(), text_of(panic)) {
        (None, None) => Error::internal("panicked"),
        (None, Some(text)) => Error::internal(format!("panicked: {text}")),
        (Some(field), text) => {
            let text = text.as_deref().unwrap_or("its payload is not a text");
            Error::internal(format!("the adapter of the field {field} panicked: {text}"))
        }
    }
}

/// Returns the text of a panic and drops its payload.
pub(crate) fn text_of(panic: Box<dyn Any + Send>) -> Option<String> {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    discard(panic);
    text
}

/// Drops the payload of a panic. If the destructor panics in turn, the second payload is leaked, because its
/// destructor might panic as well.
fn discard(panic: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
}

thread_local! {
    /// The field whose adapter has panicked, until an error is created for it.
    static ADAPTER: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// A guard that is held during the conversion by an adapter, so that the error of a panic names the field.
/// The guard is forgotten after the adapter returns, so that it costs nothing.
pub(crate) struct InAdapter(&'static str);

impl InAdapter {
    #[inline(always)]
    pub(crate) const fn of(field: &'static str) -> Self {
        Self(field)
    }

    /// Ends the guard after the adapter has returned.
    #[inline(always)]
    pub(crate) fn end(self) {
        std::mem::forget(self);
    }
}

impl Drop for InAdapter {
    fn drop(&mut self) {
        if std::thread::panicking() {
            ADAPTER.set(Some(self.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    fn error_of(run: impl FnOnce()) -> String {
        let result = caught(|| {
            run();
            Ok(())
        });
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_panic_is_an_error_whatever_it_carries() {
        /// Panics when it is dropped, this many times.
        struct Bomb(u32);

        impl Drop for Bomb {
            fn drop(&mut self) {
                if self.0 > 0 {
                    panic_any(Bomb(self.0 - 1));
                }
            }
        }

        assert_eq!(error_of(|| panic!("text")), "panicked: text");
        assert_eq!(error_of(|| panic!("text {}", 2)), "panicked: text 2");
        assert_eq!(error_of(|| panic_any(7)), "panicked");
        for bombs in 0..4 {
            assert_eq!(error_of(|| panic_any(Bomb(bombs))), "panicked");
            assert!(quietly(|| panic_any(Bomb(bombs))).is_none());
        }
        assert_eq!(quietly(|| 7), Some(7));
    }

    #[test]
    fn a_panic_of_an_adapter_names_the_field_and_no_later_one_does() {
        let in_adapter = || {
            let _adapter = InAdapter::of("limit");
            panic!("no such limit");
        };
        let _ = catch_unwind(in_adapter);
        assert_eq!(error_of(|| panic!("other")), "panicked: other");
        assert_eq!(error_of(in_adapter), "the adapter of the field limit panicked: no such limit");
        InAdapter::of("limit").end();
        assert_eq!(error_of(|| panic!("other")), "panicked: other");
    }
}
