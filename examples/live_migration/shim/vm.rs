//! The process of the VM. The processes of the guest are its children, and it holds their ports
//! open, so it outlives every shim, like the worker process of a hypervisor. While there is no
//! shim, the output of a container waits in its ports, and an exit waits in the guest's folder.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{
    Pid, Resource, Rlimit, Signal, WaitId, WaitIdOptions, WaitOptions, getrlimit, kill_process,
    setrlimit, wait, waitid,
};
use snapshot_core::Error;

use crate::shim::bridge::{Answer, Bridge, Request, Start, listen, read_line, write_line};
use crate::shim::guest::{Guest, InGuest, at};
use crate::shim::identity::Identity;
use crate::shim::lock::lock;
use crate::shim::processes::Key;

/// The time for killed processes to end.
const END: Duration = Duration::from_secs(20);

/// The time for stopped processes to stand still.
const STOP: Duration = Duration::from_secs(5);

/// The time for a VM to start and listen, before it counts as missing.
const GONE: Duration = Duration::from_millis(500);

/// The interval at which the VM checks that its folder still exists.
const LOOK: Duration = Duration::from_secs(1);

/// The hidden subcommand.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Vm {
    /// The guest's folder.
    #[arg(long)]
    guest: PathBuf,
}

struct Machine {
    guest: Guest,
    state: Mutex<State>,
    /// A process has started or ended.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The connection that has the VM.
    owner: u64,
    running: HashMap<i32, Key>,
    processes: BTreeMap<Key, Process>,
}

struct Process {
    pid: i32,
    wait_call_id: i64,
    ports: Vec<u32>,
    /// Held open, so that the written bytes stay there without a reader.
    _held: Vec<File>,
}

/// Starts the VM of a guest as a separate process.
///
/// # Errors
///
/// If it cannot be started.
pub(crate) fn boot(guest: &Guest) -> Result<(), Error> {
    let program = std::env::current_exe()?;
    let log = guest.dir().join("log");
    let log = File::create(&log).map_err(|error| at(&log, error))?;
    let mut command = Command::new(&program);
    command.arg("vm").arg("--guest").arg(guest.dir()).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().map(drop).map_err(|error| at(&program, error))
}

/// Switches the VM of the guest in this folder off, with its whole content. Does nothing if there
/// is none.
///
/// # Errors
///
/// If it does not end.
pub(crate) fn switch_off(guest: &Path) -> Result<(), Error> {
    let Ok(guest) = Guest::find(guest) else { return Ok(()) };
    let Ok(mut bridge) = Bridge::connect(&guest, GONE) else { return Ok(()) };
    bridge.ask(&Request::Take)?;
    bridge.ask(&Request::PowerOff).map(drop)
}

impl Vm {
    /// Returns the VM of the guest in this folder.
    #[cfg(test)]
    pub(crate) fn of(guest: PathBuf) -> Self {
        Self { guest }
    }

    /// Serves shims until one switches the VM off, or its folder is gone.
    ///
    /// # Errors
    ///
    /// If the guest's folder has no guest, or already has a socket.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        // In its own session: a signal from the terminal is for the shims.
        rustix::process::setsid()?;
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
        let guest = Guest::find(&self.guest)?;
        let listener = listen(&self.guest)?;
        let machine = Arc::new(Machine { guest, state: Mutex::default(), changed: Condvar::new() });
        let reaping = Arc::clone(&machine);
        std::thread::Builder::new().name("reaper".to_owned()).spawn(move || reaping.reap())?;
        let looking = Arc::clone(&machine);
        std::thread::Builder::new().name("folder".to_owned()).spawn(move || looking.look())?;
        for (number, stream) in (1..).zip(listener.incoming()) {
            let (machine, stream) = (Arc::clone(&machine), stream?);
            std::thread::Builder::new()
                .name(format!("shim-{number}"))
                .spawn(move || machine.serve(number, &stream))?;
        }
        Ok(())
    }
}

