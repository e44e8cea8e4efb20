use std::io::Write;
use std::num::NonZeroU32;
use std::sync::mpsc::Receiver;

use snapshot_examples::lcow::host::Exit;

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
