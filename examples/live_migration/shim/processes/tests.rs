use std::io::Write;
use std::num::NonZeroU32;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use snapshot_examples::lcow::host::Exit;

use super::*;
use crate::shim::sandbox::io;

/// Answers every line, and exits with 7 on `stop`.
const PROGRAM: &str = "while read line; do
    if [ $line = stop ]; then exit 7; fi
    echo got $line; done";

/// The environment variable with the guest's folder, for the VM.
const GUEST: &str = "LIVE_MIGRATION_TEST_GUEST";

/// Not a test: the VM's process, which is this program again.
#[test]
#[ignore = "the process of the VM, for the other tests"]
fn vm() {
    if let Some(guest) = std::env::var_os(GUEST) {
        crate::shim::vm::Vm::of(guest.into()).run().unwrap();
    }
}

/// Boots the VM of a guest. It ends when it is switched off.
#[expect(clippy::zombie_processes, reason = "a test program reaps nothing at its end")]
fn boot(guest: &Guest) {
    std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "shim::processes::tests::vm"])
        .env(GUEST, guest.dir())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
}

/// A guest with one process, `c1`, of a source.
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
        boot(&guest);
        let source = Processes::new(guest.clone(), Origin::Built).unwrap();
        source.take_bridge().unwrap();
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

    /// A destination, with its gate closed.
    fn destination(&self) -> Processes {
        Processes::new(self.guest.clone(), Origin::Handed).unwrap()
    }

    fn pid(&self) -> i32 {
        self.source.identity(&key()).unwrap().pid
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = crate::shim::vm::switch_off(self.guest.dir());
    }
}

fn wiring(paths: &ProcessIo) -> Wiring<'_> {
    let bundle = paths.stdin.as_deref().and_then(Path::parent).unwrap();
    Wiring { bundle, paths, ports: ports(), wait_call_id: 5 }
}

#[test]
fn a_process_changes_hands_and_answers_on() {
    let fixture = Fixture::new();
    fixture.types("source", "one");
    fixture.logs("source", "got one\n");
    fixture.source.freeze(&key()).unwrap();
    let destination = fixture.destination();
    let (on_exit, exits) = told();
    let io = fixture.io("destination");
    destination.adopt(key(), fixture.pid(), wiring(&io), on_exit).unwrap();
    destination.thaw(&key()).unwrap();
    // Behind the closed gate nothing is relayed, although the destination has resumed.
    fixture.types("destination", "two");
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(fixture.log("destination"), "");
    destination.take_bridge().unwrap();
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
    fixture.source.freeze(&key()).unwrap();
    // Without the relay, as if the guest had read it just before.
    let mut stdin = fixture.guest.connect(1).unwrap();
    stdin.write_all(b"last\nstop\n").unwrap();
    let identity = fixture.source.identity(&key()).unwrap();
    soon("it exits", || fixture.guest.exit_code(5));
    let destination = fixture.destination();
    let (on_exit, exits) = told();
    let io = fixture.io("destination");
    destination.adopt(key(), identity.pid, wiring(&io), on_exit).unwrap();
    destination.thaw(&key()).unwrap();
    assert!(exits.recv_timeout(Duration::from_millis(50)).is_err());
    destination.take_bridge().unwrap();
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
    fixture.source.freeze(&key()).unwrap();
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
    fixture.source.freeze(&key()).unwrap();
    let destination = fixture.destination();
    let io = fixture.io("destination");
    destination.adopt(key(), fixture.pid(), wiring(&io), told().0).unwrap();
    destination.thaw(&key()).unwrap();
    destination.release(&key());
    destination.power_off().unwrap();
    let left = std::fs::read_dir(fixture.dir.path().join("destination")).unwrap().count();
    assert_eq!(left, 0);
    fixture.types("source", "still here");
    fixture.source.thaw(&key()).unwrap();
    fixture.logs("source", "got still here\n");
}

#[test]
fn a_process_that_is_not_the_one_of_the_snapshot_is_not_adopted() {
    let fixture = Fixture::new();
    let io = fixture.io("destination");
    let destination = fixture.destination();
    let unknown = Key { container: "c2".to_owned(), exec: String::new() };
    let pid = fixture.pid();
    let call = |wait_call_id| Wiring { wait_call_id, ..wiring(&io) };
    for (key, pid, wiring, why) in [
        (unknown, pid, call(5), "the guest has no process c2"),
        (key(), 1, call(5), "has id 1 in the snapshot"),
        (key(), pid, call(4), "by call 4 in the snapshot"),
    ] {
        let refused = destination.adopt(key, pid, wiring, told().0).unwrap_err();
        assert!(refused.to_string().contains(why), "{refused}");
    }
    let left = std::fs::read_dir(fixture.dir.path().join("destination")).unwrap().count();
    assert_eq!(left, 0);
}

#[test]
fn a_process_outlives_its_shim_and_is_taken_up_with_what_it_wrote_meanwhile() {
    let fixture = Fixture::new();
    fixture.types("source", "one");
    fixture.logs("source", "got one\n");
    fixture.source.release(&key());
    // There is no shim: it is written directly into the port.
    let mut stdin = fixture.guest.connect(1).unwrap();
    stdin.write_all(b"two\nstop\n").unwrap();
    soon("it exits", || fixture.guest.exit_code(5));
    let next = Processes::new(fixture.guest.clone(), Origin::TakenUp).unwrap();
    next.take_bridge().unwrap();
    let (on_exit, exits) = told();
    let io = fixture.io("source");
    let pid = fixture.guest.process(&key()).unwrap().unwrap().identity.pid;
    next.adopt(key(), pid, wiring(&io), on_exit).unwrap();
    next.open().unwrap();
    next.thaw(&key()).unwrap();
    assert_eq!(exits.recv_timeout(Duration::from_secs(20)), Ok(7));
    fixture.logs("source", "got one\ngot two\n");
    // The earlier shim no longer has the guest.
    let (on_exit, _) = told();
    let refused = fixture.source.start(key(), &[], wiring(&io), on_exit).unwrap_err();
    assert!(refused.to_string().contains("another shim has this VM"), "{refused}");
}

#[test]
fn a_process_that_no_checkpoint_knows_is_ended_and_leaves_nothing() {
    let fixture = Fixture::new();
    let identity = fixture.source.identity(&key()).unwrap();
    assert_eq!(fixture.source.keep_only(&BTreeSet::from([key()])).unwrap(), []);
    assert_eq!(fixture.source.keep_only(&BTreeSet::new()).unwrap(), [key()]);
    assert!(identity.open().is_err());
    assert_eq!(fixture.guest.processes().unwrap(), []);
    assert_eq!(fixture.guest.exit_code(5), None);
    assert!(fixture.guest.connect(1).is_err(), "its ports are free");
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
