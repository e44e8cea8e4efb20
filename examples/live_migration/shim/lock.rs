//! Takes a lock.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Returns the content of a lock, even after a thread died holding it: no critical section here
/// leaves its data half changed.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
