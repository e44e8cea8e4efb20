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
    /// Whether this build also saves this version, for a destination that does not read a later
    /// one.
    pub saves: bool,
    /// The type URL of the payload in this version; `None` if it is the payload's own.
    pub type_url: Option<&'static str>,
}

impl OlderVersion {
    /// Creates the description; for the derive.
    #[doc(hidden)]
    pub const fn new(
        version: u32,
        message: Option<&'static MessageDescriptor>,
        saves: bool,
    ) -> Self {
        Self { version, message, saves, type_url: None }
    }

    /// Sets the version's own type URL; for the derive.
    #[doc(hidden)]
    pub const fn from(self, type_url: &'static str) -> Self {
        Self { type_url: Some(type_url), ..self }
    }
}
