//! The stand-in for the virtual machine: a folder that both shims see.
//!
//! In a real migration the hypervisor carries the guest over: its memory, with the processes in it,
//! and its vsock ports. Here the processes of the guest are processes of the machine that both shims
//! run on, a port is a named pipe, and the [VM](crate::shim::vm) is a process that outlives the shims.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use serde::{Deserialize, Serialize};
use snapshot_core::{Code, Error};
use snapshot_examples::lcow::Slot;
use uuid::Uuid;

use crate::shim::bridge::SOCKET;
use crate::shim::identity::Identity;
use crate::shim::processes::Key;

/// A guest's folder.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    dir: PathBuf,
}

impl Guest {
    /// Builds a guest in a new folder.
    ///
    /// # Errors
    ///
    /// The folder exists, or cannot be made.
    pub(crate) fn build(dir: &Path) -> Result<Self, Error> {
        let parts = ["vsock", "disks", "mounts", "containers", "exits", "processes"];
        for dir in [dir.to_owned()].into_iter().chain(parts.map(|part| dir.join(part))) {
            DirBuilder::new().mode(0o700).create(&dir).map_err(|error| at(&dir, error))?;
        }
        Ok(Self { dir: dir.to_owned() })
    }

    /// Finds a guest that was built by the other shim.
    ///
    /// # Errors
    ///
    /// There is none.
    pub(crate) fn find(dir: &Path) -> Result<Self, Error> {
        let processes = dir.join("processes");
        std::fs::metadata(&processes).map_err(|error| at(&processes, error))?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// The folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    fn port_path(&self, port: u32) -> PathBuf {
        self.dir.join("vsock").join(port.to_string())
    }

    /// Makes a vsock port and opens the guest's end of it.
    ///
    /// # Errors
    ///
    /// The port is taken, or cannot be made.
    pub(crate) fn make_port(&self, port: u32) -> Result<File, Error> {
        let path = self.port_path(port);
        make_fifo(&path)?;
        // In the guest it blocks: a full port stops its writer, as a full vsock does.
        let open = OpenOptions::new().read(true).write(true).open(&path);
        open.map_err(|error| at(&path, error))
    }

    /// Opens the host's end of a vsock port. It does not block.
    ///
    /// # Errors
    ///
    /// There is no such port.
    pub(crate) fn connect(&self, port: u32) -> Result<File, Error> {
        open_both_ways(&self.port_path(port))
    }

    /// Takes ports away. What is not there is none.
    pub(crate) fn remove_ports(&self, ports: &[u32]) {
        for port in ports {
            // The next process with this port number would find it, and fail.
            let _ = std::fs::remove_file(self.port_path(*port));
        }
    }
}

/// A process in the guest, as the VM has recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InGuest {
    /// Its container and exec id.
    pub(crate) key: Key,
    /// Which process of this machine it is.
    pub(crate) identity: Identity,
    /// The call that waits for its exit.
    pub(crate) wait_call_id: i64,
}

/// What the VM writes down for whoever serves the guest.
impl Guest {
    fn exit_path(&self, wait_call_id: i64) -> PathBuf {
        self.dir.join("exits").join(wait_call_id.to_string())
    }

    /// The exit code in the guest's answer to a call, if it has answered.
    pub(crate) fn exit_code(&self, wait_call_id: i64) -> Option<u32> {
        std::fs::read_to_string(self.exit_path(wait_call_id)).ok()?.trim().parse().ok()
    }

    /// Answers the call with this id, which waits for the exit of a process.
    ///
    /// # Errors
    ///
    /// The answer cannot be written.
    pub(crate) fn put_exit(&self, wait_call_id: i64, code: u32) -> Result<(), Error> {
        self.publish(&self.exit_path(wait_call_id), code.to_string().as_bytes())
    }

    /// Writes a file that is there whole or not at all, whenever the VM dies. It writes one at a time.
    fn publish(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let new = self.dir.join("new");
        std::fs::write(&new, bytes)
            .and_then(|()| std::fs::rename(&new, path))
            .map_err(|error| at(path, error))
    }

    fn process_path(&self, key: &Key) -> PathBuf {
        self.dir.join("processes").join(file_name(&key.to_string()))
    }

    /// Records a process.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn put_process(&self, process: &InGuest) -> Result<(), Error> {
        let json = serde_json::to_vec(process)
            .map_err(|error| Error::internal(format!("a process cannot be recorded: {error}")))?;
        self.publish(&self.process_path(&process.key), &json)
    }

    /// The recorded process with this key; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The record cannot be read.
    pub(crate) fn process(&self, key: &Key) -> Result<Option<InGuest>, Error> {
        read_process(&self.process_path(key))
    }

    /// All recorded processes.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub(crate) fn processes(&self) -> Result<Vec<InGuest>, Error> {
        let dir = self.dir.join("processes");
        let mut processes = Vec::new();
        for entry in std::fs::read_dir(&dir).map_err(|error| at(&dir, error))? {
            let path = entry.map_err(|error| at(&dir, error))?.path();
            processes.extend(read_process(&path)?);
        }
        Ok(processes)
    }

    /// Forgets a process and its exit.
    pub(crate) fn remove_process(&self, key: &Key, wait_call_id: i64) {
        for path in [self.process_path(key), self.exit_path(wait_call_id)] {
            // Whatever stays is found by its key and refused.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Takes the VM's socket away.
    pub(crate) fn remove_socket(&self) {
        // Nobody answers there any more, so that one that stays does no harm.
        let _ = std::fs::remove_file(self.dir.join(SOCKET));
    }
}

fn read_process(path: &Path) -> Result<Option<InGuest>, Error> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(path, error)),
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| Error::new(Code::DataLoss, format!("{}: {error}", path.display())))
}

