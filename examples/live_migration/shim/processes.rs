//! The processes of the guest as this shim knows them: started or adopted, relayed, watched.

mod entries;

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::num::NonZeroU32;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::OFlags;
use rustix::process::{Signal, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use snapshot_core::{Code, Error};
use snapshot_examples::lcow::host::{OnExit, ProcessIo, StdPorts};

use entries::{Entries, Entry};

use crate::shim::bridge::{Answer, Bridge, Request, Start};
use crate::shim::confine::make_private_folder;
use crate::shim::guest::{Guest, InGuest, at, make_fifo, open_both_ways};
use crate::shim::identity::Identity;
use crate::shim::lock::lock;
use crate::shim::relay::{Event, Relay, Stream};

/// The identity of a process: its container's id inside the guest, and its exec id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    /// The container's id inside the guest.
    pub(crate) container: String,
    /// The exec id, empty for the init process.
    pub(crate) exec: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.container)?;
        match self.exec.as_str() {
            "" => Ok(()),
            exec => write!(f, "/{exec}"),
        }
    }
}

/// The access to a process: its IO and the call that waits for its exit.
#[derive(Clone, Copy)]
pub(crate) struct Wiring<'a> {
    /// The folder for this host's ends, which is created if it does not exist.
    pub(crate) bundle: &'a Path,
    /// This host's ends of its IO.
    pub(crate) paths: &'a ProcessIo,
    /// The guest's ends of its IO.
    pub(crate) ports: StdPorts,
    /// The call that waits for its exit.
    pub(crate) wait_call_id: i64,
}

/// The parts of an entry.
struct Parts {
    identity: Identity,
    adopted: bool,
    streams: Vec<Stream>,
    made: Vec<PathBuf>,
}

/// The way in which a shim got its guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It has built the guest. The relay of each process starts with the process.
    Built,
    /// It takes the guest over from another running shim. All relays start at once, when
    /// [`Processes::open`] is called.
    Handed,
    /// It continues the guest that an earlier shim of this host has left. All relays start at once,
    /// at the ends of the logs.
    TakenUp,
}

/// All processes of the guest that this shim serves.
pub(crate) struct Processes {
    guest: Guest,
    relay: Relay,
    entries: Arc<Entries>,
    /// Closed on a destination until the whole sandbox has resumed: if a later controller fails to
    /// resume, no line must be lost.
    open: AtomicBool,
    origin: Origin,
    /// Set once this shim has the guest.
    bridge: Mutex<Option<Bridge>>,
    events: Sender<Event>,
}

impl Processes {
    /// Creates a table without processes.
    ///
    /// # Errors
    ///
    /// If the relay cannot be started.
    pub(crate) fn new(guest: Guest, origin: Origin) -> Result<Self, Error> {
        let (events, received) = channel();
        let entries = Arc::new(Entries {
            guest: guest.clone(),
            by_key: Mutex::default(),
            telling: Mutex::default(),
        });
        let telling = Arc::clone(&entries);
        std::thread::Builder::new()
            .name("exits".to_owned())
            .spawn(move || telling.serve(&received))?;
        Ok(Self {
            guest,
            relay: Relay::start(events.clone())?,
            entries,
            open: AtomicBool::new(origin == Origin::Built),
            origin,
            bridge: Mutex::default(),
            events,
        })
    }

    /// Takes the bridge to the guest. From now on no other shim starts or ends a process.
    ///
    /// # Errors
    ///
    /// If there is no VM.
    pub(crate) fn take_bridge(&self) -> Result<(), Error> {
        *lock(&self.bridge) = Some(Bridge::take(&self.guest)?);
        Ok(())
    }

    fn ask(&self, request: &Request) -> Result<Answer, Error> {
        match &mut *lock(&self.bridge) {
            Some(bridge) => bridge.ask(request),
            None => Err(Error::precondition("this shim does not have the guest")),
        }
    }

    /// Ends the processes of the guest that are not among these.
    ///
    /// # Errors
    ///
    /// If the VM cannot end one.
    pub(crate) fn keep_only(&self, keys: &BTreeSet<Key>) -> Result<Vec<Key>, Error> {
        let mut ended = Vec::new();
        for process in self.guest.processes()? {
            if !keys.contains(&process.key) {
                self.ask(&Request::End(process.key.clone()))?;
                ended.push(process.key);
            }
        }
        Ok(ended)
    }

    /// Ends all processes and the VM. Does nothing behind a closed gate, because then they are the
    /// source's.
    ///
    /// # Errors
    ///
    /// If the VM does not answer.
    pub(crate) fn power_off(&self) -> Result<(), Error> {
        if !self.open.load(Ordering::Acquire) {
            return Ok(());
        }
        self.ask(&Request::PowerOff).map(drop)
    }

