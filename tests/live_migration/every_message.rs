//! The connection lost, and either side killed, at every message of the protocol.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::program::{Running, check_logs, run, spawn};
use crate::proxy::{Direction, FROM_DESTINATION, FROM_SOURCE, Proxy};
use crate::wait_until;

/// The messages of a migration that succeeds, in their order.
const MESSAGES: [(Direction, &str); 9] = [
    (FROM_SOURCE, "Hello"),
    (FROM_DESTINATION, "Manifest"),
    (FROM_SOURCE, "Processes"),
    (FROM_SOURCE, "Snapshot"),
    (FROM_DESTINATION, "Patched"),
    (FROM_SOURCE, "Resume"),
    (FROM_DESTINATION, "Resumed"),
    (FROM_SOURCE, "Committed"),
    (FROM_DESTINATION, "Settled"),
];

/// Where in the order a message is.
fn at(message: &str) -> usize {
    MESSAGES.iter().position(|(_, known)| *known == message).unwrap()
}

/// Long enough for the other side to come back, however slow the machine is.
const LONG: &str = "60";
/// For when nobody comes back.
const SHORT: &str = "0.2";

/// Does all cases, some at a time: most of their time is waiting.
fn all<T: Send + std::fmt::Debug>(cases: impl IntoIterator<Item = T>, one: impl Fn(&T) + Sync) {
    let cases: VecDeque<T> = cases.into_iter().collect();
    println!("{} cases", cases.len());
    let cases = Mutex::new(cases);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(case) = { cases.lock().unwrap().pop_front() } {
                    println!("{case:?}");
                    one(&case);
                }
            });
        }
    });
}

/// Starts one side.
fn side(role: &str, address: &str, folder: &Path, more: &[&str]) -> Running {
    let folder = folder.to_str().unwrap();
    let mut args = vec![role, address, "--dir", folder, "--containers", "1", "--seconds", "0.1"];
    args.extend(more);
    spawn(&args)
}

/// What `status` says.
fn status(folder: &Path) -> String {
    run(&["status", folder.to_str().unwrap()]).text
}

/// The operator: when the source asks, looks at what both sides have written and does what the
/// verdict says. Returns when the source has ended.
fn operate(source: &mut Running, folder: &Path) {
    let mut decided = false;
    let ended = crate::look_until(|| {
        if !decided && source.has_said("IN DOUBT") {
            let verdict = status(folder);
            for choice in ["commit", "rollback"] {
                if verdict.contains(&format!("type {choice} at the source")) {
                    source.types(&format!("{choice}\n"));
                    decided = true;
                }
            }
        }
        source.has_ended().then_some(())
    });
    assert!(ended.is_some(), "the source has not ended:\n{}{}", source.said(), status(folder));
}

fn logs(folder: &Path) -> [PathBuf; 2] {
    [folder.join("source/bundles/c1"), folder.join("destination/bundles/c1-moved")]
}

/// The lines of the container in all logs: none is there twice, none is missing, whoever relayed
/// them. Gives the process id.
fn check_lines(folder: &Path) -> i32 {
    let logs = logs(folder).map(|log| std::fs::read_to_string(log.join("stdout.log")));
    let text: String = logs.into_iter().map(Result::unwrap_or_default).collect();
    let mut lines = text.lines();
    let start = lines.next().unwrap().strip_prefix("c1 start pid=").unwrap();
    let pid = start.split_once(' ').unwrap().0.parse().unwrap();
    for (number, line) in (1..).zip(lines) {
        if line != format!("c1 end {}", number - 1) {
            assert_eq!(line, format!("c1 {number:06}"), "{text}");
        }
    }
    pid
}

