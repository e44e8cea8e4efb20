//! The example `live_migration`, run as a user runs it: real shims, real processes, real logs.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed test panics where it failed")]

#[path = "live_migration/every_message.rs"]
mod every_message;
mod example_binary;
#[path = "live_migration/kills.rs"]
mod kills;
#[path = "live_migration/program.rs"]
mod program;
#[path = "live_migration/proxy.rs"]
mod proxy;
#[path = "live_migration/shims.rs"]
mod shims;
#[path = "live_migration/strangers.rs"]
mod strangers;
#[path = "live_migration/trifles.rs"]
mod trifles;

use std::path::Path;
use std::time::{Duration, Instant};

use program::{check_logs, run, spawn};
use proxy::{FROM_DESTINATION, Proxy};
use snapshot_core::{Code, Incoming, MigrationReport, SideReport};
use snapshot_examples::lcow::Sandbox;

/// The text of a source after a rollback: the proof covers its own logs.
const RAN_ON: &str = "proved: 3 processes, none was restarted";

#[test]
fn a_running_sandbox_is_moved_and_no_line_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let saved = dir.path().join("snapshot");
    let folder = dir.path().join("run");
    let ended = run(&[
        "--seconds".as_ref(),
        "0.5".as_ref(),
        "--dir".as_ref(),
        folder.as_os_str(),
        "--save".as_ref(),
        saved.as_os_str(),
    ]);
    ended.succeeded();
    ended.says("proved: 3 processes, 3 of them moved, none was restarted");
    for shown in ["freeze", "save", "patch", "resume", "commit", "blackout", "snapshot"] {
        ended.says(&format!("\n  {shown} "));
    }
    for controller in ["vm/scsi", "pods/web/network", "pods/db/containers/c2"] {
        ended.says(&format!("\n  {controller} "));
    }
    for (container, exit) in [("c1", 1), ("c2", 2), ("c3", 3)] {
        let shims = [folder.join("source"), folder.join("destination")];
        let logs = shims.each_ref().map(|shim| shim.join("bundles"));
        let lines = check_logs(
            container,
            &[logs[0].join(container), logs[1].join(format!("{container}-moved"))],
        );
        assert!(lines > 50, "{container} wrote only {lines} lines");
        let exits = folder.join("guest/exits");
        let codes: Vec<String> = std::fs::read_dir(exits)
            .unwrap()
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        assert!(codes.contains(&exit.to_string()), "{codes:?}");
    }
    let snapshot = Incoming::open(std::fs::read(&saved).unwrap()).unwrap();
    let preview = snapshot.check::<Sandbox>().unwrap();
    assert_eq!(preview.controllers.len(), 15);
    assert!(preview.controllers.iter().any(|c| c.id.as_str() == "pods/web/containers/c1"));
}

/// Runs with `--report` and other options. Returns the report, which must have these sides.
fn report(more: &[&str], sides: &[&str]) -> MigrationReport {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("report.json");
    let mut line = vec!["--seconds", "0.2", "--report", path.to_str().unwrap()];
    line.extend(more);
    run(&line).succeeded();
    let report = MigrationReport::from_json(&std::fs::read(path).unwrap()).unwrap();
    let found: Vec<_> = report.sides.iter().map(|side| side.side.as_str()).collect();
    assert_eq!(found, sides);
    report
}

fn phases(side: &SideReport) -> Vec<&str> {
    side.phases.iter().map(|phase| phase.phase.as_str()).collect()
}

#[test]
fn the_report_tells_what_happened_on_both_sides() {
    let report = report(&[], &["source", "destination"]);
    let [source, destination] = &report.sides[..] else { unreachable!() };
    assert_eq!(phases(source), ["freeze", "save", "commit"]);
    assert_eq!(phases(destination), ["refresh", "patch", "resume"]);
    assert_eq!((source.hooks.len(), destination.hooks.len()), (30, 30));
    assert_eq!(source.saved.len(), 15);
    assert!(source.failure.is_none() && destination.failure.is_none());
    // Both sides have one clock here: the refresh is between the save and the commit.
    let began = |side: &SideReport, phase: usize| side.started_ns + side.phases[phase].began_ns;
    assert!(began(source, 1) < began(destination, 0));
    assert!(began(destination, 2) < began(source, 2));
}

#[test]
fn the_report_of_a_failed_migration_tells_where_it_failed_and_what_was_undone() {
    let patch = report(&["--fail", "patch:vm/scsi"], &["source", "destination"]);
    let [source, destination] = &patch.sides[..] else { unreachable!() };
    assert_eq!(phases(source), ["freeze", "save", "thaw"]);
    assert_eq!(phases(destination), ["refresh", "patch", "abort"]);
    let failure = destination.failure.as_ref().unwrap();
    assert_eq!(failure.phase, "patch");
    assert_eq!(failure.findings[0].controller.as_deref(), Some("vm/scsi"));
    assert!(failure.controllers.iter().any(|c| c.controller == "vm" && c.undo == "done"));
    assert!(source.failure.is_some());

    // The destination was prepared at the rehearsal, and undid that.
    let freeze = report(&["--fail", "freeze:vm"], &["source", "destination"]);
    assert_eq!(phases(&freeze.sides[1]), ["import", "prepare", "abort"]);
    let failure = freeze.sides[0].failure.as_ref().unwrap();
    assert_eq!((failure.phase.as_str(), failure.controllers.len()), ("freeze", 15));
}

#[test]
fn many_containers_are_moved() {
    let ended = run(&["--containers", "60", "--seconds", "0.5"]);
    ended.succeeded();
    ended.says("proved: 60 processes, 60 of them moved");
    ended.says("(the 24 slowest of 129)");
}

