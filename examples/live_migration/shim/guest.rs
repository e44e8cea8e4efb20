//! The stand-in for the virtual machine: a folder that both shims see.
//!
//! In a real migration the hypervisor transfers the guest: its memory, with the processes in it,
//! and its vsock ports. Here the processes of the guest are processes of the machine on which both
//! shims run, a port is a named pipe, and the [VM](crate::shim::vm) is a process that outlives the
//! shims.

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
    /// If the folder exists, or cannot be created.
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
    /// If there is none.
    pub(crate) fn find(dir: &Path) -> Result<Self, Error> {
        let processes = dir.join("processes");
        std::fs::metadata(&processes).map_err(|error| at(&processes, error))?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// Returns the folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    fn port_path(&self, port: u32) -> PathBuf {
        self.dir.join("vsock").join(port.to_string())
    }

    /// Creates a vsock port and opens the guest's end of it.
    ///
    /// # Errors
    ///
    /// If the port exists, or cannot be created.
    pub(crate) fn make_port(&self, port: u32) -> Result<File, Error> {
        let path = self.port_path(port);
        make_fifo(&path)?;
        // The guest's end blocks: a full port stops its writer, as a full vsock does.
        let open = OpenOptions::new().read(true).write(true).open(&path);
        open.map_err(|error| at(&path, error))
    }

    /// Opens the host's end of a vsock port. It does not block.
    ///
    /// # Errors
    ///
    /// If there is no such port.
    pub(crate) fn connect(&self, port: u32) -> Result<File, Error> {
        open_both_ways(&self.port_path(port))
    }

    /// Removes ports. A missing one is not an error.
    pub(crate) fn remove_ports(&self, ports: &[u32]) {
        for port in ports {
            // Otherwise the next process with this port number would find it, and fail.
            let _ = std::fs::remove_file(self.port_path(*port));
        }
    }
}

/// A process in the guest, as the VM has recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InGuest {
    /// Its container and exec id.
    pub(crate) key: Key,
    /// The process of this machine.
    pub(crate) identity: Identity,
    /// The call that waits for its exit.
    pub(crate) wait_call_id: i64,
}

