//! Observes a decoding: the payloads that it met, because only the Rust types know the possible
//! content of an `Any`; and the ignored fields, because only the derive knows the list in `ignore`.

use std::cell::RefCell;

use crate::codec::ReadScope;
use crate::schema::MessageDescriptor;

/// The observations of one decoding.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    /// Type URL and schema of every payload that was tried.
    pub(super) payloads: Vec<(&'static str, &'static MessageDescriptor)>,
    /// Where the tags of ignored and discarded fields start.
    pub(super) ignored: Vec<usize>,
}

/// The scope of a read that is watched.
#[derive(Debug, Default)]
pub(super) struct WatchedRead(RefCell<Sightings>);

impl WatchedRead {
    /// Returns what was seen.
    pub(super) fn into_watch(self) -> Sightings {
        self.0.into_inner()
    }
}

impl ReadScope for WatchedRead {
    fn payload(&self, type_url: &'static str, message: &'static MessageDescriptor) {
        self.0.borrow_mut().payloads.push((type_url, message));
    }

    fn ignored(&self, offset: usize) {
        self.0.borrow_mut().ignored.push(offset);
    }
}