/// Runs with `--fail`, and checks that everything is as it was before.
fn fails(fault: &str, says: &str) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("run");
    let ended = run(&["--seconds", "0.3", "--fail", fault, "--dir", folder.to_str().unwrap()]);
    ended.succeeded();
    ended.says("the sandbox continues here");
    ended.says(RAN_ON);
    ended.says(says);
    ended.says("took nothing over");
    for container in ["c1", "c2", "c3"] {
        check_logs(container, &[folder.join("source/bundles").join(container)]);
    }
    assert_eq!(names_in(&folder.join("destination")), AS_IT_WAS, "{fault}");
}

/// What is in the folder of a destination that has no sandbox, before and after a hand-over.
const AS_IT_WAS: [&str; 2] = ["command", "ledger"];

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names
}

#[test]
fn a_freeze_that_fails_leaves_the_sandbox_running() {
    fails("freeze:vm", "failed in freeze: [INTERNAL] vm: ");
    fails("freeze:pods/web/containers/c1", "failed in freeze: [INTERNAL] pods/web/containers/c1: ");
    fails("freeze:.", "failed in freeze: [INTERNAL] .: ");
}

#[test]
fn a_save_that_fails_leaves_the_sandbox_running() {
    fails("save:pods/db/network", "failed in save: [INTERNAL] pods/db/network: ");
}

#[test]
fn a_rehearsal_that_fails_leaves_the_sandbox_running_without_a_freeze() {
    fails("prepare:vm/scsi", "the sandbox continues here and never stood still");
    fails("prepare:pods/db/containers/c2/processes/\"\"", "and never stood still");
}

#[test]
fn a_refresh_that_fails_leaves_the_sandbox_running() {
    fails("refresh:pods/db/containers/c2", "[INTERNAL] pods/db/containers/c2: fails on purpose");
}

#[test]
fn a_patch_that_fails_leaves_the_sandbox_running() {
    fails("patch:vm/plan9", "[INTERNAL] vm/plan9: ");
    fails("patch:pods/db/containers/c2/processes/\"\"", "c2/processes/\"\": fails on purpose");
}

#[test]
fn a_resume_that_fails_leaves_the_sandbox_running() {
    fails("resume:vm", "[INTERNAL] vm: ");
    fails("resume:pods/web/network", "[INTERNAL] pods/web/network: ");
    fails("resume:pods/db/containers/c2/processes/\"\"", "c2/processes/\"\": fails on purpose");
}

#[test]
fn a_controller_that_does_not_exist_cannot_fail() {
    let ended = run(&["--seconds", "0", "--fail", "patch:vm/floppy"]);
    ended.failed();
    ended.says("there is no such controller, only");
    ended.says("vm/scsi");
}

#[test]
fn the_shims_may_be_started_apart_and_talk_over_tcp() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().to_str().unwrap();
    let destination = spawn(&["--listen", &address, "--seconds", "0.3", "--dir", folder]);
    let source = spawn(&["--connect", &address, "--seconds", "0.3", "--dir", folder]);
    source.wait().succeeded();
    let ended = destination.wait();
    ended.succeeded();
    ended.says("proved: 3 processes, 3 of them moved");
}

#[test]
fn a_refusal_that_is_lost_is_asked_for_again() {
    let proxy = Proxy::losing(FROM_DESTINATION, "Refused", false);
    let (listen, connect) = (proxy.destination(), proxy.source());
    let fault = ["--fail", "resume:pods/web", "--seconds", "0.3", "--patience", "5"];
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("run");
    let dir = ["--dir", folder.to_str().unwrap()];
    let destination = spawn(&[&["--listen", listen.as_str()], &fault[..], &dir].concat());
    let source = spawn(&[&["--connect", connect.as_str()], &fault[..], &dir].concat());
    let _relaying = proxy.start();
    let source = source.wait();
    source.succeeded();
    source.says("in doubt");
    source.says(RAN_ON);
    destination.wait().succeeded();
}

#[test]
fn a_shim_that_still_runs_is_not_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("run");
    let address = format!("unix:{}", dir.path().join("socket").display());
    let args = ["--connect", &address, "--dir", folder.to_str().unwrap(), "--seconds", "30"];
    let first = spawn(&args);
    wait_until("it runs", || first.has_said("runs 3 containers").then_some(()));
    let second = spawn(&args).wait();
    second.failed();
    second.says("another process uses this ledger");
    let status = run(&["status", folder.to_str().unwrap()]);
    status.says("the sandbox is the source's, and its shim runs: nothing to do");
    first.terminate();
    first.wait().says("has ended the sandbox");
}

#[test]
fn a_migration_that_nobody_knows_of_has_no_status() {
    let dir = tempfile::tempdir().unwrap();
    let ended = run(&["status", dir.path().to_str().unwrap()]);
    ended.failed();
    ended.says("no side of a migration has written anything");
}

#[test]
fn a_snapshot_that_was_kept_and_damaged_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let saved = dir.path().join("snapshot");
    run(&["--seconds", "0", "--save", saved.to_str().unwrap()]).succeeded();
    let mut bytes = std::fs::read(&saved).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    assert_eq!(Incoming::open(bytes).unwrap_err().code(), Code::DataLoss);
}

fn wait_until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    look_until(look).unwrap_or_else(|| panic!("{what}: not after 30 s"))
}

/// Tries again and again, for 30 s.
fn look_until<T>(look: impl FnMut() -> Option<T>) -> Option<T> {
    look_until_after(Duration::from_secs(30), look)
}

/// Tries again and again, for some time.
fn look_until_after<T>(time: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + time;
    loop {
        let found = look();
        if found.is_some() || Instant::now() > deadline {
            return found;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
