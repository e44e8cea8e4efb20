//! The processes of the guest as this shim knows them: started or adopted, relayed, watched.

mod entries;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Signal, pidfd_send_signal};
use snapshot_core::{Code, Error};
use snapshot_examples::lcow::host::{OnExit, ProcessIo, StdPorts};

use entries::{Entries, Entry};

use crate::shim::guest::{Guest, at, make_fifo, open_both_ways};
use crate::shim::identity::Identity;
use crate::shim::lock::lock;
use crate::shim::protocol::GuestProcess;
use crate::shim::relay::{Event, Relay, Stream};
use crate::shim::workload::EXIT_FILE;

/// How long a process may take to stand still once it was told to.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Which process: its container's id inside the guest, and its exec id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// How a process is reached: its IO and the call that waits for its exit.
#[derive(Clone, Copy)]
pub(crate) struct Wiring<'a> {
    /// This host's ends of its IO.
    pub(crate) paths: &'a ProcessIo,
    /// The guest's ends of its IO.
    pub(crate) ports: StdPorts,
    /// The call that waits for its exit.
    pub(crate) wait_call_id: i64,
}

/// What an entry is made of.
struct Parts {
    identity: Identity,
    child: Option<Child>,
    streams: Vec<Stream>,
    made: Vec<PathBuf>,
}

/// All processes of the guest that this shim serves.
pub(crate) struct Processes {
    guest: Guest,
    relay: Relay,
    entries: Arc<Entries>,
    /// Closed on a destination until the whole sandbox has resumed: a resume that fails in a later
    /// controller must not have eaten a line.
    open: AtomicBool,
    /// What the source says about the guest's processes.
    expected: Mutex<BTreeMap<Key, Identity>>,
    events: Sender<Event>,
}

