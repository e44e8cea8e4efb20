//! The processes of the guest as this shim knows them: started or adopted, relayed, watched.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Signal, pidfd_send_signal};
use snapshot_core::{Code, Error};
use snapshot_examples::lcow::host::{Exit, OnExit, ProcessIo, StdPorts};

use crate::shim::guest::{Guest, at, make_fifo, open_both_ways};
use crate::shim::identity::{Identity, exit_code};
use crate::shim::lock::lock;
use crate::shim::protocol::GuestProcess;
use crate::shim::relay::{Event, MemberId, Relay, Stream};
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

struct Entry {
    identity: Identity,
    process: Arc<OwnedFd>,
    member: MemberId,
    /// Only where it was started: who started it is asked for its exit status.
    child: Option<Child>,
    wait_call_id: i64,
    on_exit: Option<OnExit>,
    frozen: bool,
    /// It exited while it was frozen: told when it is thawed.
    exited: bool,
    /// What an abort removes again.
    made: Vec<PathBuf>,
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

struct Entries {
    guest: Guest,
    by_key: Mutex<BTreeMap<Key, Entry>>,
    /// Held while an exit is told, so that a freeze can wait for it.
    telling: Mutex<()>,
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
        // In a group of its own: an interrupt from the terminal is for the shims.
        command.args(args).env_clear().process_group(0);
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
        self.freeze(key);
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

impl Entries {
    /// The thread that tells exits.
    fn serve(&self, events: &Receiver<Event>) {
        for event in events {
            match event {
                Event::Exited(member) => self.tell(member),
                Event::Failed(member, error) => {
                    let entries = lock(&self.by_key);
                    let of = entries.iter().find(|(_, entry)| entry.member == member);
                    let key = of.map_or_else(|| "(gone)".to_owned(), |(key, _)| key.to_string());
                    tracing::error!(process = key, %error, "the output cannot be written");
                }
            }
        }
    }

    fn tell(&self, member: MemberId) {
        let _telling = lock(&self.telling);
        let (on_exit, code) = {
            let mut entries = lock(&self.by_key);
            let Some(entry) = entries.values_mut().find(|entry| entry.member == member) else {
                return;
            };
            if entry.frozen {
                entry.exited = true;
                return;
            }
            let Some(on_exit) = entry.on_exit.take() else { return };
            (on_exit, entry.exit_code(&self.guest))
        };
        on_exit(Exit { code, at: SystemTime::now() });
    }
}

impl Entry {
    /// The exit code of a process that has exited. One that was started here is reaped. That of an
    /// adopted one is the guest's answer to the call that waits for it, or, if it was killed and
    /// could not answer, what its parent has not reaped yet. If nobody knows it any more it is 255.
    fn exit_code(&mut self, guest: &Guest) -> u32 {
        let known = match &mut self.child {
            Some(child) => child.wait().ok().map(|status| exit_code(status.into_raw())),
            None => guest.exit_code(self.wait_call_id).or_else(|| self.identity.exit_code()),
        };
        known.unwrap_or(255)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::num::NonZeroU32;

    use super::*;
    use crate::shim::sandbox::io;

    /// Answers every line, and exits with 7 on `stop`.
    const PROGRAM: &str = "while read line; do
        if [ $line = stop ]; then printf 7 > $LIVE_MIGRATION_EXIT_FILE; exit 7; fi
        echo got $line; done";

    /// A guest with one process, `c1`, in the hands of a source.
    struct Fixture {
        dir: tempfile::TempDir,
        guest: Guest,
        source: Processes,
        exits: Receiver<u32>,
    }

    fn key() -> Key {
        Key { container: "c1".to_owned(), exec: String::new() }
    }

    fn ports() -> StdPorts {
        let port = NonZeroU32::new;
        StdPorts { stdin: port(1), stdout: port(2), stderr: None }
    }

    fn told() -> (OnExit, Receiver<u32>) {
        let (sender, exits) = channel();
        (Box::new(move |exit: Exit| sender.send(exit.code).unwrap()), exits)
    }

    fn soon<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < deadline, "{what}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    impl Fixture {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let guest = Guest::build(&dir.path().join("guest")).unwrap();
            let source = Processes::new(guest.clone(), true).unwrap();
            let (on_exit, exits) = told();
            let fixture = Self { dir, guest, source, exits };
            let io = fixture.io("source");
            let program = ["/bin/sh", "-c", PROGRAM].map(str::to_owned);
            fixture.source.start(key(), &program, wiring(&io), on_exit).unwrap();
            fixture
        }

        fn io(&self, host: &str) -> ProcessIo {
            let bundle = self.dir.path().join(host);
            std::fs::create_dir_all(&bundle).unwrap();
            ProcessIo { stderr: None, ..io(&bundle) }
        }

        fn types(&self, host: &str, line: &str) {
            let mut pipe = open_both_ways(&self.dir.path().join(host).join("stdin")).unwrap();
            writeln!(pipe, "{line}").unwrap();
        }

        fn log(&self, host: &str) -> String {
            std::fs::read_to_string(self.dir.path().join(host).join("stdout.log")).unwrap()
        }

        fn logs(&self, host: &str, text: &str) {
            soon(text, || (self.log(host) == text).then_some(()));
        }