/// What the guest knows: it is in the memory of the VM, so it comes along without being saved.
impl Guest {
    /// Puts a disk into a SCSI slot.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn put_disk(&self, slot: Slot, volume: Uuid) -> Result<(), Error> {
        let path = self.disk_path(slot);
        remove(&path)?;
        // A link, whose target is read in one call.
        symlink(volume.to_string(), &path).map_err(|error| at(&path, error))
    }

    /// Takes the disk out of a SCSI slot; does nothing to an empty one.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn remove_disk(&self, slot: Slot) -> Result<(), Error> {
        remove(&self.disk_path(slot))
    }

    fn disk_path(&self, slot: Slot) -> PathBuf {
        self.dir.join("disks").join(slot.to_string())
    }

    /// The volumes by SCSI slot.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub(crate) fn disks(&self) -> Result<BTreeMap<String, Uuid>, Error> {
        let dir = self.dir.join("disks");
        let mut disks = BTreeMap::new();
        for entry in std::fs::read_dir(&dir).map_err(|error| at(&dir, error))? {
            let path = entry.map_err(|error| at(&dir, error))?.path();
            let volume = std::fs::read_link(&path).map_err(|error| at(&path, error))?;
            let volume = Uuid::parse_str(&volume.to_string_lossy()).map_err(|error| {
                Error::new(Code::DataLoss, format!("{}: {error}", path.display()))
            })?;
            let slot = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            disks.insert(slot, volume);
        }
        Ok(disks)
    }

    /// Mounts something.
    ///
    /// # Errors
    ///
    /// Something is mounted there already.
    pub(crate) fn mount(&self, guest_path: &str, what: &str) -> Result<(), Error> {
        let path = self.mount_path(guest_path)?;
        if path.exists() {
            return Err(Error::precondition(format!("{guest_path} is mounted already")));
        }
        write(&path, what)
    }

    /// Unmounts what is there; does nothing if nothing is.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn unmount(&self, guest_path: &str) -> Result<(), Error> {
        remove(&self.mount_path(guest_path)?)
    }

    /// Makes sure that something is mounted there.
    ///
    /// # Errors
    ///
    /// Nothing is.
    pub(crate) fn expect_mount(&self, guest_path: &str) -> Result<(), Error> {
        match self.mount_path(guest_path)?.exists() {
            true => Ok(()),
            false => Err(Error::precondition(format!("nothing is mounted at {guest_path}"))),
        }
    }

    /// The file that stands for a mount. Slashes are legal in a guest path, and not in its name.
    fn mount_path(&self, guest_path: &str) -> Result<PathBuf, Error> {
        self.entry("mounts", &file_name(guest_path))
    }

    /// Creates a container.
    ///
    /// # Errors
    ///
    /// It exists.
    pub(crate) fn put_container(&self, id: &str) -> Result<(), Error> {
        let path = self.entry("containers", id)?;
        if path.exists() {
            return Err(Error::precondition(format!("container {id} exists in the guest")));
        }
        write(&path, "")
    }

    /// Makes sure that there is this container.
    ///
    /// # Errors
    ///
    /// There is none.
    pub(crate) fn expect_container(&self, id: &str) -> Result<(), Error> {
        match self.entry("containers", id)?.exists() {
            true => Ok(()),
            false => Err(Error::precondition(format!("the guest has no container {id}"))),
        }
    }

    /// Deletes a container; does nothing if there is none.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn remove_container(&self, id: &str) -> Result<(), Error> {
        remove(&self.entry("containers", id)?)
    }

    /// Takes down what is mounted in the guest, and what containers it has, except these. A shim that
    /// died while it set something up has left it.
    ///
    /// # Errors
    ///
    /// They cannot be listed or removed.
    pub(crate) fn keep_only(
        &self,
        mounts: &BTreeSet<String>,
        containers: &BTreeSet<String>,
        slots: &BTreeSet<String>,
    ) -> Result<(), Error> {
        let mounts: BTreeSet<String> = mounts.iter().map(|path| file_name(path)).collect();
        for (kind, kept) in [("mounts", &mounts), ("containers", containers), ("disks", slots)] {
            let dir = self.dir.join(kind);
            for entry in std::fs::read_dir(&dir).map_err(|error| at(&dir, error))? {
                let entry = entry.map_err(|error| at(&dir, error))?;
                if !kept.contains(&*entry.file_name().to_string_lossy()) {
                    remove(&entry.path())?;
                }
            }
        }
        Ok(())
    }

    /// A file of the guest's, never one outside.
    fn entry(&self, kind: &str, name: &str) -> Result<PathBuf, Error> {
        match name {
            "" | "." | ".." => Err(Error::invalid(format!("{name:?} is no name for a {kind}"))),
            name if name.contains('/') => {
                Err(Error::invalid(format!("{name:?} holds a slash: it is no name in {kind}")))
            }
            name => Ok(self.dir.join(kind).join(name)),
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(|error| at(path, error))
}

fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(path, error)),
        _ => Ok(()),
    }
}

/// A text as the name of a file. Slashes are legal in a guest path and between ids.
fn file_name(text: &str) -> String {
    text.replace('%', "%25").replace('/', "%2F")
}

/// Makes a named pipe that only this user may open.
pub(crate) fn make_fifo(path: &Path) -> Result<(), Error> {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
        .map_err(|error| at(path, error.into()))
}

/// Opens a named pipe for reading and writing, so that neither side ever sees its end: the pipe
/// lives, with what is in it, until the last one has closed it.
pub(crate) fn open_both_ways(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(|error| at(path, error))
}

/// An operating-system error with the path that it is about.
pub(crate) fn at(path: &Path, error: std::io::Error) -> Error {
    Error::internal(format!("{}: {error}", path.display())).with_source(error)
}