    /// Starts `program` in the guest, with its standard streams on vsock ports, and relays them.
    ///
    /// # Errors
    ///
    /// If the process exists already, its IO cannot be opened, or it cannot be started.
    pub(crate) fn start(
        &self,
        key: Key,
        program: &[String],
        wiring: Wiring<'_>,
        on_exit: OnExit,
    ) -> Result<Identity, Error> {
        self.refuse_twice(&key)?;
        let StdPorts { stdin, stdout, stderr } = wiring.ports;
        let start = Start {
            key: key.clone(),
            program: program.to_vec(),
            ports: [stdin, stdout, stderr].map(|port| port.map(NonZeroU32::get)),
            wait_call_id: wiring.wait_call_id,
        };
        let Answer::Started(identity) = self.ask(&Request::Start(start))? else {
            return Err(Error::internal(format!("the VM does not say whether it started {key}")));
        };
        let started = self.connect(wiring).and_then(|(streams, made)| {
            let parts = Parts { identity, adopted: false, streams, made };
            self.keep(key.clone(), parts, wiring, on_exit)
        });
        match started {
            Ok(()) => Ok(identity),
            Err(error) => Err(match self.ask(&Request::End(key)) {
                Ok(_) => error,
                Err(undo) => error.and(undo),
            }),
        }
    }

    /// Takes over a running process: finds it, checks its identity, and opens its ports and this
    /// host's ends of its IO. Nothing is read yet.
    ///
    /// # Errors
    ///
    /// If the guest has no such process, it is not the one of the snapshot, or its IO cannot be
    /// opened. An exited process is no error: its exit is reported when the sandbox goes live.
    pub(crate) fn adopt(
        &self,
        key: Key,
        pid: i32,
        wiring: Wiring<'_>,
        on_exit: OnExit,
    ) -> Result<(), Error> {
        self.refuse_twice(&key)?;
        let Some(InGuest { identity, wait_call_id, .. }) = self.guest.process(&key)? else {
            return Err(Error::precondition(format!("the guest has no process {key}")));
        };
        if identity.pid != pid {
            return Err(Error::precondition(format!(
                "process {key} has id {pid} in the snapshot and {} in the guest: the guest is newer \
                 than the snapshot",
                identity.pid
            )));
        }
        if wait_call_id != wiring.wait_call_id {
            return Err(Error::precondition(format!(
                "the exit of process {key} is waited for by call {} in the snapshot and by call \
                 {wait_call_id} in the guest: the guest is newer than the snapshot",
                wiring.wait_call_id
            )));
        }
        let (streams, made) = self.connect(wiring)?;
        self.keep(key, Parts { identity, adopted: true, streams, made }, wiring, on_exit)
    }

    fn refuse_twice(&self, key: &Key) -> Result<(), Error> {
        match lock(&self.entries.by_key).contains_key(key) {
            true => Err(Error::precondition(format!("process {key} exists already"))),
            false => Ok(()),
        }
    }

    /// Opens both ends of the IO. If it fails, removes everything that it has created.
    fn connect(&self, wiring: Wiring<'_>) -> Result<(Vec<Stream>, Vec<PathBuf>), Error> {
        let mut made = Vec::new();
        match self.streams(wiring, &mut made) {
            Ok(streams) => Ok((streams, made)),
            Err(error) => {
                remove(&made);
                Err(error)
            }
        }
    }

    fn streams(&self, wiring: Wiring<'_>, made: &mut Vec<PathBuf>) -> Result<Vec<Stream>, Error> {
        let Wiring { bundle, paths, ports, .. } = wiring;
        if paths.terminal {
            return Err(Error::new(Code::Unimplemented, "this host has no terminals"));
        }
        if make_private_folder(bundle)? {
            made.push(bundle.to_owned());
        }
        let mut streams = Vec::new();
        if let (Some(path), Some(port)) = (&paths.stdin, ports.stdin) {
            if !path.exists() {
                make_fifo(path)?;
                made.push(path.clone());
            }
            streams.push(Stream::input(open_both_ways(path)?, self.guest.connect(port.get())?));
        }
        for (path, port) in [(&paths.stdout, ports.stdout), (&paths.stderr, ports.stderr)] {
            if let (Some(path), Some(port)) = (path, port) {
                let port = self.guest.connect(port.get())?;
                let (log, is_new) = self.open_log(path).map_err(|error| at(path, error))?;
                if is_new {
                    made.push(path.clone());
                }
                streams.push(Stream::output(port, log)?);
            }
        }
        Ok(streams)
    }

    /// Opens a log, and returns whether it is new. The log of an earlier shim is continued only
    /// with a guest that is continued. A link is not followed.
    fn open_log(&self, path: &Path) -> std::io::Result<(File, bool)> {
        let mut options = OpenOptions::new();
        options.write(true).mode(0o600);
        options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        match options.clone().create_new(true).open(path) {
            Err(error)
                if self.origin == Origin::TakenUp && error.kind() == ErrorKind::AlreadyExists =>
            {
                Ok((options.open(path)?, false))
            }
            opened => Ok((opened?, true)),
        }
    }

