//! Checkpoints: a file with the state of a running tree. After a crash, a new process continues the
//! tree from this file.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use super::destination::Incoming;
use super::source::Source;
use crate::envelope::{ReadOptions, WriteOptions};
use crate::panics::quietly;
use crate::{Controller, Error};

/// One lock for each file that is being written. Checkpoints of one file wait for each other, so
/// that an older state never replaces a newer one. Those of different files are independent,
/// however long a save waits.
static WRITERS: Mutex<BTreeMap<PathBuf, Weak<Mutex<()>>>> = Mutex::new(BTreeMap::new());

/// Returns the lock of a file.
fn writer_of(file: PathBuf) -> Arc<Mutex<()>> {
    let mut writers = WRITERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(writer) = writers.get(&file).and_then(Weak::upgrade) {
        return writer;
    }
    writers.retain(|_, writer| writer.strong_count() > 0);
    let writer = Arc::default();
    writers.insert(file, Arc::downgrade(&writer));
    writer
}

impl<R: Controller> Source<R> {
    /// Saves the running tree into a file, without a freeze, and replaces an earlier checkpoint
    /// there. Call it after every change: if this process dies, a new one can then continue the
    /// tree with [`Incoming::from_checkpoint`].
    ///
    /// The tree is saved and read again, as in a preflight, with each controller under its own
    /// lock. Only a snapshot that this build can restore is written. The file is written whole or
    /// not at all, and is durable when this returns, as with
    /// [`WriteOptions::write_to_path`](crate::WriteOptions::write_to_path). Whatever fails, the
    /// earlier checkpoint stays. Concurrent checkpoints of one file in one process wait for each
    /// other.
    ///
    /// A checkpoint is a copy: a process may continue a tree only if it knows that no other process
    /// has it. In particular, delete the file, or record elsewhere that the tree is gone, before
    /// [`Frozen::commit`](super::Frozen::commit) gives the tree away, and use one path in one
    /// process at a time. A tree that runs on after its last checkpoint is newer than the file. The
    /// `patch` hooks, which bind the state to the resources of this host, find such differences and
    /// report them.
    ///
    /// ```no_run
    /// # use snapshot_core::{Controller, Error, Incoming, Session, Source};
    /// # use std::sync::Arc;
    /// # async fn keep<R: Controller>(sandbox: &Arc<R>) -> Result<(), Box<dyn std::error::Error>> {
    /// // After every change.
    /// Source::new(sandbox).checkpoint("/run/shim/checkpoint")?;
    ///
    /// // In a new process.
    /// if let Some(checkpoint) = Incoming::from_checkpoint("/run/shim/checkpoint")? {
    ///     let session = Session::new();
    ///     let patched = checkpoint.import::<R>()?.patch(&session).await?;
    ///     let sandbox = patched.resume(&session).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// All problems in the tree that prevent a save or a read, reported together, as by
    /// [`preflight`](Source::preflight) with this build's own manifest.
    /// [`Code::FailedPrecondition`](crate::Code::FailedPrecondition) also while a controller of the
    /// tree is in a migration. Then the errors of the file system. In every case the earlier
    /// checkpoint stays, with one exception: if the synchronisation of the folder fails, the new
    /// one may be there, as the message says.
    pub fn checkpoint(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        // Locked before the save, so that the last one to write is also the last one to save.
        let writer = writer_of(identity(path));
        let _writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        let began = Instant::now();
        let written = self.save_running().and_then(|snapshot| {
            let options = WriteOptions::new().replace(true);
            let options = match &self.provenance {
                Some(provenance) => options.provenance(provenance.clone()),
                None => options,
            };
            options.write_to_path(&snapshot, path)?;
            Ok(snapshot.len())
        });
        quietly(|| match &written {
            Ok(bytes) => {
                tracing::debug!(path = %path.display(), bytes, took = ?began.elapsed(), "checkpoint");
            }
            Err(error) => tracing::error!(
                path = %path.display(),
                error = %error.on_one_line(),
                "no checkpoint was written; the earlier one stays"
            ),
        });
        written.map(drop)
    }
}

impl Incoming {
    /// Reads the [checkpoint](Source::checkpoint) in a file. Returns `None` if there is no such
    /// file, so that there is nothing to continue.
    ///
    /// The controllers are then imported, patched and resumed as at a destination. A `patch` hook
    /// fails if this host does not match the checkpoint, and the controllers before it are aborted:
    /// the error says which part of the work is newer or gone.
    ///
    /// # Errors
    ///
    /// [`Code::DataLoss`](crate::Code::DataLoss) if the file is damaged; a damaged file never
    /// counts as a missing one. Also if the file cannot be read.
    pub fn from_checkpoint(path: impl AsRef<Path>) -> Result<Option<Self>, Error> {
        let path = path.as_ref();
        match path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            _ => ReadOptions::new().read_from_path(path).map(|snapshot| Some(snapshot.into())),
        }
    }
}

/// Returns the file that a path means, as far as possible, so that two spellings of a path have one
/// lock.
fn identity(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let name = path.file_name().map_or_else(OsString::new, ToOwned::to_owned);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned()).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_waits_for_one_of_the_same_file_alone() {
        let file = |number: usize| Path::new("/checkpoints").join(number.to_string());
        let writers: Vec<_> = (0..64).map(|number| writer_of(file(number))).collect();
        let held: Vec<_> = writers.iter().map(|writer| writer.try_lock().unwrap()).collect();
        assert!(writer_of(file(7)).try_lock().is_err());
        drop(held);
        drop(writers);
        assert!(writer_of(file(7)).try_lock().is_ok());
    }
}
