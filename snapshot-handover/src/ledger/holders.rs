//! The sessions that a conversation of this process holds.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::SessionId;

/// The sessions that are held, each with the waiters for it.
#[derive(Debug, Default)]
pub(super) struct Holders {
    held: Mutex<HashMap<SessionId, Vec<Waker>>>,
}

impl Holders {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Vec<Waker>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a session. Returns whether it was free.
    pub(super) fn take(&self, session: &SessionId) -> bool {
        let mut held = self.lock();
        let is_free = !held.contains_key(session);
        if is_free {
            held.insert(session.clone(), Vec::new());
        }
        is_free
    }

    /// Releases a session and wakes its waiters.
    pub(super) fn release(&self, session: &SessionId) {
        let waiting = self.lock().remove(session);
        waiting.into_iter().flatten().for_each(Waker::wake);
    }

    /// Waits until the session is free.
    pub(super) fn free<'a>(&'a self, session: &'a SessionId) -> impl Future<Output = ()> + 'a {
        poll_fn(move |cx| match self.lock().get_mut(session) {
            None => Poll::Ready(()),
            Some(waiting) => {
                if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                    waiting.push(cx.waker().clone());
                }
                Poll::Pending
            }
        })
    }
}