/// The record that the VM writes for the shims.
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
    /// If the answer cannot be written.
    pub(crate) fn put_exit(&self, wait_call_id: i64, code: u32) -> Result<(), Error> {
        self.publish(&self.exit_path(wait_call_id), code.to_string().as_bytes())
    }

    /// Writes a file whole or not at all, even if the VM dies. It writes one at a time.
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
    /// If it cannot be written.
    pub(crate) fn put_process(&self, process: &InGuest) -> Result<(), Error> {
        let json = serde_json::to_vec(process)
            .map_err(|error| Error::internal(format!("a process cannot be recorded: {error}")))?;
        self.publish(&self.process_path(&process.key), &json)
    }

    /// Returns the recorded process with this key; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If the record cannot be read.
    pub(crate) fn process(&self, key: &Key) -> Result<Option<InGuest>, Error> {
        read_process(&self.process_path(key))
    }

    /// Returns all recorded processes.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
    pub(crate) fn processes(&self) -> Result<Vec<InGuest>, Error> {
        let dir = self.dir.join("processes");
        let mut processes = Vec::new();
        for entry in std::fs::read_dir(&dir).map_err(|error| at(&dir, error))? {
            let path = entry.map_err(|error| at(&dir, error))?.path();
            processes.extend(read_process(&path)?);
        }
        Ok(processes)
    }

    /// Removes the record of a process and its exit.
    pub(crate) fn remove_process(&self, key: &Key, wait_call_id: i64) {
        for path in [self.process_path(key), self.exit_path(wait_call_id)] {
            // A remaining record is found by its key and refused.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Removes the VM's socket.
    pub(crate) fn remove_socket(&self) {
        // Nobody answers there any more, so a remaining socket does no harm.
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

/// The knowledge of the guest. It is in the memory of the VM, so it moves without being saved.
impl Guest {
    /// Puts a disk into a SCSI slot.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn put_disk(&self, slot: Slot, volume: Uuid) -> Result<(), Error> {
        let path = self.disk_path(slot);
        remove(&path)?;
        // A link, whose target is read in one call.
        symlink(volume.to_string(), &path).map_err(|error| at(&path, error))
    }

    /// Removes the disk from a SCSI slot; does nothing to an empty one.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn remove_disk(&self, slot: Slot) -> Result<(), Error> {
        remove(&self.disk_path(slot))
    }

    fn disk_path(&self, slot: Slot) -> PathBuf {
        self.dir.join("disks").join(slot.to_string())
    }

    /// Returns the volumes by SCSI slot.
    ///
    /// # Errors
    ///
    /// If they cannot be read.
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
    /// If something is mounted there already.
    pub(crate) fn mount(&self, guest_path: &str, what: &str) -> Result<(), Error> {
        let path = self.mount_path(guest_path)?;
        if path.exists() {
            return Err(Error::precondition(format!("{guest_path} is mounted already")));
        }
        write(&path, what)
    }

    /// Unmounts a path; does nothing if nothing is mounted there.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn unmount(&self, guest_path: &str) -> Result<(), Error> {
        remove(&self.mount_path(guest_path)?)
    }

    /// Checks that something is mounted there.
    ///
    /// # Errors
    ///
    /// If nothing is mounted there.
    pub(crate) fn expect_mount(&self, guest_path: &str) -> Result<(), Error> {
        match self.mount_path(guest_path)?.exists() {
            true => Ok(()),
            false => Err(Error::precondition(format!("nothing is mounted at {guest_path}"))),
        }
    }

    /// Returns the file that stands for a mount. A guest path may contain slashes, but the file's
    /// name cannot.
    fn mount_path(&self, guest_path: &str) -> Result<PathBuf, Error> {
        self.entry("mounts", &file_name(guest_path))
    }

    /// Creates a container.
    ///
    /// # Errors
    ///
    /// If it exists.
    pub(crate) fn put_container(&self, id: &str) -> Result<(), Error> {
        let path = self.entry("containers", id)?;
        if path.exists() {
            return Err(Error::precondition(format!("container {id} exists in the guest")));
        }
        write(&path, "")
    }

    /// Checks that this container exists.
    ///
    /// # Errors
    ///
    /// If it does not exist.
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
    /// If it cannot be written.
    pub(crate) fn remove_container(&self, id: &str) -> Result<(), Error> {
        remove(&self.entry("containers", id)?)
    }

    /// Removes the mounts and the containers of the guest, except these. A shim that died during a
    /// setup has left them.
    ///
    /// # Errors
    ///
    /// If they cannot be listed or removed.
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

    /// Returns a file of the guest, never one outside.
    fn entry(&self, kind: &str, name: &str) -> Result<PathBuf, Error> {
        match name {
            "" | "." | ".." => Err(Error::invalid(format!("{name:?} is not a name for a {kind}"))),
            name if name.contains('/') => Err(Error::invalid(format!(
                "{name:?} contains a slash, so it is not a name in {kind}"
            ))),
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

/// Converts a text to the name of a file. Guest paths contain slashes, and so do ids.
fn file_name(text: &str) -> String {
    text.replace('%', "%25").replace('/', "%2F")
}

/// Creates a named pipe that only this user may open.
pub(crate) fn make_fifo(path: &Path) -> Result<(), Error> {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)
        .map_err(|error| at(path, error.into()))
}

/// Opens a named pipe for reading and writing, so that neither side ever sees its end: the pipe and
/// its content exist until the last one has closed it.
pub(crate) fn open_both_ways(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(|error| at(path, error))
}

/// Adds the path to an error of the operating system.
pub(crate) fn at(path: &Path, error: std::io::Error) -> Error {
    Error::internal(format!("{}: {error}", path.display())).with_source(error)
}
