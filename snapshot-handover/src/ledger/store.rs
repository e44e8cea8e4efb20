//! The storage of a ledger's records.

use std::fmt;

use snapshot_core::Error;

use crate::SessionId;
use crate::decision::Event;

/// Stores one record for each session. It stores only bytes; the rules are those of a
/// [`Ledger`](super::Ledger).
///
/// # Guarantees
///
/// - When [`write`](Store::write) returns `Ok`, the record survives a crash of the process and of the
///   machine.
/// - After an error with [`Certainty::Unchanged`] the old record remains.
/// - [`read`](Store::read) returns the bytes of a write, whole, or bytes that differ from every one:
///   the ledger notices those by their digest. It returns `None` only if no write ever succeeded or
///   may have.
/// - No two processes use one store at the same time.
pub trait Store: Send + Sync {
    /// Replaces the record of a session.
    ///
    /// # Errors
    ///
    /// The reason why it could not be written, and whether the old record certainly remains.
    fn write(&self, session: &SessionId, record: &[u8]) -> Result<(), Unwritten>;

    /// Reads the record of a session; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    fn read(&self, session: &SessionId) -> Result<Option<Vec<u8>>, Error>;

    /// Returns the sessions with a record, in the order of their ids.
    ///
    /// # Errors
    ///
    /// If they cannot be listed.
    fn sessions(&self) -> Result<Vec<SessionId>, Error>;
}

/// Whether a failed write has left the old record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// The old record certainly remains.
    Unchanged,
    /// The new record may be written, or the record may be damaged.
    Unsure,
}

/// A record that could not be written.
#[derive(Clone, Debug)]
pub struct Unwritten {
    /// Whether the old record certainly remains.
    pub certainty: Certainty,
    /// The reason.
    pub error: Error,
}

impl Unwritten {
    /// Creates the error of a write that certainly left the old record.
    pub fn unchanged(error: Error) -> Self {
        Self { certainty: Certainty::Unchanged, error }
    }

    /// Creates the error of a write after which the new record may be written, or the record may be
    /// damaged.
    pub fn unsure(error: Error) -> Self {
        Self { certainty: Certainty::Unsure, error }
    }

    /// Returns the event for the decisions.
    pub fn event(&self) -> Event {
        match self.certainty {
            Certainty::Unchanged => Event::Unrecorded,
            Certainty::Unsure => Event::Unsure,
        }
    }
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Unwritten {}

impl From<Unwritten> for Error {
    fn from(unwritten: Unwritten) -> Self {
        unwritten.error
    }
}
