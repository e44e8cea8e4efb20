//! The files of one side, from which a restarted shim finds its state.
//!
//! ```text
//! ledger/      the durable marks of the hand-overs; its lock is held by the shim that runs
//! checkpoint   the sandbox, as it was after its last change
//! arrived      destination: the sandbox as it came, until there is a checkpoint
//! offered      destination: the note of the source about it
//! command      the command line that starts this shim again
//! decision     an operator's answer to a source in doubt
//! ended        the sandbox has ended here, and the proof of its run
//! ```

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use snapshot_core::{Code, Error, WriteOptions};
use snapshot_handover::decision::Choice;
use snapshot_handover::ledger::{Record, Status, status};
use snapshot_handover::{Ledger, SessionId};

use crate::shim::confine::private_folder;
use crate::shim::guest::at;
use crate::shim::note::Ended;

/// The folder of one side.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    dir: PathBuf,
}

/// An operator's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Decision {
    session: String,
    commit: bool,
}

impl Side {
    /// Returns the side with this name, in the folder that both sides may share.
    pub(crate) fn of(dir: &Path, name: &str) -> Self {
        Self { dir: dir.join(name) }
    }

    /// Creates the folder, and opens its ledger: from now on no other shim has this side.
    ///
    /// # Errors
    ///
    /// If another shim has it, or the folder cannot be created.
    pub(crate) fn open(&self) -> Result<Ledger, Error> {
        private_folder(&self.dir)?;
        let ledger = self.open_ledger()?;
        let words: Vec<String> = std::env::args().map(|word| quoted(&word)).collect();
        // Without it, only a line of the status is missing.
        if let Err(error) = std::fs::write(self.dir.join("command"), words.join(" ")) {
            tracing::error!(%error, "the command line cannot be kept for the status");
        }
        Ok(ledger)
    }

    /// Opens the ledger.
    ///
    /// # Errors
    ///
    /// If a shim has it, or it cannot be read.
    pub(crate) fn open_ledger(&self) -> Result<Ledger, Error> {
        Ledger::open(self.ledger())
    }