impl Machine {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Records exits. A process is reaped under the lock, so that the process numbers are reliable
    /// for the holder of the lock.
    fn reap(&self) {
        loop {
            match waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
                Ok(_) => self.reap_one(),
                Err(Errno::INTR) => {}
                // There is no child: waits for the next one.
                Err(_) => {
                    let state = self.lock();
                    if state.running.is_empty() {
                        drop(self.changed.wait_timeout(state, LOOK));
                    }
                }
            }
        }
    }

    fn reap_one(&self) {
        let mut state = self.lock();
        let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) else { return };
        let code = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => code.cast_unsigned(),
            (None, Some(signal)) => 128 + signal.cast_unsigned(),
            (None, None) => return,
        };
        if let Some(key) = state.running.remove(&pid.as_raw_nonzero().get())
            && let Some(process) = state.processes.get(&key)
            && let Err(error) = self.guest.put_exit(process.wait_call_id, code)
        {
            log(&error);
        }
        self.changed.notify_all();
    }

    /// Ends the VM when its folder is gone, because nobody can find it any more.
    fn look(&self) {
        while self.guest.dir().exists() {
            std::thread::sleep(LOOK);
        }
        self.power_off();
    }

    fn serve(&self, number: u64, stream: &UnixStream) {
        let mut reader = BufReader::new(stream);
        while let Ok(Some(request)) = read_line::<Request>(&mut reader) {
            let is_power_off = matches!(request, Request::PowerOff);
            let answer = self.answer(number, request);
            let answer = answer.unwrap_or_else(|error| Answer::Failed(error.to_string()));
            let is_off = is_power_off && matches!(answer, Answer::Done);
            let written = write_line(&mut &*stream, &answer);
            if is_off {
                std::process::exit(0);
            }
            if written.is_err() {
                return;
            }
        }
    }

    fn answer(&self, number: u64, request: Request) -> Result<Answer, Error> {
        let mut state = self.lock();
        match &request {
            Request::Take => state.owner = number,
            _ if state.owner != number => {
                return Err(Error::precondition("another shim has this VM"));
            }
            _ => {}
        }
        match request {
            Request::Take => Ok(Answer::Done),
            Request::Start(start) => self.start(&mut state, start).map(Answer::Started),
            Request::End(key) => self.end(state, &key).map(|()| Answer::Done),
            Request::Pause => self.pause(state).map(|()| Answer::Done),
            Request::Continue => {
                state.running.keys().for_each(|pid| signal(*pid, Signal::CONT));
                Ok(Answer::Done)
            }
            Request::PowerOff => {
                drop(state);
                self.kill_all()?;
                self.guest.remove_socket();
                Ok(Answer::Done)
            }
        }
    }

    fn start(&self, state: &mut State, start: Start) -> Result<Identity, Error> {
        let Start { key, program, ports, wait_call_id } = start;
        if state.processes.contains_key(&key) {
            return Err(Error::precondition(format!("process {key} exists in the guest")));
        }
        let [name, args @ ..] = program.as_slice() else {
            return Err(Error::invalid(format!("{key}: the process has no program")));
        };
        let made: Vec<u32> = ports.into_iter().flatten().collect();
        let run = || {
            let mut held = Vec::new();
            let mut stdio = Vec::new();
            for port in ports {
                stdio.push(match port {
                    Some(port) => {
                        let file = self.guest.make_port(port)?;
                        held.push(file.try_clone()?);
                        Stdio::from(file)
                    }
                    None => Stdio::null(),
                });
            }
            let mut command = Command::new(name);
            command.args(args).env_clear();
            let mut stdio = stdio.into_iter();
            if let (Some(stdin), Some(stdout), Some(stderr)) =
                (stdio.next(), stdio.next(), stdio.next())
            {
                command.stdin(stdin).stdout(stdout).stderr(stderr);
            }
            let child = command.spawn().map_err(|error| at(Path::new(name), error))?;
            Ok((child.id().cast_signed(), held))
        };
        let (pid, held) = run().inspect_err(|_: &Error| self.guest.remove_ports(&made))?;
        // The reaper waits for the lock, so that an exit finds its process.
        state.running.insert(pid, key.clone());
        let process = Process { pid, wait_call_id, ports: made, _held: held };
        state.processes.insert(key.clone(), process);
        self.changed.notify_all();
        let recorded = Identity::of(pid).and_then(|identity| {
            self.guest.put_process(&InGuest { key, identity, wait_call_id })?;
            Ok(identity)
        });
        // A process that no shim could find again must not run.
        recorded.inspect_err(|_| kill(pid))
    }

    /// Stops all processes where they are, as a hypervisor stops the processors of a VM, and waits
    /// until all have stopped.
    fn pause(&self, state: MutexGuard<'_, State>) -> Result<(), Error> {
        let mut moving: Vec<i32> = state.running.keys().copied().collect();
        moving.iter().for_each(|pid| signal(*pid, Signal::STOP));
        // The reaper needs the lock. Only a child of this process can be waited for, so a number
        // that is free again means no other process.
        drop(state);
        let until = Instant::now() + STOP;
        loop {
            moving.retain(|pid| !stands_still(*pid));
            match moving.first() {
                None => return Ok(()),
                Some(pid) if Instant::now() > until => {
                    return Err(Error::internal(format!(
                        "process {pid} does not stand still after {STOP:?}"
                    )));
                }
                Some(_) => std::thread::sleep(Duration::from_micros(100)),
            }
        }
    }

    /// Ends a process and waits for its end.
    fn end(&self, mut state: MutexGuard<'_, State>, key: &Key) -> Result<(), Error> {
        let Some(pid) = state.processes.get(key).map(|process| process.pid) else { return Ok(()) };
        if state.running.contains_key(&pid) {
            kill(pid);
        }
        state = self.wait_for(state, |state| !state.running.contains_key(&pid))?;
        if let Some(process) = state.processes.remove(key) {
            self.guest.remove_process(key, process.wait_call_id);
            self.guest.remove_ports(&process.ports);
        }
        Ok(())
    }

    fn kill_all(&self) -> Result<(), Error> {
        let state = self.lock();
        state.running.keys().copied().for_each(kill);
        self.wait_for(state, |state| state.running.is_empty()).map(drop)
    }

    fn wait_for<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        holds: impl Fn(&State) -> bool,
    ) -> Result<MutexGuard<'a, State>, Error> {
        let until = Instant::now() + END;
        while !holds(&state) {
            if Instant::now() > until {
                return Err(Error::internal(format!("processes have not ended after {END:?}")));
            }
            let waited = self.changed.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
        Ok(state)
    }

    fn power_off(&self) {
        let ended = self.kill_all();
        self.guest.remove_socket();
        std::process::exit(i32::from(ended.is_err()));
    }
}

/// Kills a child that is not reaped.
fn kill(pid: i32) {
    signal(pid, Signal::KILL);
}

/// Sends a signal to a child that is not reaped.
fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // An error means that it has just ended.
        let _ = kill_process(pid, signal);
    }
}

/// Returns whether a child is stopped, or has ended.
fn stands_still(pid: i32) -> bool {
    let Some(pid) = Pid::from_raw(pid) else { return true };
    let options = WaitIdOptions::STOPPED
        | WaitIdOptions::EXITED
        | WaitIdOptions::NOWAIT
        | WaitIdOptions::NOHANG;
    // An error means that it has ended and is reaped.
    waitid(WaitId::Pid(pid), options).map_or(true, |status| status.is_some())
}

/// Writes to the guest's log.
fn log(error: &Error) {
    // There is nowhere else to report it.
    let _ = writeln!(std::io::stderr(), "{error}");
}
