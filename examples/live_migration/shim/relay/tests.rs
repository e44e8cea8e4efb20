use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::*;
use crate::shim::guest::open_both_ways;

/// A process that lives until its standard input is closed, with a port.
struct Fixture {
    dir: tempfile::TempDir,
    process: Child,
    port: File,
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        crate::shim::guest::make_fifo(&dir.path().join("port")).unwrap();
        let port = open_both_ways(&dir.path().join("port")).unwrap();
        let process = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        Self { dir, process, port }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn add(&self, relay: &Relay, log: &str) -> MemberId {
        let port = open_both_ways(&self.dir.path().join("port")).unwrap();
        let log = File::create(self.log(log)).unwrap();
        let pid = Pid::from_child(&self.process);
        let process = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        relay.add(process, vec![Stream::output(port, log).unwrap()])
    }

    fn end(&mut self) {
        drop(self.process.stdin.take());
        // Not reaped before the relay has seen it: an exited process is still a process.
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn relay() -> (Relay, Receiver<Event>) {
    let (sender, events) = channel();
    (Relay::start(sender).unwrap(), events)
}

fn wait_for(log: &Path, text: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while std::fs::read_to_string(log).unwrap() != text {
        assert!(
            Instant::now() < deadline,
            "{:?} instead of {text:?}",
            std::fs::read_to_string(log).unwrap()
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn whole_lines_are_carried_and_half_a_line_stays_in_the_port() {
    let mut fixture = Fixture::new();
    let (relay, _events) = relay();
    let id = fixture.add(&relay, "log");
    relay.flow(id).unwrap();
    fixture.port.write_all(b"one\ntwo\nthr").unwrap();
    wait_for(&fixture.log("log"), "one\ntwo\n");
    fixture.port.write_all(b"ee\n").unwrap();
    wait_for(&fixture.log("log"), "one\ntwo\nthree\n");
    assert_eq!(relay.moved(id), 14);
}

#[test]
fn nothing_is_carried_before_the_first_flow_and_while_held() {
    let mut fixture = Fixture::new();
    let (relay, _events) = relay();
    let id = fixture.add(&relay, "log");
    fixture.port.write_all(b"early\n").unwrap();
    std::thread::sleep(Duration::from_millis(20));
    wait_for(&fixture.log("log"), "");
    relay.flow(id).unwrap();
    wait_for(&fixture.log("log"), "early\n");
    relay.hold(id);
    fixture.port.write_all(b"held\n").unwrap();
    std::thread::sleep(Duration::from_millis(20));
    wait_for(&fixture.log("log"), "early\n");
    relay.flow(id).unwrap();
    wait_for(&fixture.log("log"), "early\nheld\n");
}

#[test]
fn the_next_relay_of_a_port_goes_on_with_the_next_line() {
    let mut fixture = Fixture::new();
    let (source, _source_events) = relay();
    let (destination, _destination_events) = relay();
    let leaving = fixture.add(&source, "source");
    source.flow(leaving).unwrap();
    let mut writer = fixture.port.try_clone().unwrap();
    let writing = std::thread::spawn(move || {
        for number in 0..5000 {
            // In two pieces, so that the hand-over finds half a line.
            write!(writer, "line ").unwrap();
            writeln!(writer, "{number}").unwrap();
        }
    });
    let deadline = Instant::now() + Duration::from_secs(10);
    while source.moved(leaving) == 0 {
        assert!(Instant::now() < deadline, "nothing was carried");
    }
    source.hold(leaving);
    let arriving = fixture.add(&destination, "destination");
    source.remove(leaving);
    destination.flow(arriving).unwrap();
    writing.join().unwrap();
    let expected: String = (0..5000).map(|number| format!("line {number}\n")).collect();
    let first = std::fs::read_to_string(fixture.log("source")).unwrap();
    assert!(first.is_empty() || first.ends_with('\n'), "{first:?}");
    wait_for(&fixture.log("destination"), &expected[first.len()..]);
    assert_eq!(&expected[..first.len()], first);
    fixture.end();
}

#[test]
fn an_exit_is_told_once_and_after_the_last_line() {
    let mut fixture = Fixture::new();
    let (relay, events) = relay();
    let id = fixture.add(&relay, "log");
    relay.flow(id).unwrap();
    fixture.port.write_all(b"last words\nwithout an end").unwrap();
    fixture.end();
    let told = events.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(matches!(told, Event::Exited(exited) if exited == id), "{told:?}");
    wait_for(&fixture.log("log"), "last words\nwithout an end");
    relay.hold(id);
    relay.flow(id).unwrap();
    assert!(events.recv_timeout(Duration::from_millis(50)).is_err());
}

#[test]
fn an_exit_while_held_is_told_when_it_flows_again() {
    let mut fixture = Fixture::new();
    let (relay, events) = relay();
    let id = fixture.add(&relay, "log");
    relay.flow(id).unwrap();
    relay.hold(id);
    fixture.end();
    assert!(events.recv_timeout(Duration::from_millis(50)).is_err());
    relay.flow(id).unwrap();
    let told = events.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(matches!(told, Event::Exited(exited) if exited == id), "{told:?}");
}

#[test]
fn input_is_carried_into_a_port_that_is_full_at_first() {
    let fixture = Fixture::new();
    let (relay, _events) = relay();
    crate::shim::guest::make_fifo(&fixture.log("stdin")).unwrap();
    let mut outside = open_both_ways(&fixture.log("stdin")).unwrap();
    let inside = open_both_ways(&fixture.log("stdin")).unwrap();
    let mut port = fixture.port.try_clone().unwrap();
    port.write_all(&vec![b'.'; WINDOW]).unwrap();
    let process = pidfd_open(Pid::from_child(&fixture.process), PidfdFlags::empty()).unwrap();
    let streams = vec![Stream::input(inside, fixture.port.try_clone().unwrap())];
    relay.flow(relay.add(process, streams)).unwrap();
    outside.write_all(b"stop\n").unwrap();
    std::thread::sleep(Duration::from_millis(20));
    let mut full = vec![0; WINDOW];
    port.read_exact(&mut full).unwrap();
    assert!(full.iter().all(|&byte| byte == b'.'));
    let mut line: Vec<u8> = Vec::new();
    while line.len() < 5 {
        let mut byte = [0];
        match port.read(&mut byte) {
            Ok(count) => line.extend(&byte[..count]),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
    }
    assert_eq!(line, b"stop\n");
}

#[test]
fn a_line_longer_than_a_pipe_is_carried() {
    let fixture = Fixture::new();
    let (relay, _events) = relay();
    let id = fixture.add(&relay, "log");
    relay.flow(id).unwrap();
    let line = "x".repeat(3 * WINDOW) + "\n";
    // It blocks, as the guest's end does. The pieces do not fill the pages of the pipe, so the pipe
    // is full long before it holds its nominal size.
    let mut guest = std::fs::OpenOptions::new().write(true).open(fixture.log("port")).unwrap();
    for piece in line.as_bytes().chunks(2100) {
        guest.write_all(piece).unwrap();
    }
    wait_for(&fixture.log("log"), &line);
}

#[test]
fn a_log_that_cannot_be_written_is_reported_once_and_loses_nothing() {
    let mut fixture = Fixture::new();
    let (relay, events) = relay();
    let pid = Pid::from_child(&fixture.process);
    let process = pidfd_open(pid, PidfdFlags::empty()).unwrap();
    File::create(fixture.log("log")).unwrap();
    let read_only = File::open(fixture.log("log")).unwrap();
    let port = fixture.port.try_clone().unwrap();
    let failing = relay.add(process, vec![Stream::output(port, read_only).unwrap()]);
    relay.flow(failing).unwrap();
    fixture.port.write_all(b"kept\n").unwrap();
    let told = events.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(matches!(told, Event::Failed(failed, _) if failed == failing), "{told:?}");
    // It is tried again, but not reported a second time.
    assert!(events.recv_timeout(AGAIN * 3).is_err());
    assert!(relay.hold(failing), "not half a line is in the log");
    relay.remove(failing);
    let id = fixture.add(&relay, "log");
    relay.flow(id).unwrap();
    wait_for(&fixture.log("log"), "kept\n");
}
