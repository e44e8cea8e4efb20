//! The bridge to the guest: what a shim asks of the VM's own process, and the answers.
//!
//! A request is one line of JSON on a Unix socket in the guest's folder, and so is its answer. The VM
//! listens to one shim at a time, the one that has said [`Request::Take`] last.

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

/// How long the VM may take to come up.
const BOOT: Duration = Duration::from_secs(20);

/// How long the VM may take to answer. The slowest request ends all processes.
const ANSWER: Duration = Duration::from_secs(30);

/// The most bytes of a line.
const LINE: u64 = 1 << 20;

/// What a shim asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// This shim has the VM from now on, and no other.
    Take,
    /// Start a process.
    Start(Start),
    /// End a process, and forget it with its ports.
    End(Key),
    /// Stop all processes where they are. The answer comes when all stand still.
    Pause,
    /// Let all processes go on.
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
    /// The vsock ports of its standard input, output and error; `None` for none.
    pub(crate) ports: [Option<u32>; 3],
    /// The call that waits for its exit.
    pub(crate) wait_call_id: i64,
}

/// What the VM answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// It is done.
    Done,
    /// The process runs.
    Started(Identity),
    /// It was not done.
    Failed(String),
}

/// A shim's end of the bridge.
#[derive(Debug)]
pub(crate) struct Bridge {
    stream: BufReader<UnixStream>,
}

impl Bridge {
    /// Connects to a VM, which may still be on its way up, and takes it.
    ///
    /// # Errors
    ///
    /// There is no VM, or it does not answer.
    pub(crate) fn take(guest: &Guest) -> Result<Self, Error> {
        let mut bridge = Self::connect(guest, BOOT)?;
        bridge.ask(&Request::Take)?;
        Ok(bridge)
    }

    /// Connects to a VM within `patience`.
    ///
    /// # Errors
    ///
    /// There is none.
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

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    ///
    /// The VM is gone or refuses.
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
/// The socket cannot be made.
pub(crate) fn listen(guest: &Path) -> io::Result<UnixListener> {
    through(guest, |path| UnixListener::bind(path))
}

/// Does something with the socket in this folder by a short path: that of a socket has at most 107
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
