//! Reads a ledger from outside of the process that uses it.

use std::path::Path;

use snapshot_core::Error;

use super::{FileStore, Record, file};
use crate::SessionId;
use crate::decision::{Side, Written};

/// The entry of one session in a ledger's folder.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// The session.
    pub session: SessionId,
    /// Its record, or the error of reading it.
    pub record: Result<Record, Error>,
    /// Whether a process uses the ledger now.
    pub alive: bool,
}

impl Status {
    /// Returns the facts about this side for a [`verdict`](crate::decision::verdict()).
    pub fn side(&self) -> Side {
        let written = match &self.record {
            Ok(record) => Written::Mark(record.mark),
            Err(_) => Written::Unreadable,
        };
        Side { written, alive: self.alive }
    }
}

/// Reads the sessions of a ledger's folder without opening the ledger, for a status command. A
/// process that uses the ledger is not disturbed.
///
/// # Errors
///
/// If there is no ledger in the folder, or it cannot be listed. An unreadable record is not an
/// error here.
pub fn status(folder: impl AsRef<Path>) -> Result<Vec<Status>, Error> {
    let folder = folder.as_ref();
    let alive = FileStore::is_used(folder)?;
    let of = |session: SessionId| {
        let record = file::read(folder, &session)
            .and_then(|bytes| Record::decode(&session, &bytes.unwrap_or_default()));
        Status { session, record, alive }
    };
    Ok(file::list(folder)?.into_iter().map(of).collect())
}
