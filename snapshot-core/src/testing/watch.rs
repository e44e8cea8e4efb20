//! What the codec shows of a decoding, beyond its result: which payloads it met, since only the Rust
//! types know what may be in an `Any`, and which fields it passed over, since only the derive knows what
//! `ignore` names.

use std::cell::RefCell;

use crate::codec::ReadScope;
use crate::schema::MessageDescriptor;

/// What was seen during one decoding.
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