        /// A destination that was told of the guest, with its gate closed.
        fn destination(&self) -> Processes {
            let destination = Processes::new(self.guest.clone(), false).unwrap();
            destination.expect(self.source.told());
            destination
        }

        fn pid(&self) -> i32 {
            self.source.identity(&key()).unwrap().pid
        }
    }

    impl Drop for Fixture {
        fn drop(&mut self) {
            let _ = self.source.signal(&key(), Signal::KILL);
        }
    }

    fn wiring(paths: &ProcessIo) -> Wiring<'_> {
        Wiring { paths, ports: ports(), wait_call_id: 5 }
    }

    #[test]
    fn a_process_changes_hands_and_answers_on() {
        let fixture = Fixture::new();
        fixture.types("source", "one");
        fixture.logs("source", "got one\n");
        fixture.source.freeze(&key());
        let destination = fixture.destination();
        let (on_exit, exits) = told();
        let io = fixture.io("destination");
        destination.adopt(key(), fixture.pid(), wiring(&io), on_exit).unwrap();
        destination.thaw(&key()).unwrap();
        // Behind the closed gate nothing is relayed, though the destination has resumed.
        fixture.types("destination", "two");
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(fixture.log("destination"), "");
        destination.open().unwrap();
        fixture.logs("destination", "got two\n");
        fixture.source.release(&key());
        fixture.types("destination", "stop");
        assert_eq!(exits.recv_timeout(Duration::from_secs(20)), Ok(7));
        assert!(fixture.exits.try_recv().is_err());
        assert_eq!(fixture.log("source"), "got one\n");
    }

    #[test]
    fn what_happens_between_freeze_and_resume_is_told_by_the_destination_alone() {
        let fixture = Fixture::new();
        fixture.source.freeze(&key());
        // Past the relay, as if the guest had read it just before.
        let mut stdin = fixture.guest.connect(1).unwrap();
        stdin.write_all(b"last\nstop\n").unwrap();
        let identity = fixture.source.identity(&key()).unwrap();
        soon("it exits", || identity.exit_code());
        let destination = fixture.destination();
        let (on_exit, exits) = told();
        let io = fixture.io("destination");
        destination.adopt(key(), identity.pid, wiring(&io), on_exit).unwrap();
        destination.thaw(&key()).unwrap();
        assert!(exits.recv_timeout(Duration::from_millis(50)).is_err());
        destination.open().unwrap();
        assert_eq!(exits.recv_timeout(Duration::from_secs(20)), Ok(7));
        fixture.source.release(&key());
        assert!(fixture.exits.try_recv().is_err());
        assert_eq!(fixture.log("source"), "");
        assert_eq!(fixture.log("destination"), "got last\n");
    }

    #[test]
    fn an_exit_while_frozen_is_told_after_the_thaw() {
        let fixture = Fixture::new();
        fixture.source.freeze(&key());
        fixture.source.signal(&key(), Signal::KILL).unwrap();
        assert!(fixture.exits.recv_timeout(Duration::from_millis(50)).is_err());
        fixture.source.thaw(&key()).unwrap();
        assert_eq!(fixture.exits.recv_timeout(Duration::from_secs(20)), Ok(128 + 9));
        fixture.source.thaw(&key()).unwrap();
        assert!(fixture.exits.recv_timeout(Duration::from_millis(50)).is_err());
    }

    #[test]
    fn an_adoption_that_is_given_up_leaves_nothing_behind() {
        let fixture = Fixture::new();
        fixture.source.freeze(&key());
        let destination = fixture.destination();
        let io = fixture.io("destination");
        destination.adopt(key(), fixture.pid(), wiring(&io), told().0).unwrap();
        destination.thaw(&key()).unwrap();
        destination.release(&key());
        destination.kill_all().unwrap();
        let left = std::fs::read_dir(fixture.dir.path().join("destination")).unwrap().count();
        assert_eq!(left, 0);
        fixture.types("source", "still here");
        fixture.source.thaw(&key()).unwrap();
        fixture.logs("source", "got still here\n");
    }

    #[test]
    fn a_process_that_the_source_did_not_tell_of_is_not_adopted() {
        let fixture = Fixture::new();
        let io = fixture.io("destination");
        let stranger = Processes::new(fixture.guest.clone(), false).unwrap();
        let refused = stranger.adopt(key(), fixture.pid(), wiring(&io), told().0).unwrap_err();
        assert!(refused.to_string().contains("has told of no process c1"), "{refused}");

        let destination = fixture.destination();
        let refused = destination.adopt(key(), 1, wiring(&io), told().0).unwrap_err();
        assert!(refused.to_string().contains("has id 1 in the snapshot"), "{refused}");

        let mut processes = fixture.source.told();
        processes[0].identity.start_time += 1;
        destination.expect(processes);
        let pid = fixture.pid();
        let refused = destination.adopt(key(), pid, wiring(&io), told().0).unwrap_err();
        assert!(refused.to_string().contains("is another one"), "{refused}");
        let left = std::fs::read_dir(fixture.dir.path().join("destination")).unwrap().count();
        assert_eq!(left, 0);
    }

    #[test]
    fn paused_processes_stand_still() {
        let fixture = Fixture::new();
        fixture.source.pause_all().unwrap();
        fixture.types("source", "one");
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(fixture.log("source"), "");
        fixture.source.unpause_all().unwrap();
        fixture.logs("source", "got one\n");
    }
}
