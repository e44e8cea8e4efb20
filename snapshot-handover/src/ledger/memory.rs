//! A store for tests, with faults.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use snapshot_core::Error;

use super::{Store, Unwritten};
use crate::SessionId;
use crate::decision::Mark;

/// A fault in a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// Reported as failed, and the old record remains.
    Fails,
    /// Reported as failed, but the new record is written.
    FailsAndIsThere,
    /// Reported as failed, and the record is damaged.
    FailsAndTears,
    /// Reported as done, but the old record remains. A [`Store`] must never do this.
    IsLost,
}

/// Keeps records in memory, for tests. Clones share the records, so that a test can "restart" a side
/// with a new [`Ledger`](super::Ledger) over a clone.
///
/// ```
/// use snapshot_handover::decision::Mark;
/// use snapshot_handover::ledger::{Ledger, MemoryStore, Role, WriteFault};
///
/// let store = MemoryStore::new();
/// store.fail(Mark::Given, WriteFault::Fails);
/// let ledger = Ledger::over(store);
/// let mut entry = ledger.begin(&"migration-7".parse()?, Role::Source)?;
/// assert!(entry.record(Mark::Given, None).is_err());
/// # Ok::<(), snapshot_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    records: BTreeMap<SessionId, Vec<u8>>,
    faults: Vec<(Mark, WriteFault)>,
}

impl MemoryStore {
    /// Creates a store without records.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes every write of this mark fail in this way, until [`MemoryStore::heal`].
    pub fn fail(&self, mark: Mark, fault: WriteFault) {
        self.lock().faults.push((mark, fault));
    }

    /// Ends all faults. Records that are lost or damaged stay so.
    pub fn heal(&self) {
        self.lock().faults.clear();
    }

    /// Damages a record, as a disk does.
    pub fn damage(&self, session: &SessionId) {
        if let Some(record) = self.lock().records.get_mut(session) {
            tear(record);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tear(record: &mut Vec<u8>) {
    record.truncate(record.len() / 2);
}

impl Store for MemoryStore {
    fn write(&self, session: &SessionId, record: &[u8]) -> Result<(), Unwritten> {
        let mut inner = self.lock();
        let mark = super::Record::decode(session, record).map(|record| record.mark).ok();
        let fault = inner.faults.iter().find(|(of, _)| Some(*of) == mark).map(|&(_, fault)| fault);
        let failed = || Error::internal(format!("{session}: the write fails, as requested"));
        let mut record = record.to_vec();
        match fault {
            Some(WriteFault::Fails) => return Err(Unwritten::unchanged(failed())),
            Some(WriteFault::IsLost) => return Ok(()),
            Some(WriteFault::FailsAndTears) => tear(&mut record),
            None | Some(WriteFault::FailsAndIsThere) => {}
        }
        inner.records.insert(session.clone(), record);
        match fault {
            None => Ok(()),
            Some(_) => Err(Unwritten::unsure(failed())),
        }
    }

    fn read(&self, session: &SessionId) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.lock().records.get(session).cloned())
    }

    fn sessions(&self) -> Result<Vec<SessionId>, Error> {
        Ok(self.lock().records.keys().cloned().collect())
    }
}
