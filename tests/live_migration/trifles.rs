//! Small failures that must not end a shim that has a sandbox.

use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::program::{binary, run};
use crate::shims::{Shims, Who};

/// Runs both shims with these outputs, and checks by the logs that the sandbox was moved.
fn moves(stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("run");
    let status = Command::new(binary())
        .args(["--seconds", "0.3", "--containers", "1", "--dir"])
        .arg(&folder)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    let status = run(&["status", folder.to_str().unwrap()]);
    status.says("the sandbox has ended at the destination");
    status.says("proved: 1 processes, 1 of them moved");
}

#[test]
fn an_output_that_is_closed_full_or_not_read_is_survived() {
    // A reader that is gone, as with `| head -1`.
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    moves(closed(), closed());
    moves(full(), full());
    // A reader that does not read from a full pipe.
    let (_reader, mut writer) = std::io::pipe().unwrap();
    let flags = rustix::fs::OFlags::NONBLOCK;
    rustix::fs::fcntl_setfl(&writer, flags).unwrap();
    while std::io::Write::write(&mut writer, &[b' '; 4096]).is_ok() {}
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::empty()).unwrap();
    moves(writer.try_clone().unwrap(), writer);
}

/// Sets how long the files of a process may become, in bytes; `None` for no limit.
fn limit_files(id: u32, most: Option<u64>) {
    let pid = Pid::from_raw(id.cast_signed());
    prlimit(pid, Resource::Fsize, Rlimit { current: most, maximum: None }).unwrap();
}

#[test]
fn a_log_without_room_is_completed_when_there_is_room_again() {
    let mut shims = Shims::unix(1, &["--seconds", "1", "--patience", "3"]);
    shims.start(Who::Destination);
    shims.start(Who::Source);
    crate::wait_until("the sandbox is live", || {
        shims.get(Who::Destination).has_said("the sandbox runs here").then_some(())
    });
    // A limit of the file size stands in for a full disk, which only root can make. It ends in the middle
    // of a line, as a disk does.
    let destination = shims.id(Who::Destination).unwrap();
    limit_files(destination, Some(1_003));
    crate::wait_until("the log is full", || {
        shims.get(Who::Destination).has_said("the output cannot be written; it waits").then_some(())
    });
    assert!(!shims.has_ended(Who::Destination), "{}", shims.said());
    limit_files(destination, None);
    crate::wait_until("the log has room", || {
        shims.get(Who::Destination).has_said("the output can be written again").then_some(())
    });
    assert!(shims.finish(Duration::from_secs(60)), "{}", shims.said());
    shims.assert_whole("a full log");
    assert!(shims.said().contains("1 of them moved"), "{}", shims.said());
}

#[test]
fn a_report_that_cannot_be_written_is_reported_and_survived() {
    let mut shims =
        Shims::unix(1, &["--seconds", "0.3", "--patience", "3", "--report", "/missing/r.json"]);
    shims.start(Who::Destination);
    shims.start(Who::Source);
    assert!(shims.finish(Duration::from_secs(60)), "{}", shims.said());
    shims.assert_whole("report");
    let said = shims.said();
    assert!(said.contains("the report cannot be written: /missing/r.json"), "{said}");
    assert!(said.contains("1 of them moved"), "{said}");
}

#[test]
fn a_signal_ends_the_sandbox_of_a_shim_and_its_socket() {
    // A waiting destination, and a source whose sandbox runs.
    let mut shims = Shims::unix(2, &["--seconds", "30"]);
    shims.start(Who::Destination);
    let socket = shims.socket();
    crate::wait_until("it listens", || socket.exists().then_some(()));
    shims.start(Who::Source);
    crate::wait_until("it runs", || {
        shims.get(Who::Source).has_said("runs 2 containers").then_some(())
    });
    for who in Who::BOTH {
        shims.get(who).terminate();
        shims.wait(who).says(if who == Who::Source { "has ended the sandbox" } else { "" });
    }
    assert!(!socket.exists());
    assert!(shims.left_over().is_empty(), "{}", shims.said());
    assert!(shims.status_line().contains("has ended"), "{}", shims.said());
}
