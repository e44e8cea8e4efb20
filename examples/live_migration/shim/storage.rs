//! The storage that both hosts see, each under its own paths: disk images and folders.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock, syncfs};
use rustix::io::Errno;
use snapshot_core::{Code, Error};
use uuid::Uuid;

use crate::shim::confine::private_folder;
use crate::shim::guest::at;
use crate::shim::lock::lock;

/// The beginning of a disk image; its volume id follows, as text.
const MAGIC: &str = "disk image of live_migration, volume ";

/// A time that is longer than a tick of a file system's clock.
const TICK: Duration = Duration::from_millis(20);

/// The size of a disk image in bytes. It is sparse.
const DISK_SIZE: u64 = 1 << 20;

/// A folder of disk images and folders.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    dir: PathBuf,
}

impl Storage {
    /// Opens the storage in this folder, which is created if it does not exist.
    ///
    /// # Errors
    ///
    /// If the folder cannot be created.
    pub(crate) fn build(dir: &Path) -> Result<Self, Error> {
        for part in ["disks", "shares"] {
            private_folder(&dir.join(part))?;
        }
        Ok(Self { dir: dir.to_owned() })
    }

    /// Opens the storage in this folder.
    pub(crate) fn find(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Returns the folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Creates a disk image with a new volume, unless one of this name exists.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn make_disk(&self, name: &str) -> Result<(), Error> {
        let path = self.dir.join("disks").join(name);
        // Written whole or not at all, if this shim dies.
        let new = self.dir.join("disk.new");
        let make = || {
            if path.exists() {
                return Ok(());
            }
            let mut file = File::create(&new)?;
            writeln!(file, "{MAGIC}{}", Uuid::new_v4())?;
            file.set_len(DISK_SIZE)?;
            std::fs::rename(&new, &path)
        };
        make().map_err(|error| at(&path, error))
    }

    /// Creates a folder with a file in it, unless it exists.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn make_folder(&self, name: &str) -> Result<(), Error> {
        let path = self.dir.join("shares").join(name);
        std::fs::create_dir_all(&path)
            .and_then(|()| std::fs::write(path.join("settings"), format!("folder={name}\n")))
            .map_err(|error| at(&path, error))
    }

    /// Syncs everything now, so that a freeze need not wait for it.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        let dir = File::open(&self.dir).map_err(|error| at(&self.dir, error))?;
        syncfs(&dir).map_err(|error| at(&self.dir, error.into()))
    }

    /// Makes everything visible to a host, in its own folder `host`: disks as hard links, folders
    /// as symbolic links. Existing entries are not changed.
    ///
    /// # Errors
    ///
    /// If the host's folder is on another file system, or cannot be written.
    pub(crate) fn show(&self, host: &Path) -> Result<(), Error> {
        for (kind, link) in [
            ("disks", (|from, to| std::fs::hard_link(from, to)) as fn(&Path, &Path) -> _),
            ("shares", |from, to| std::os::unix::fs::symlink(from, to)),
        ] {
            let (from, to) = (self.dir.join(kind), host.join(kind));
            std::fs::create_dir_all(&to).map_err(|error| at(&to, error))?;
            for entry in std::fs::read_dir(&from).map_err(|error| at(&from, error))? {
                let entry = entry.map_err(|error| at(&from, error))?;
                let to = to.join(entry.file_name());
                match link(&entry.path(), &to) {
                    Ok(()) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(at(&to, error)),
                }
            }
        }
        Ok(())
    }
}

/// A disk image that is attached to a VM. It is locked while the VM runs here: a writable one for
/// this VM alone, a read-only one against writers.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
    file: File,
    read_only: bool,
    volume: Uuid,
    /// The state of the file at its last sync.
    flushed: Mutex<Option<Written>>,
}

/// The time of a file's last write, and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    at: SystemTime,
    length: u64,
}

impl Disk {
    /// Opens a disk image, without a lock.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, or is not a disk image.
    pub(crate) fn open(path: &Path, read_only: bool) -> Result<Self, Error> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(!read_only)
            .open(path)
            .map_err(|error| at(path, error))?;
        let mut head = vec![0; MAGIC.len() + uuid::fmt::Hyphenated::LENGTH];
        let volume = file
            .read_exact(&mut head)
            .ok()
            .and_then(|()| std::str::from_utf8(&head).ok())
            .and_then(|head| head.strip_prefix(MAGIC))
            .and_then(|volume| Uuid::parse_str(volume).ok())
            .ok_or_else(|| {
                Error::new(Code::DataLoss, format!("{} is not a disk image", path.display()))
            })?;
        Ok(Self { path: path.to_owned(), file, read_only, volume, flushed: Mutex::default() })
    }

    /// Returns whether it is the image at this path, opened for this use.
    pub(crate) fn is_open(&self, path: &Path, read_only: bool) -> bool {
        self.path == path && self.read_only == read_only
    }

    /// Returns its volume, wherever the image is.
    pub(crate) fn volume(&self) -> Uuid {
        self.volume
    }

    /// Locks the image.
    ///
    /// # Errors
    ///
    /// If another VM has it.
    pub(crate) fn lock(&self) -> Result<(), Error> {
        let how = match self.read_only {
            true => FlockOperation::NonBlockingLockShared,
            false => FlockOperation::NonBlockingLockExclusive,
        };
        patiently(|| flock(&self.file, how)).map_err(|error| in_use("disk", &self.path, error))
    }

    /// Returns whether everything that was written is synced.
    ///
    /// # Errors
    ///
    /// If the file cannot be examined.
    pub(crate) fn is_flushed(&self) -> Result<bool, Error> {
        Ok(self.read_only || Some(self.written()?) == *lock(&self.flushed))
    }

    /// Syncs the image, if necessary.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        if self.is_flushed()? {
            return Ok(());
        }
        let written = self.written()?;
        self.file.sync_data().map_err(|error| at(&self.path, error))?;
        // A file system may give two writes within a tick of its clock the same time. So a file
        // that was written a moment ago is synced once more.
        let is_past = written.at.elapsed().is_ok_and(|since| since > TICK);
        *lock(&self.flushed) = is_past.then_some(written);
        Ok(())
    }

    fn written(&self) -> Result<Written, Error> {
        let look = || {
            let metadata = self.file.metadata()?;
            Ok(Written { at: metadata.modified()?, length: metadata.len() })
        };
        look().map_err(|error| at(&self.path, error))
    }

    /// Releases the lock.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub(crate) fn unlock(&self) -> Result<(), Error> {
        flock(&self.file, FlockOperation::Unlock).map_err(|error| at(&self.path, error.into()))
    }
}