    fn keep(
        &self,
        key: Key,
        parts: Parts,
        wiring: Wiring<'_>,
        on_exit: OnExit,
    ) -> Result<(), Error> {
        let Parts { identity, adopted, streams, made } = parts;
        let (process, watched) = match identity.open() {
            Ok(process) => {
                let watched = process.try_clone().inspect_err(|_| remove(&made))?;
                (Some(Arc::new(process)), watched)
            }
            // It exited while there was no shim, and the VM has reaped it.
            Err(_) => (None, always_readable().inspect_err(|_| remove(&made))?),
        };
        let member = self.relay.add(watched, streams);
        let entry = Entry {
            identity,
            process,
            member,
            adopted,
            wait_call_id: wiring.wait_call_id,
            on_exit: Some(on_exit),
            frozen: adopted,
            exited: false,
            made,
        };
        lock(&self.entries.by_key).insert(key, entry);
        if adopted { Ok(()) } else { self.relay.flow(member) }
    }

    /// Holds the IO and the exit of a process: afterwards no line is in transit, and no exit is
    /// reported.
    ///
    /// # Errors
    ///
    /// If a log ends with half a line and cannot be written now: another shim could not continue
    /// it.
    pub(crate) fn freeze(&self, key: &Key) -> Result<(), Error> {
        let member = {
            let mut entries = lock(&self.entries.by_key);
            let Some(entry) = entries.get_mut(key) else { return Ok(()) };
            entry.frozen = true;
            entry.member
        };
        if !self.relay.hold(member) {
            self.thaw(key)?;
            return Err(Error::precondition(format!(
                "the output of process {key} cannot be written, and stopped within a line: make room \
                 for its log, then try again"
            )));
        }
        // If an exit was being reported, it is reported when this lock is ours.
        drop(lock(&self.entries.telling));
        Ok(())
    }

    /// Undoes a freeze, or lets an adopted process go live. Held output and exits come now.
    ///
    /// # Errors
    ///
    /// If the relay cannot continue.
    pub(crate) fn thaw(&self, key: &Key) -> Result<(), Error> {
        if !self.open.load(Ordering::Acquire) {
            // All at once, when the gate is opened.
            return Ok(());
        }
        let (member, exited) = {
            let mut entries = lock(&self.entries.by_key);
            let Some(entry) = entries.get_mut(key) else { return Ok(()) };
            entry.frozen = false;
            (entry.member, std::mem::take(&mut entry.exited))
        };
        if exited {
            // Called from the thread that reports all exits. It lives as long as its sender,
            // `self`.
            let _ = self.events.send(Event::Exited(member));
        }
        self.relay.flow(member)
    }

    /// Releases a process without changing it.
    pub(crate) fn release(&self, key: &Key) {
        // From here on its exit is not reported.
        let Some(entry) = lock(&self.entries.by_key).remove(key) else { return };
        self.relay.remove(entry.member);
        if entry.adopted && !self.open.load(Ordering::Acquire) {
            // Adopted, and never live: this host must be as it was before.
            remove(&entry.made);
        }
    }

    /// Sends a signal.
    ///
    /// # Errors
    ///
    /// If the process is unknown, or may not be signalled. A process that has exited is no error.
    pub(crate) fn signal(&self, key: &Key, signal: Signal) -> Result<(), Error> {
        let process = lock(&self.entries.by_key)
            .get(key)
            .map(|entry| entry.process.clone())
            .ok_or_else(|| Error::precondition(format!("there is no process {key}")))?;
        let Some(process) = process else { return Ok(()) };
        match pidfd_send_signal(&*process, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(std::io::Error::from(error).into()),
        }
    }

    /// Stops all processes where they are, and returns when all have stopped.
    ///
    /// # Errors
    ///
    /// If one cannot be stopped.
    pub(crate) fn pause_all(&self) -> Result<(), Error> {
        self.ask(&Request::Pause).map(drop)
    }

    /// Continues all processes.
    ///
    /// # Errors
    ///
    /// If the VM does not answer.
    pub(crate) fn unpause_all(&self) -> Result<(), Error> {
        self.ask(&Request::Continue).map(drop)
    }

    /// Opens the gate: every adopted process goes live, and the guest continues.
    ///
    /// # Errors
    ///
    /// If a relay cannot start.
    pub(crate) fn open(&self) -> Result<(), Error> {
        self.open.store(true, Ordering::Release);
        let keys: Vec<Key> = lock(&self.entries.by_key).keys().cloned().collect();
        for key in keys {
            self.thaw(&key)?;
        }
        self.unpause_all()
    }

    /// Returns the process of a key, if this shim serves it.
    pub(crate) fn identity(&self, key: &Key) -> Option<Identity> {
        lock(&self.entries.by_key).get(key).map(|entry| entry.identity)
    }
}

/// Returns a descriptor that is always readable, in place of that of an exited process.
fn always_readable() -> Result<OwnedFd, Error> {
    Ok(eventfd(1, EventfdFlags::CLOEXEC).map_err(std::io::Error::from)?)
}

/// Removes files that were created in vain: empty files, then their folder.
fn remove(made: &[PathBuf]) {
    for path in made.iter().rev() {
        let removed = match std::fs::remove_file(path) {
            Err(error) if error.kind() == ErrorKind::IsADirectory => std::fs::remove_dir(path),
            removed => removed,
        };
        if let Err(error) = removed {
            tracing::warn!(path = %path.display(), %error, "what was made cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests;
