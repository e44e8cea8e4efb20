//! What the codec tells the kit of a decoding, beyond its result: which payloads it met, since only
//! the Rust types know what may be in an `Any`, and which fields it passed over, since only the
//! derive knows what `ignore` names.

use std::cell::RefCell;

use crate::schema::{MessageDescriptor, Schema};
use crate::{Payload, State};

/// What was seen during one decoding.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Type URL and schema of every payload that was tried.
    pub(super) payloads: Vec<(&'static str, &'static MessageDescriptor)>,
    /// Where the tags of ignored and discarded fields start.
    pub(super) ignored: Vec<usize>,
}

thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

/// A payload of this type is about to be taken.
pub(crate) fn payload<P: Payload>() {
    WATCH.with_borrow_mut(|watch| {
        if let Some(watch) = watch {
            watch.payloads.push((P::TYPE_URL, <P as State>::Message::DESCRIPTOR));
        }
    });
}

/// An ignored or discarded field, whose tag starts at `offset`, was met.
pub(crate) fn ignored(offset: usize) {
    WATCH.with_borrow_mut(|watch| {
        if let Some(watch) = watch {
            watch.ignored.push(offset);
        }
    });
}

/// Runs `decode`, which does not panic, and gives what was seen.
pub(super) fn watching<T>(decode: impl FnOnce() -> T) -> (T, Watch) {
    WATCH.set(Some(Watch::default()));
    let result = decode();
    (result, WATCH.take().unwrap_or_default())
}
