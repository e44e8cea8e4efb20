//! Durable marks: the record of each side for a session. After a crash at any moment, it says which
//! side owns the tree.
//!
//! A [`Ledger`] enforces the rules: a session id is accepted once, a session belongs to one
//! conversation at a time, and an unreadable record is refused. A [`Store`] stores the bytes:
//! [`FileStore`] in a folder, [`MemoryStore`] for tests.
//!
//! ```
//! use snapshot_handover::decision::Mark;
//! use snapshot_handover::ledger::{Ledger, Role};
//! # let folder = tempfile::tempdir().unwrap();
//! # let folder = folder.path().join("source");
//!
//! let ledger = Ledger::open(&folder)?; // "/run/shim/source"
//! let session = "migration-7".parse()?;
//! let mut entry = ledger.begin(&session, Role::Source)?;
//! entry.record(Mark::Given, None)?;
//! drop(entry);
//!
//! // The id was used: a second hand-over under it is refused.
//! let error = ledger.begin(&session, Role::Source).unwrap_err();
//! assert!(error.error.to_string().contains("was already used"), "{error}");
//! assert_eq!(ledger.find(&session)?.unwrap().mark, Mark::Given);
//! # Ok::<(), snapshot_core::Error>(())
//! ```

mod file;
mod holders;
mod memory;
mod record;
mod status;
mod store;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use snapshot_core::Error;

pub use file::FileStore;
use holders::Holders;
pub use memory::{MemoryStore, WriteFault};
pub use record::{Record, Role};
pub use status::{Status, status};
pub use store::{Certainty, Store, Unwritten};

use crate::SessionId;
use crate::decision::Mark;
use crate::frame::{Deadline, Timer};
use crate::message::Failure;

/// The durable marks of one process. Clones share the ledger.
#[derive(Clone)]
pub struct Ledger {
    shared: Arc<SharedStore>,
}

struct SharedStore {
    store: Box<dyn Store>,
    holders: Holders,
}

impl Ledger {
    /// Opens a ledger in a folder, and creates the folder if it does not exist.
    ///
    /// # Errors
    ///
    /// As [`FileStore::open`]; in particular, if another process uses the folder.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, Error> {
        FileStore::open(folder).map(Self::over)
    }

    /// Creates a ledger over a store.
    pub fn over(store: impl Store + 'static) -> Self {
        Self {
            shared: Arc::new(SharedStore { store: Box::new(store), holders: Holders::default() }),
        }
    }

    /// Accepts a session id, once, and writes the mark [`Begun`](Mark::Begun).
    ///
    /// # Errors
    ///
    /// If the id was used before, even if its record cannot be read; or if the mark cannot be
    /// written.
    pub fn begin(&self, session: &SessionId, role: Role) -> Result<Entry, Unwritten> {
        let used = || {
            Unwritten::unchanged(Error::precondition(format!(
                "session {session} was already used: a hand-over needs a new session id"
            )))
        };
        if !self.shared.holders.take(session) {
            return Err(used());
        }
        let record = Record { session: session.clone(), role, mark: Mark::Begun, failure: None };
        let mut entry = Entry { ledger: self.clone(), record, settled: true };
        match self.shared.store.read(session) {
            Ok(None) => {}
            Ok(Some(_)) => return Err(used()),
            Err(error) => return Err(Unwritten::unchanged(error)),
        }
        entry.write()?;
        entry.settled = false;
        Ok(entry)
    }

    /// Reopens a session that an earlier conversation has left, to finish it.
    ///
    /// # Errors
    ///
    /// If there is no such session, its record cannot be read, or a conversation about it still
    /// runs.
    pub fn reopen(&self, session: &SessionId) -> Result<Entry, Error> {
        if !self.shared.holders.take(session) {
            return Err(Error::precondition(format!(
                "session {session} is not finished in this process: a conversation about it runs, or \
                 was dropped half-way. End that, then call `Ledger::release`"
            )));
        }
        let record = Record {
            session: session.clone(),
            role: Role::Source,
            mark: Mark::Begun,
            failure: None,
        };
        // Released again on every return.
        let entry = Entry { ledger: self.clone(), record, settled: true };
        match self.find(session)? {
            Some(record) => {
                let mut entry = entry;
                entry.record = record;
                Ok(entry)
            }
            None => Err(Error::precondition(format!(
                "this ledger has no session {session}: ask the side that it was offered to"
            ))),
        }
    }

    /// Waits until no conversation in this process holds the session.
    pub(crate) async fn free(
        &self,
        session: &SessionId,
        timer: &dyn Timer,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let free = self.shared.holders.free(session);
        let free = async {
            free.await;
            Ok(())
        };
        deadline.within(timer, free).await
    }

    /// Returns the record of a session; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If the record cannot be read.
    pub fn find(&self, session: &SessionId) -> Result<Option<Record>, Error> {
        let bytes = self.shared.store.read(session)?;
        bytes.map(|bytes| Record::decode(session, &bytes)).transpose()
    }

    /// Returns the ids of all sessions, in order.
    ///
    /// # Errors
    ///
    /// If the store cannot be listed.
    pub fn sessions(&self) -> Result<Vec<SessionId>, Error> {
        self.shared.store.sessions()
    }

    /// Declares that this process no longer runs anything of a session, although the future of its
    /// conversation was dropped half-way. Call it after
    /// [`Source::recover`](snapshot_core::Source::recover) or
    /// [`Abandoned::abort`](snapshot_core::Abandoned::abort), so that the session can be finished
    /// from its record, as after a restart.
    pub fn release(&self, session: &SessionId) {
        self.shared.holders.release(session);
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

/// The session of one conversation. Until the conversation has finished, no other in this process
/// gets it.
///
/// If it is dropped before [`finish`](Entry::finish), the session stays held until
/// [`Ledger::release`]: its tree may be frozen, or half taken over.
#[derive(Debug)]
pub struct Entry {
    ledger: Ledger,
    record: Record,
    settled: bool,
}

impl Entry {
    /// Returns the record, as it was last written, or as it should have been.
    pub fn current(&self) -> &Record {
        &self.record
    }

    /// Writes a mark, with the reason if the tree was not moved.
    ///
    /// # Errors
    ///
    /// The reason why it could not be written, and whether the old mark certainly remains.
    pub fn record(&mut self, mark: Mark, failure: Option<Failure>) -> Result<(), Unwritten> {
        self.record.mark = mark;
        self.record.failure = failure;
        self.write()
    }

    fn write(&self) -> Result<(), Unwritten> {
        let bytes = self.record.encode().map_err(Unwritten::unchanged)?;
        self.ledger.shared.store.write(&self.record.session, &bytes)
    }

    /// Ends the conversation. Later answers about the session come from the record.
    pub fn finish(mut self) {
        self.settled = true;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if self.settled {
            self.ledger.shared.holders.release(&self.record.session);
        } else {
            tracing::error!(
                session = %self.record.session,
                mark = self.record.mark.as_str(),
                "a hand-over was dropped half-way: take its tree back, then call Ledger::release",
            );
        }
    }
}