#[test]
fn a_connection_that_is_lost_at_any_message_leaves_one_live_side() {
    let mut cases = Vec::new();
    for (direction, message) in MESSAGES {
        for delivered in [false, true] {
            cases.extend([true, false].map(|again| (direction, message, delivered, again)));
        }
    }
    all(cases, |&(direction, message, delivered, again)| {
        let moves = at(message) + usize::from(delivered) > at("Resume");
        let proxy = Proxy::losing(direction, message, delivered, again);
        let (listen, connect) = (proxy.destination(), proxy.source());
        let dir = tempfile::tempdir().unwrap();
        // Who has no reason to come back, or has ended, is not to be waited for.
        let step = at(message) + usize::from(delivered);
        let comes = again && (at("Resume")..=at("Committed")).contains(&step);
        let patience = ["--patience", if comes { LONG } else { SHORT }];
        let destination = side("--listen", &listen, dir.path(), &patience);
        let mut source = side("--connect", &connect, dir.path(), &patience);
        let _relaying = proxy.start();
        operate(&mut source, dir.path());
        let (source, destination) = (source.wait(), destination.wait());
        let status = status(dir.path());
        check_lines(dir.path());
        let [here, there] = logs(dir.path());
        if moves {
            source.succeeded();
            source.says("has let go of the sandbox");
            destination.succeeded();
            destination.says("the sandbox runs here");
            check_logs("c1", &[here, there]);
            assert!(status.contains("the sandbox is the destination's"), "{status}");
            // Whether or not the source's last word has come.
            assert!(status.contains("proved: 1 processes, 1 of them moved"), "{status}");
        } else {
            source.says("the sandbox runs on here");
            source.says("proved: 1 processes, none was started again");
            destination.says("took nothing over");
            check_logs("c1", &[here]);
            assert!(status.contains("the sandbox is the source's"), "{status}");
        }
        let asked = source.text.contains("IN DOUBT");
        let is_lost = !again && matches!((message, delivered), ("Resume", _) | ("Resumed", false));
        let unheard = !again && (message, delivered) == ("Patched", true);
        assert_eq!(asked, is_lost || unheard, "the operator is asked only if nobody else knows");
    });
}

/// A side that is killed: by the message and the moment.
type Kill = (&'static str, &'static str, &'static str);

/// Every message, right before and after it is sent and right after it has come.
fn kills() -> Vec<Kill> {
    let mut kills = Vec::new();
    for (direction, message) in MESSAGES {
        let (sender, receiver) = match direction == FROM_SOURCE {
            true => ("source", "destination"),
            false => ("destination", "source"),
        };
        kills.push((sender, "sending", message));
        kills.push((sender, "sent", message));
        kills.push((receiver, "got", message));
    }
    kills
}

/// Whether the sandbox is the destination's after this kill: it is if the destination came to write
/// that it is live, which it does between `Resume` and `Resumed`.
fn is_the_destinations((who, moment, message): Kill) -> bool {
    match message {
        // The source ends, the message arrives.
        "Resume" => (who, moment) == ("source", "sent"),
        _ => at(message) > at("Resume"),
    }
}

fn args<'a>(who: &str, kill: &Kill, die: &'a str, patience: &'a str) -> Vec<&'a str> {
    match who == kill.0 {
        true => vec!["--patience", patience, "--die", die],
        false => vec!["--patience", patience],
    }
}

#[test]
fn a_side_that_is_killed_at_any_message_leaves_one_owner_that_both_can_name() {
    all(kills(), |kill| {
        let (who, moment, message) = *kill;
        let die = format!("{moment}:{message}");
        let dir = tempfile::tempdir().unwrap();
        let address = format!("unix:{}", dir.path().join("socket").display());
        let its = args("destination", kill, &die, SHORT);
        let mut destination = side("--listen", &address, dir.path(), &its);
        let mut source =
            side("--connect", &address, dir.path(), &args("source", kill, &die, SHORT));
        operate(&mut source, dir.path());
        wait_until("the destination has ended", || destination.has_ended().then_some(()));
        let (source, destination) = (source.wait(), destination.wait());
        let (killed, other) =
            if who == "source" { (&source, &destination) } else { (&destination, &source) };
        killed.was_killed();
        let status_then = status(dir.path());
        let pid = check_lines(dir.path());
        if is_the_destinations(*kill) {
            assert!(status_then.contains("the sandbox is the destination's"), "{status_then}");
            match who {
                "source" => other.says("the sandbox runs here"),
                _ => other.says("has let go of the sandbox"),
            }
        } else {
            assert!(status_then.contains("the sandbox is the source's"), "{status_then}");
            match who {
                "source" => other.says("took nothing over"),
                _ => other.says("the sandbox runs on here"),
            }
        }
        // It is started again, and finds out the same; and nothing of the guest is left.
        if dir.path().join(who).join("migration.json").exists() {
            let _ = std::fs::remove_file(dir.path().join("socket"));
            let role = if who == "source" { "--connect" } else { "--listen" };
            let mut again = side(role, &address, dir.path(), &["--patience", SHORT]);
            if who == "source" {
                operate(&mut again, dir.path());
            }
            again.wait().says("finishes migration");
            let status_now = status(dir.path());
            let verdict = |status: &str| {
                let owner = |name: &str| status.contains(&format!("the sandbox is the {name}'s"));
                (owner("source"), owner("destination"))
            };
            assert_eq!(verdict(&status_then), verdict(&status_now), "{status_then}{status_now}");
        }
        wait_until("the process has ended", || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
            stat.map_or(true, |stat| stat.contains(") Z ")).then_some(())
        });
    });
}