/// Reserves a resource for one VM, until the file is closed. The file at `path` stands for it (a
/// device, an endpoint).
///
/// # Errors
///
/// If there is none, or another VM has it.
pub(crate) fn claim(what: &str, path: &Path) -> Result<File, Error> {
    let file = File::open(path).map_err(|error| at(path, error))?;
    patiently(|| flock(&file, FlockOperation::NonBlockingLockExclusive))
        .map_err(|error| in_use(what, path, error))?;
    Ok(file)
}

/// Tries for a moment to take a lock: the system may be about to release those of a shim that was
/// killed.
fn patiently(lock: impl Fn() -> Result<(), Errno>) -> Result<(), Errno> {
    let mut tries = 0;
    loop {
        match lock() {
            Err(Errno::WOULDBLOCK) if tries < 10 => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            taken => return taken,
        }
    }
}

fn in_use(what: &str, path: &Path, error: Errno) -> Error {
    match error {
        Errno::WOULDBLOCK => Error::precondition(format!(
            "the {what} {} is in use by another VM: take it off that VM first",
            path.display()
        )),
        error => at(path, error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage() -> (tempfile::TempDir, Storage) {
        let dir = tempfile::tempdir().unwrap();
        let storage = Storage::build(&dir.path().join("storage")).unwrap();
        (dir, storage)
    }

    #[test]
    fn both_hosts_see_the_same_volume_under_their_own_paths() {
        let (dir, storage) = storage();
        storage.make_disk("root.img").unwrap();
        storage.make_folder("data").unwrap();
        let hosts = ["source", "destination"].map(|host| dir.path().join(host));
        for host in &hosts {
            storage.show(host).unwrap();
            storage.show(host).unwrap();
            assert!(host.join("shares/data/settings").is_file());
        }
        let disks = hosts.map(|host| Disk::open(&host.join("disks/root.img"), false).unwrap());
        assert_eq!(disks[0].volume(), disks[1].volume());
        disks[0].lock().unwrap();
        let refused = disks[1].lock().unwrap_err();
        assert!(refused.to_string().contains("in use by another VM"), "{refused}");
        disks[0].unlock().unwrap();
        disks[1].lock().unwrap();
    }

    #[test]
    fn many_read_a_disk_while_nobody_writes_to_it() {
        let (_dir, storage) = storage();
        storage.make_disk("layer.img").unwrap();
        let path = storage.dir().join("disks/layer.img");
        let readers = [true, true].map(|read_only| Disk::open(&path, read_only).unwrap());
        readers.iter().for_each(|reader| reader.lock().unwrap());
        assert!(Disk::open(&path, false).unwrap().lock().is_err());
    }

    #[test]
    fn a_disk_is_put_on_disk_again_only_if_it_was_written() {
        let (_dir, storage) = storage();
        storage.make_disk("root.img").unwrap();
        let disk = Disk::open(&storage.dir().join("disks/root.img"), false).unwrap();
        let hour = Duration::from_secs(3600);
        let writer = OpenOptions::new().append(true).open(&disk.path).unwrap();
        writer.set_modified(SystemTime::now() - hour).unwrap();
        assert!(!disk.is_flushed().unwrap());
        disk.flush().unwrap();
        assert!(disk.is_flushed().unwrap());
        (&writer).write_all(b"more").unwrap();
        assert!(!disk.is_flushed().unwrap());
        // As if it was written just now: there may be another write with the same time.
        writer.set_modified(SystemTime::now() + hour).unwrap();
        disk.flush().unwrap();
        assert!(!disk.is_flushed().unwrap());
        writer.set_modified(SystemTime::now() - hour).unwrap();
        disk.flush().unwrap();
        assert!(disk.is_flushed().unwrap());
    }

    #[test]
    fn what_is_no_disk_image_is_refused() {
        let (dir, _storage) = storage();
        for content in
            ["", MAGIC, "something else that is long enough to hold a volume id, but does not"]
        {
            let path = dir.path().join("not");
            std::fs::write(&path, content).unwrap();
            let refused = Disk::open(&path, true).unwrap_err();
            assert!(refused.to_string().ends_with("is not a disk image"), "{refused}");
        }
    }
}
