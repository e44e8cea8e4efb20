//! The stand-in for the virtual machine: a folder that both shims see.
//!
//! In a real migration the hypervisor carries the guest over: its memory, with the processes in it,
//! and its vsock ports. Here the processes of the guest are processes of the machine that both shims
//! run on, a port is a named pipe, and the machine runs for as long as somebody holds its power pipe
//! open: when both shims are gone, so are the processes.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use snapshot_core::{Code, Error};
use snapshot_examples::lcow::Slot;
use uuid::Uuid;

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
        for dir in [dir.to_owned()]
            .into_iter()
            .chain(["vsock", "disks", "mounts", "containers", "exits"].map(|part| dir.join(part)))
        {
            std::fs::create_dir(&dir).map_err(|error| at(&dir, error))?;
        }
        let guest = Self { dir: dir.to_owned() };
        make_fifo(&guest.power_path())?;
        Ok(guest)
    }

    /// Finds a guest that was built by the other shim.
    ///
    /// # Errors
    ///
    /// There is none.
    pub(crate) fn find(dir: &Path) -> Result<Self, Error> {
        let guest = Self { dir: dir.to_owned() };
        let power = guest.power_path();
        std::fs::metadata(&power).map_err(|error| at(&power, error))?;
        Ok(guest)
    }

    /// The folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The pipe that keeps the guest running.
    pub(crate) fn power_path(&self) -> PathBuf {
        self.dir.join("power")
    }

    /// Keeps the guest running until it is dropped.
    ///
    /// # Errors
    ///
    /// The pipe cannot be opened.
    pub(crate) fn power(&self) -> Result<Power, Error> {
        open_both_ways(&self.power_path()).map(Power)
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
}

/// The bridge between the guest and whoever serves it.
impl Guest {
    /// Where the guest answers the call with this id, which waits for the exit of a process.
    pub(crate) fn exit_path(&self, wait_call_id: i64) -> PathBuf {
        self.dir.join("exits").join(wait_call_id.to_string())
    }

    /// The exit code in the guest's answer to a call, if it has answered.
    pub(crate) fn exit_code(&self, wait_call_id: i64) -> Option<u32> {
        std::fs::read_to_string(self.exit_path(wait_call_id)).ok()?.trim().parse().ok()
    }
}

/// What the guest knows: it is in the memory of the VM, so it comes along without being saved.
impl Guest {
    /// Puts a disk into a SCSI slot.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn put_disk(&self, slot: Slot, volume: Uuid) -> Result<(), Error> {
        write(&self.disk_path(slot), &volume.to_string())
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
            let text = std::fs::read_to_string(&path).map_err(|error| at(&path, error))?;
            let volume = Uuid::parse_str(&text).map_err(|error| {
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
        self.entry("mounts", &guest_path.replace('%', "%25").replace('/', "%2F"))
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

/// The guest's power: as long as one exists, in whichever process, the guest runs.
#[derive(Debug)]
pub(crate) struct Power(#[expect(dead_code, reason = "it is there to be held open")] File);

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
