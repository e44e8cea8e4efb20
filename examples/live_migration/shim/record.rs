//! What a side keeps of a migration on its own disk, so that it can be asked how it ended, also
//! after its shim has.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use snapshot_core::{Code, Error};
use snapshot_handover::decision::{Event, Mark, Side, Written};

use crate::shim::guest::at;
use crate::shim::identity::Identity;
use crate::shim::proof::Seen;
use crate::shim::protocol::{Failure, GuestProcess, Handed, Progressed};

/// A side's record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The migration's id, the same on both sides.
    pub(crate) migration: String,
    /// How far it is.
    #[serde(with = "mark")]
    pub(crate) mark: Mark,
    /// The shim that wrote this.
    pub(crate) shim: Identity,
    /// Why it was not moved.
    pub(crate) failure: Option<Failure>,
    /// The processes of the guest.
    pub(crate) processes: Vec<GuestProcess>,
    /// Destination: when the sandbox was its own.
    pub(crate) resumed: Option<Progressed>,
    /// What the source has to tell, on both sides once it was told.
    pub(crate) handed: Option<Box<Handed>>,
    /// Destination: what it has seen of the processes, at their end.
    pub(crate) seen: Vec<Seen>,
    #[serde(skip)]
    path: PathBuf,
}

impl Record {
    /// A new one, of this process, for a side with this folder. Nothing is written yet.
    ///
    /// # Errors
    ///
    /// This process cannot be identified.
    pub(crate) fn new(side: &Path, migration: &str) -> Result<Self, Error> {
        Ok(Self {
            migration: migration.to_owned(),
            mark: Mark::Begun,
            shim: own_identity()?,
            failure: None,
            processes: Vec::new(),
            resumed: None,
            handed: None,
            seen: Vec::new(),
            path: path(side),
        })
    }

    /// The record that a side has left, if it has.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub(crate) fn find(side: &Path) -> Result<Option<Self>, Error> {
        let path = path(side);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&path, error)),
        };
        let record: Self = serde_json::from_slice(&bytes).map_err(|error| {
            Error::new(Code::DataLoss, format!("{}: {error}", path.display())).with_source(error)
        })?;
        Ok(Some(Self { path, ..record }))
    }

    /// From now on this process writes it.
    ///
    /// # Errors
    ///
    /// The shim that wrote it still runs, or it cannot be written.
    pub(crate) fn take_over(&mut self) -> Result<(), Error> {
        if self.side().alive {
            return Err(Error::precondition(format!(
                "the shim of migration {} still runs, as process {}: end it first",
                self.migration, self.shim.pid
            )));
        }
        self.shim = own_identity()?;
        self.write()
    }

    /// Writes a mark. When this returns it is on disk: the old record or the new one is there after
    /// a crash at any moment, and never half of one.
    ///
    /// # Errors
    ///
    /// It cannot be written; and whether the old record is there for sure.
    pub(crate) fn mark(&mut self, mark: Mark) -> Result<(), Unwritten> {
        self.mark = mark;
        self.publish()
    }

    /// Writes what was added.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn write(&self) -> Result<(), Error> {
        self.publish().map_err(|unwritten| unwritten.error)
    }

    fn publish(&self) -> Result<(), Unwritten> {
        let unwritten = |event| move |error| Unwritten { event, error };
        let bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::internal(format!("the record cannot be written: {error}")))
            .map_err(unwritten(Event::Unrecorded))?;
        let new = self.path.with_extension("new");
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let write = || {
            std::fs::create_dir_all(folder)?;
            let mut file = File::create(&new)?;
            file.write_all(&bytes)?;
            file.sync_all()
        };
        let at = |error| at(&self.path, error);
        write().map_err(at).map_err(unwritten(Event::Unrecorded))?;
        let publish = || {
            std::fs::rename(&new, &self.path)?;
            File::open(folder)?.sync_all()
        };
        publish().map_err(at).map_err(unwritten(Event::Unsure))
    }

    /// What a verdict needs to know.
    pub(crate) fn side(&self) -> Side {
        Side { written: Written::Mark(self.mark), alive: self.shim.runs() }
    }
}

/// A mark that could not be written.
#[derive(Debug)]
pub(crate) struct Unwritten {
    /// `Unrecorded` if the old record is there for sure, or else `Unsure`.
    pub(crate) event: Event,
    /// Why.
    pub(crate) error: Error,
}

/// A mark as its name.
mod mark {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use snapshot_handover::decision::Mark;

    pub(super) fn serialize<S: Serializer>(mark: &Mark, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(mark.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Mark, D::Error> {
        let name = String::deserialize(from)?;
        let known =
            [Mark::Begun, Mark::Given, Mark::Live, Mark::Aborted, Mark::Committed, Mark::Kept];
        let mark = known.into_iter().find(|mark| mark.as_str() == name);
        mark.ok_or_else(|| D::Error::custom(format!("{name:?} is no mark of a migration")))
    }
}

fn path(side: &Path) -> PathBuf {
    side.join("migration.json")
}

fn own_identity() -> Result<Identity, Error> {
    Identity::of(std::process::id().cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_again_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let side = dir.path().join("source");
        assert!(Record::find(&side).unwrap().is_none());
        let mut record = Record::new(&side, "m").unwrap();
        assert!(Record::find(&side).unwrap().is_none(), "nothing is written before a mark");
        record.mark(Mark::Given).unwrap();
        let mut found = Record::find(&side).unwrap().unwrap();
        assert_eq!((found.migration.as_str(), found.mark), ("m", Mark::Given));
        assert!(found.side().alive);
        let refused = found.take_over().unwrap_err();
        assert!(refused.to_string().contains("still runs"), "{refused}");
    }

    #[test]
    fn a_record_of_a_shim_that_has_ended_can_be_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let mut record = Record::new(dir.path(), "m").unwrap();
        record.shim.start_time += 1;
        record.mark(Mark::Live).unwrap();
        let mut found = Record::find(dir.path()).unwrap().unwrap();
        assert!(!found.side().alive);
        found.take_over().unwrap();
        assert!(found.side().alive);
    }

    #[test]
    fn a_record_that_cannot_be_written_leaves_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut record = Record::new(dir.path(), "m").unwrap();
        record.mark(Mark::Begun).unwrap();
        // A folder is where the new one would be written.
        std::fs::create_dir(dir.path().join("migration.new")).unwrap();
        assert!(record.mark(Mark::Given).is_err());
        assert_eq!(Record::find(dir.path()).unwrap().unwrap().mark, Mark::Begun);
    }

    #[test]
    fn what_is_no_record_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("migration.json"), "{").unwrap();
        assert_eq!(Record::find(dir.path()).unwrap_err().code(), Code::DataLoss);
    }
}
