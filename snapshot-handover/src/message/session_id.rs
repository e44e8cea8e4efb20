//! The name of one hand-over.

use std::fmt;
use std::str::FromStr;

use snapshot_core::{Error, Origin};

/// The id of one hand-over, the same on both sides. A ledger accepts it once.
///
/// It has 1 to 64 characters: ASCII letters, digits, `-`, `_` and `.`. It does not begin with `.`,
/// because it is also the name of a file.
///
/// ```
/// use snapshot_handover::SessionId;
///
/// let id: SessionId = "migration-7".parse()?;
/// assert_eq!(id.as_str(), "migration-7");
/// assert!("../etc".parse::<SessionId>().is_err());
/// assert_ne!(SessionId::random(), SessionId::random());
/// # Ok::<(), snapshot_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(String);

impl SessionId {
    /// Returns the origin that hooks see.
    pub(crate) fn origin(&self) -> Origin {
        Origin::Handover { session: self.to_string().into() }
    }

    /// The maximum number of characters in an id.
    pub const MAX_LENGTH: usize = 64;

    /// Creates a random id (a UUID).
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SessionId {
    type Err = Error;

    /// Checks a text and converts it to an id.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`](snapshot_core::Code::InvalidArgument) if it is empty, too long or has
    /// another character.
    fn from_str(text: &str) -> Result<Self, Error> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_id = (1..=Self::MAX_LENGTH).contains(&text.len())
            && !text.starts_with('.')
            && text.chars().all(is_allowed);
        match is_id {
            true => Ok(Self(text.to_owned())),
            false => Err(Error::invalid(
                "a session id has 1 to 64 characters of A-Z, a-z, 0-9, `-`, `_` and `.`, and does not \
                 begin with `.`",
            )),
        }
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