    /// Returns the folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    fn ledger(&self) -> PathBuf {
        self.dir.join("ledger")
    }

    /// Returns the file of the checkpoint.
    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.dir.join("checkpoint")
    }

    /// Returns the file of the sandbox as it arrived.
    pub(crate) fn arrived(&self) -> PathBuf {
        self.dir.join("arrived")
    }

    /// Returns the file of the source's note about the sandbox.
    pub(crate) fn offered(&self) -> PathBuf {
        self.dir.join("offered")
    }

    /// Returns the command that starts its shim again.
    pub(crate) fn command(&self) -> Option<String> {
        std::fs::read_to_string(self.dir.join("command")).ok()
    }

    /// Reads the last hand-over in the ledger, and whether a shim has it, without opening it.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub(crate) fn look(&self) -> Result<Option<Look>, Error> {
        if !self.ledger().exists() {
            return Ok(None);
        }
        let mut sessions = status(self.ledger())?;
        let alive = match sessions.first() {
            Some(status) => status.alive,
            None => is_locked(&self.ledger().join("lock")),
        };
        Ok(Some(Look { alive, last: sessions.pop() }))
    }

    /// Returns the end of the sandbox here, if there is one.
    ///
    /// # Errors
    ///
    /// If the file exists but cannot be read.
    pub(crate) fn ended(&self) -> Result<Option<Ended>, Error> {
        read(&self.dir.join("ended"))
    }

    /// Records that the sandbox has ended here. There is nothing left to continue.
    pub(crate) fn end(&self, ended: &Ended) {
        let written = write(&self.dir.join("ended"), ended);
        if let Err(error) = written {
            tracing::error!(%error, "the end of the sandbox cannot be written down");
        }
        self.forget_sandbox();
    }

    /// Removes the files from which a sandbox could be continued.
    pub(crate) fn forget_sandbox(&self) {
        for path in [self.checkpoint(), self.arrived()] {
            // If the ledger says that the sandbox is not here, they are not used.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Removes the files that a destination has kept of a sandbox that is not its own.
    pub(crate) fn forget_arrival(&self) {
        for path in [self.arrived(), self.offered()] {
            // As in `forget_sandbox`.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Removes the files of a failed hand-over on this host. The files from which a sandbox could
    /// be continued stay: only the ledger says whether it is this side's.
    ///
    /// # Errors
    ///
    /// If one cannot be removed.
    pub(crate) fn clean(&self) -> Result<(), Error> {
        for part in ["bundles", "vms", "devices", "namespaces", "disks", "shares"] {
            let path = self.dir.join(part);
            match std::fs::remove_dir_all(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(at(&path, error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Stores an operator's answer for the shim.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn decide(&self, session: &SessionId, choice: Choice) -> Result<(), Error> {
        let commit = choice == Choice::Commit;
        write(&self.decision(), &Decision { session: session.to_string(), commit })
    }

    /// Returns the operator's answer about a hand-over, if there is one.
    pub(crate) fn decided(&self, session: &SessionId) -> Option<Choice> {
        let decision = read::<Decision>(&self.decision());
        let decision = decision.unwrap_or_else(|error| {
            tracing::error!(%error, "the operator's decision cannot be read");
            None
        });
        let decision = decision.filter(|decision| decision.session == session.as_str())?;
        Some(if decision.commit { Choice::Commit } else { Choice::Rollback })
    }

    fn decision(&self) -> PathBuf {
        self.dir.join("decision")
    }
}

/// A view of a ledger from outside.
pub(crate) struct Look {
    /// Whether a shim has it.
    pub(crate) alive: bool,
    /// Its last hand-over.
    pub(crate) last: Option<Status>,
}

fn is_locked(path: &Path) -> bool {
    let file = std::fs::File::open(path);
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
}

/// Returns the last hand-over of an open ledger.
///
/// # Errors
///
/// If its record cannot be read.
pub(crate) fn last(ledger: &Ledger) -> Result<Option<Record>, Error> {
    match ledger.sessions()?.last() {
        Some(session) => ledger.find(session),
        None => Ok(None),
    }
}

/// Returns a new id for a hand-over, which is higher than all earlier ones.
pub(crate) fn new_session() -> SessionId {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let random = SessionId::random();
    format!("{:014}-{random}", now.as_millis()).parse().unwrap_or(random)
}

/// Reads a JSON file; `None` if it does not exist.
///
/// # Errors
///
/// If it cannot be read or understood.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(path, error)),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        Error::new(Code::DataLoss, format!("{}: {error}", path.display())).with_source(error)
    })
}

/// Writes a JSON file, whole or not at all.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn write(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let json = serde_json::to_vec(value)
        .map_err(|error| Error::internal(format!("{}: {error}", path.display())))?;
    WriteOptions::new().replace(true).write_bytes_to_path(json, path)
}

/// Quotes a word of a command line for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use snapshot_handover::ledger::Role;

    use super::*;

    #[test]
    fn the_last_hand_over_is_the_one_that_began_last() {
        let dir = tempfile::tempdir().unwrap();
        let side = Side::of(dir.path(), "source");
        assert!(side.look().unwrap().is_none());
        let ledger = side.open().unwrap();
        assert!(side.look().unwrap().is_some_and(|look| look.alive && look.last.is_none()));
        let mut sessions = Vec::new();
        for _ in 0..3 {
            let session = new_session();
            ledger.begin(&session, Role::Source).unwrap().finish();
            sessions.push(session);
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        assert_eq!(last(&ledger).unwrap().unwrap().session, sessions[2]);
        drop(ledger);
        let look = side.look().unwrap().unwrap();
        assert!(!look.alive);
        assert_eq!(look.last.unwrap().session, sessions[2]);
    }

    #[test]
    fn a_decision_is_for_its_hand_over_alone() {
        let dir = tempfile::tempdir().unwrap();
        let side = Side::of(dir.path(), "source");
        drop(side.open().unwrap());
        let [first, second] = [(); 2].map(|()| new_session());
        side.decide(&first, Choice::Rollback).unwrap();
        assert_eq!(side.decided(&first), Some(Choice::Rollback));
        assert_eq!(side.decided(&second), None);
    }

    #[test]
    fn a_command_line_can_be_typed_again() {
        assert_eq!(quoted("--dir"), "--dir");
        assert_eq!(quoted("/a b/it's"), r"'/a b/it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
