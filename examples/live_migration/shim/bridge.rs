//! The bridge to the guest: requests of a shim to the VM's own process, and the answers.
//!
//! A request is one line of JSON on a Unix socket in the guest's folder, and so is its answer. The
//! VM serves one shim at a time: the last one that has sent [`Request::Take`].

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use snapshot_core::{Code, Error};

use crate::shim::guest::{Guest, at};
use crate::shim::identity::Identity;
use crate::shim::processes::Key;

/// The name of the socket in the guest's folder.
pub(crate) const SOCKET: &str = "bridge";

/// The time for the VM to start.
const BOOT: Duration = Duration::from_secs(20);

/// The time for an answer of the VM. The slowest request ends all processes.
const ANSWER: Duration = Duration::from_secs(30);

/// The maximum length of a line in bytes.
const LINE: u64 = 1 << 20;

/// A request of a shim.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// This shim has the VM from now on, and no other.
    Take,
    /// Start a process.
    Start(Start),
    /// End a process, and remove it with its ports.
    End(Key),
    /// Stop all processes where they are. The answer comes when all of them have stopped.
    Pause,
    /// Continue all processes.
    Continue,
    /// End all processes, then the VM.
    PowerOff,
}

/// A process to be started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    /// Its container and exec id.
    pub(crate) key: Key,
    /// The program and its arguments.
    pub(crate) program: Vec<String>,
    /// The vsock ports of its standard input, output and error; `None` if there is none.
    pub(crate) ports: [Option<u32>; 3],
    /// The call that waits for its exit.
    pub(crate) wait_call_id: i64,
}

/// An answer of the VM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// It is done.
    Done,
    /// The process runs.
    Started(Identity),
    /// The request failed.
    Failed(String),
}

/// A shim's end of the bridge.
#[derive(Debug)]
pub(crate) struct Bridge {
    stream: BufReader<UnixStream>,
}

impl Bridge {
    /// Connects to a VM, which may still be starting, and takes it.
    ///
    /// # Errors
    ///
    /// If there is no VM, or it does not answer.
    pub(crate) fn take(guest: &Guest) -> Result<Self, Error> {
        let mut bridge = Self::connect(guest, BOOT)?;
        bridge.ask(&Request::Take)?;
        Ok(bridge)
    }

    /// Connects to a VM within `patience`.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(crate) fn connect(guest: &Guest, patience: Duration) -> Result<Self, Error> {
        let path = guest.dir().join(SOCKET);
        let until = Instant::now() + patience;
        let stream = loop {
            match through(guest.dir(), |path| UnixStream::connect(path)) {
                Ok(stream) => break stream,
                Err(error) if Instant::now() >= until => return Err(at(&path, error)),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends a request, and waits for the answer.
    ///
    /// # Errors
    ///
    /// If the VM is gone or refuses.
    pub(crate) fn ask(&mut self, request: &Request) -> Result<Answer, Error> {
        write_line(self.stream.get_mut(), request)
            .and_then(|()| read_line(&mut self.stream))
            .map_err(|error| Error::internal(format!("the VM does not answer: {error}")))
            .and_then(|answer| match answer {
                Some(Answer::Failed(reason)) => Err(Error::internal(reason)),
                Some(answer) => Ok(answer),
                None => Err(Error::new(
                    Code::FailedPrecondition,
                    "the VM has hung up: it was switched off, or another shim has it",
                )),
            })
    }
}

/// Listens for shims in a guest's folder.
///
/// # Errors
///
/// If the socket cannot be created.
pub(crate) fn listen(guest: &Path) -> io::Result<UnixListener> {
    through(guest, |path| UnixListener::bind(path))
}

/// Uses the socket in this folder by a short path, because the path of a socket has at most 107
/// bytes.
fn through<T>(guest: &Path, act: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    use std::os::fd::AsRawFd;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = open(guest, flags, Mode::empty())?;
    act(Path::new(&format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd())))
}

pub(crate) fn write_line(stream: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// Reads a line; `None` if the other side has hung up.
pub(crate) fn read_line<T: DeserializeOwned>(stream: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    stream.take(LINE).read_until(b'\n', &mut line)?;
    match line.is_empty() {
        true => Ok(None),
        false => Ok(Some(serde_json::from_slice(&line)?)),
    }
}
