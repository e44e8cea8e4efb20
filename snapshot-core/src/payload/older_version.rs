//! An older schema version of a payload.

use crate::schema::MessageDescriptor;

/// An older schema version that a payload still accepts, from `accept(...)`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OlderVersion {
    /// The version, at least 1.
    pub version: u32,
    /// The message of this version, which an `upgrade` function takes; `None` if the version uses the
    /// current message without the fields that were added later.
    pub message: Option<&'static MessageDescriptor>,
    /// Whether this build also saves this version, for a destination that reads no later one.
    pub saves: bool,
}

impl OlderVersion {
    /// Creates the description; for the derive.
    #[doc(hidden)]
    pub const fn new(
        version: u32,
        message: Option<&'static MessageDescriptor>,
        saves: bool,
    ) -> Self {
        Self { version, message, saves }
    }
}