#[test]
fn a_side_that_is_killed_and_started_again_answers_without_an_operator() {
    // Where the other side depends on what it has written.
    let asked = |&&(who, moment, message): &&Kill| {
        matches!(
            (who, moment, message),
            ("destination", "sent", "Patched")
                | ("destination", "got", "Resume")
                | ("destination", "sending", "Resumed")
                | ("destination", "got", "Committed")
                | ("source", "sent", "Resume")
                | ("source", "got", "Resumed")
                | ("source", "sending", "Committed")
        )
    };
    let kills = kills();
    let cases: Vec<Kill> = kills.iter().filter(asked).copied().collect();
    assert_eq!(cases.len(), 7);
    all(cases, |kill| {
        let (who, moment, message) = *kill;
        let die = format!("{moment}:{message}");
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("socket");
        let address = format!("unix:{}", socket.display());
        let mut destination =
            side("--listen", &address, dir.path(), &args("destination", kill, &die, LONG));
        let mut source = side("--connect", &address, dir.path(), &args("source", kill, &die, LONG));
        let again = if who == "source" {
            wait_until("the source is killed", || source.has_ended().then_some(()));
            side("--connect", &address, dir.path(), &["--patience", LONG])
        } else {
            wait_until("the destination is killed", || destination.has_ended().then_some(()));
            std::fs::remove_file(&socket).unwrap();
            side("--listen", &address, dir.path(), &["--patience", LONG])
        };
        let again = again.wait();
        let (source, destination) = (source.wait(), destination.wait());
        again.says("finishes migration");
        for ended in [&again, &source, &destination] {
            assert!(!ended.text.contains("IN DOUBT"), "{}", ended.text);
        }
        let status = status(dir.path());
        check_lines(dir.path());
        match (who, is_the_destinations(*kill)) {
            ("source", true) => {
                destination.says("the sandbox runs here");
                // The source that was started again has told what the first one had seen.
                destination.says("proved: 1 processes, 1 of them moved");
                assert!(status.contains("has let go of the sandbox"), "{status}");
            }
            ("destination", true) => source.says("has let go of the sandbox"),
            ("destination", false) => source.says("the sandbox runs on here"),
            _ => panic!("{kill:?}: there is nothing to answer"),
        }
    });
}

#[test]
fn a_migration_that_nobody_knows_of_has_no_status() {
    let dir = tempfile::tempdir().unwrap();
    let ended = run(&["status", dir.path().to_str().unwrap()]);
    ended.failed();
    ended.says("no side of a migration has written anything");
}

#[test]
fn a_shim_that_still_runs_is_not_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", dir.path().join("socket").display());
    let record = dir.path().join("source/migration.json");
    // Nobody listens, but it has written that it begins once somebody does.
    let listener = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
    let first = side("--connect", &address, dir.path(), &["--patience", LONG]);
    let (_held, _) = listener.accept().unwrap();
    wait_until("the first has written", || record.exists().then_some(()));
    let second = side("--connect", &address, dir.path(), &[]).wait();
    second.failed();
    second.says("still runs");
    assert!(status(dir.path()).contains("the sandbox is the source's: nothing to do"));
    first.kill();
}
