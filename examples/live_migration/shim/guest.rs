//! The stand-in for the virtual machine: a folder that both shims see.
//!
//! In a real migration the hypervisor carries the guest over: its memory, with the processes in it,
//! and its vsock ports. Here the processes of the guest are processes of the machine that both shims
//! run on, a port is a named pipe, and the machine runs for as long as somebody holds its power pipe
//! open: when both shims are gone, so are the processes.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use snapshot_core::Error;

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
        std::fs::create_dir(dir).map_err(|error| at(dir, error))?;
        std::fs::create_dir(dir.join("vsock")).map_err(|error| at(dir, error))?;
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