impl Processes {
    /// No processes yet. With `open`, the relay of each begins when it is started or resumed;
    /// without, when [`Processes::open`] is called.
    ///
    /// # Errors
    ///
    /// The relay cannot be started.
    pub(crate) fn new(guest: Guest, open: bool) -> Result<Self, Error> {
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
            open: AtomicBool::new(open),
            expected: Mutex::new(BTreeMap::new()),
            events,
        })
    }

    /// Starts `program` in the guest, with its standard streams on vsock ports, and relays them.
    ///
    /// # Errors
    ///
    /// The process exists already, its IO cannot be opened, or it cannot be started.
    pub(crate) fn start(
        &self,
        key: Key,
        program: &[String],
        wiring: Wiring<'_>,
        on_exit: OnExit,
    ) -> Result<Identity, Error> {
        self.refuse_twice(&key)?;
        let [program, args @ ..] = program else {
            return Err(Error::invalid(format!("{key}: the process has no program")));
        };
        let mut command = Command::new(program);
        command.args(args).env_clear();
        command.env(EXIT_FILE, self.guest.exit_path(wiring.wait_call_id));
        let port = |port: Option<std::num::NonZeroU32>| match port {
            Some(port) => self.guest.make_port(port.get()),
            None => Ok(File::options().read(true).write(true).open("/dev/null")?),
        };
        command.stdin(port(wiring.ports.stdin)?);
        command.stdout(port(wiring.ports.stdout)?);
        command.stderr(port(wiring.ports.stderr)?);
        let (streams, made) = self.connect(wiring)?;
        let child = command.spawn().map_err(|error| at(Path::new(program), error))?;
        let identity = Identity::of(child.id().cast_signed())?;
        let parts = Parts { identity, child: Some(child), streams, made };
        self.keep(key, parts, wiring, on_exit)?;
        Ok(identity)
    }

    /// Takes over a process that runs: finds it, makes sure that it is the one, and opens its ports
    /// and this host's ends of its IO. Nothing is read yet.
    ///
    /// # Errors
    ///
    /// The process is not the one that the source has told of, has gone, or its IO cannot be opened.
    pub(crate) fn adopt(
        &self,
        key: Key,
        pid: i32,
        wiring: Wiring<'_>,
        on_exit: OnExit,
    ) -> Result<(), Error> {
        self.refuse_twice(&key)?;
        let identity = lock(&self.expected).get(&key).copied().ok_or_else(|| {
            Error::precondition(format!("the source has told of no process {key} in the guest"))
        })?;
        if identity.pid != pid {
            return Err(Error::invalid(format!(
                "process {key} has id {pid} in the snapshot and {} in the guest",
                identity.pid
            )));
        }
        let (streams, made) = self.connect(wiring)?;
        self.keep(key, Parts { identity, child: None, streams, made }, wiring, on_exit)
    }

    fn refuse_twice(&self, key: &Key) -> Result<(), Error> {
        match lock(&self.entries.by_key).contains_key(key) {
            true => Err(Error::precondition(format!("process {key} exists already"))),
            false => Ok(()),
        }
    }

    /// Opens both ends of the IO. What was made on the way is taken away again if it fails.
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
        let Wiring { paths, ports, .. } = wiring;
        if paths.terminal {
            return Err(Error::new(Code::Unimplemented, "this host has no terminals"));
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
                let log = OpenOptions::new().write(true).create_new(true).open(path);
                let log = log.map_err(|error| at(path, error))?;
                made.push(path.clone());
                streams.push(Stream::output(port, log)?);
            }
        }
        Ok(streams)
    }

    fn keep(
        &self,
        key: Key,
        parts: Parts,
        wiring: Wiring<'_>,
        on_exit: OnExit,
    ) -> Result<(), Error> {
        let Parts { identity, child, streams, made } = parts;
        let adopted = child.is_none();
        let open = identity.open().and_then(|process| Ok((process.try_clone()?, process)));
        let (process, watched) = open.inspect_err(|_| remove(&made))?;
        let member = self.relay.add(watched, streams);
        let entry = Entry {
            identity,
            process: Arc::new(process),
            member,
            child,
            wait_call_id: wiring.wait_call_id,
            on_exit: Some(on_exit),
            frozen: adopted,
            exited: false,
            made,
        };
        lock(&self.entries.by_key).insert(key, entry);
        if adopted { Ok(()) } else { self.relay.flow(member) }
    }

    /// Lets a process's IO and exit stand still: on return no line is on its way, and no exit is
    /// told.
    pub(crate) fn freeze(&self, key: &Key) {
        let member = {
            let mut entries = lock(&self.entries.by_key);
            let Some(entry) = entries.get_mut(key) else { return };
            entry.frozen = true;
            entry.member
        };
        self.relay.hold(member);
        // An exit that is being told has been told when this lock is ours.
        drop(lock(&self.entries.telling));
    }

    /// Takes a freeze back, or lets an adopted process go live. What was held back comes now.
    ///
    /// # Errors
    ///
    /// The relay cannot go on.
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
            // Told from the thread that tells all exits. It lives as long as its sender, `self`.
            let _ = self.events.send(Event::Exited(member));
        }
        self.relay.flow(member)
    }

    /// Lets go of a process without touching it.
    pub(crate) fn release(&self, key: &Key) {
        // From here on its exit is told to nobody.
        let Some(entry) = lock(&self.entries.by_key).remove(key) else { return };
        self.relay.remove(entry.member);
        if entry.child.is_none() && !self.open.load(Ordering::Acquire) {
            // Adopted, and never gone live: this host is to be as it was.
            remove(&entry.made);
        }
    }

    /// Sends a signal.
    ///
    /// # Errors
    ///
    /// The process is unknown, or may not be signalled. One that has exited already is no error.
    pub(crate) fn signal(&self, key: &Key, signal: Signal) -> Result<(), Error> {
        let process = lock(&self.entries.by_key)
            .get(key)
            .map(|entry| Arc::clone(&entry.process))
            .ok_or_else(|| Error::precondition(format!("there is no process {key}")))?;
        match pidfd_send_signal(&*process, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(std::io::Error::from(error).into()),
        }
    }

    /// Stops all processes where they are, as a hypervisor stops the processors of a VM, and
    /// returns when all stand still.
    ///
    /// # Errors
    ///
    /// One cannot be stopped.
    pub(crate) fn pause_all(&self) -> Result<(), Error> {
        let all = self.all();
        for (key, _) in &all {
            self.signal(key, Signal::STOP)?;
        }
        let deadline = Instant::now() + STOP_TIMEOUT;
        for (key, identity) in all {
            // An error: the process has gone altogether.
            while !identity.is_stopped().unwrap_or(true) {
                if Instant::now() > deadline {
                    return Err(Error::new(
                        Code::DeadlineExceeded,
                        format!("process {key} does not stand still after {STOP_TIMEOUT:?}"),
                    ));
                }
                std::thread::sleep(Duration::from_micros(100));
            }
        }
        Ok(())
    }

    /// Kills all processes, unless the gate is closed: they are the source's then.
    ///
    /// # Errors
    ///
    /// One cannot be killed; the others are.
    pub(crate) fn kill_all(&self) -> Result<(), Error> {
        if !self.open.load(Ordering::Acquire) {
            return Ok(());
        }
        let kill = |(key, _): (Key, Identity)| self.signal(&key, Signal::KILL).err();
        Error::collect(self.all().into_iter().filter_map(kill))
    }

    /// Lets all processes go on.
    ///
    /// # Errors
    ///
    /// One cannot be continued; the others are.
    pub(crate) fn unpause_all(&self) -> Result<(), Error> {
        let failures = self.all().into_iter().filter_map(|(key, _)| self.unpause(&key).err());
        Error::collect(failures)
    }

    fn unpause(&self, key: &Key) -> Result<(), Error> {
        self.signal(key, Signal::CONT)
    }

    /// Opens the gate: every adopted process goes live, and the guest goes on.
    ///
    /// # Errors
    ///
    /// A relay cannot begin.
    pub(crate) fn open(&self) -> Result<(), Error> {
        self.open.store(true, Ordering::Release);
        for (key, _) in self.all() {
            self.thaw(&key)?;
        }
        self.unpause_all()
    }

    fn all(&self) -> Vec<(Key, Identity)> {
        let entries = lock(&self.entries.by_key);
        entries.iter().map(|(key, entry)| (key.clone(), entry.identity)).collect()
    }

    /// The process behind a key, if this shim serves it.
    pub(crate) fn identity(&self, key: &Key) -> Option<Identity> {
        lock(&self.entries.by_key).get(key).map(|entry| entry.identity)
    }

    /// What there is in the guest, for the destination.
    pub(crate) fn told(&self) -> Vec<GuestProcess> {
        let told = |(key, identity): (Key, Identity)| GuestProcess {
            container: key.container,
            exec: key.exec,
            identity,
        };
        self.all().into_iter().map(told).collect()
    }

    /// Takes what the source has told about the guest.
    pub(crate) fn expect(&self, processes: Vec<GuestProcess>) {
        let told = |process: GuestProcess| {
            (Key { container: process.container, exec: process.exec }, process.identity)
        };
        *lock(&self.expected) = processes.into_iter().map(told).collect();
    }
}

/// Removes files that were made for nothing. What cannot be removed is an empty file.
fn remove(made: &[PathBuf]) {
    for path in made {
        if let Err(error) = std::fs::remove_file(path) {
            tracing::warn!(path = %path.display(), %error, "a file that was made cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests;
