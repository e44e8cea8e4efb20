//! The proof: no process was restarted, and every line is in the logs exactly once.
//!
//! It uses only the logs and the observations of each shim. The workloads count their lines
//! themselves and write the count at the end, so a missing, duplicate or misplaced line is always
//! found.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::shim::identity::Identity;

/// The observations of one shim about a process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// The beginning of each of its lines.
    pub(crate) workload: String,
    /// The process.
    pub(crate) identity: Identity,
    /// The log of its standard output at this shim.
    pub(crate) stdout: PathBuf,
    /// The log of its standard error at this shim.
    pub(crate) stderr: PathBuf,
    /// The exit code that was reported to this shim.
    pub(crate) exit: Option<u32>,
}

/// The facts about one process: the observations of the shims, in the order in which they had it.
type Stations<'a> = Vec<&'a Seen>;

/// The result of the proof.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Proof {
    /// The number of processes.
    pub(crate) processes: usize,
    /// The number of lines in all logs.
    pub(crate) lines: u64,
    /// The number of bytes in all logs.
    pub(crate) bytes: u64,
    /// The number of processes that more than one shim relayed.
    pub(crate) moved: usize,
}

/// The failed claims, one sentence each.
#[derive(Debug)]
pub(crate) struct Refuted(Vec<String>);

impl fmt::Display for Refuted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 20;
        for reason in self.0.iter().take(SHOWN) {
            writeln!(f, "{reason}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => writeln!(f, "and {more} more"),
        }
    }
}

impl std::error::Error for Refuted {}

/// Proves that the processes that `shims` have seen, in the order in which they had the sandbox,
/// lost nothing. `exits` is the exit code with which each workload must end.
///
/// # Errors
///
/// The failed claims.
pub(crate) fn prove(shims: &[&[Seen]], exits: &BTreeMap<String, u32>) -> Result<Proof, Refuted> {
    let mut stations: BTreeMap<&str, Stations<'_>> = BTreeMap::new();
    for seen in shims.iter().flat_map(|shim| shim.iter()) {
        stations.entry(&seen.workload).or_default().push(seen);
    }
    let mut proof = Proof::default();
    let mut reasons = Vec::new();
    for workload in exits.keys().filter(|workload| !stations.contains_key(workload.as_str())) {
        reasons.push(format!("{workload}: no shim has seen it"));
    }
    for (workload, stations) in stations {
        let expected = exits.get(workload).copied();
        proof.processes += 1;
        proof.moved += usize::from(stations.len() > 1);
        reasons.extend(one_process(workload, &stations));
        reasons.extend(one_exit(workload, &stations, expected));
        let first = stations.first().map(|seen| seen.identity);
        for (logs, start) in [
            (stations.iter().map(|seen| seen.stdout.as_path()).collect::<Vec<_>>(), first),
            (stations.iter().map(|seen| seen.stderr.as_path()).collect(), None),
        ] {
            match one_stream(workload, &logs, start) {
                Ok((lines, bytes)) => {
                    proof.lines += lines;
                    proof.bytes += bytes;
                }
                Err(reason) => reasons.push(reason),
            }
        }
    }
    if reasons.is_empty() { Ok(proof) } else { Err(Refuted(reasons)) }
}

/// Every shim saw the same process.
fn one_process(workload: &str, stations: &[&Seen]) -> Option<String> {
    let [first, rest @ ..] = stations else { return None };
    let other = rest.iter().find(|seen| seen.identity != first.identity)?;
    Some(format!("{workload}: was {:?} at first and {:?} later", first.identity, other.identity))
}

/// The exit was reported to exactly one shim, the last, with the right code.
fn one_exit(workload: &str, stations: &[&Seen], expected: Option<u32>) -> Vec<String> {
    let mut reasons = Vec::new();
    if let [earlier @ .., last] = stations {
        if earlier.iter().any(|seen| seen.exit.is_some()) {
            reasons.push(format!(
                "{workload}: its exit was reported to a shim that had given it away"
            ));
        }
        if last.exit != expected || expected.is_none() {
            reasons.push(format!(
                "{workload}: the exit code {:?} was reported, expected {expected:?}",
                last.exit
            ));
        }
    }
    reasons
}

/// The logs together are `ID start ..` (if `start` is known), `ID 1` to `ID n`, `ID end n`, and
/// each ends at the end of a line. Returns the number of lines and bytes.
fn one_stream(
    workload: &str,
    logs: &[&Path],
    start: Option<Identity>,
) -> Result<(u64, u64), String> {
    let mut text = String::new();
    for log in logs {
        let part = std::fs::read_to_string(log)
            .map_err(|error| format!("{workload}: {}: {error}", log.display()))?;
        if !part.is_empty() && !part.ends_with('\n') {
            return Err(format!("{workload}: {} ends in the middle of a line", log.display()));
        }
        text.push_str(&part);
    }
    let expected_start = start
        .map(|Identity { pid, start_time }| format!("{workload} start pid={pid} at={start_time}"));
    let mut lines = text.lines();
    if let Some(expected) = expected_start
        && lines.next() != Some(expected.as_str())
    {
        return Err(format!("{workload}: the logs do not begin with {expected:?}"));
    }
    let mut number = 0_u64;
    let mut end = None;
    for line in lines {
        if end.is_some() {
            return Err(format!("{workload}: {line:?} comes after the end"));
        }
        let rest = line.strip_prefix(workload).and_then(|rest| rest.strip_prefix(' '));
        match rest {
            Some(rest) if rest.starts_with("end ") => end = rest.strip_prefix("end "),
            Some(rest) if rest.parse() == Ok(number + 1) => number += 1,
            _ => {
                return Err(format!(
                    "{workload}: {line:?} in place of line {} in {}",
                    number + 1,
                    logs.last().map_or_else(String::new, |log| log.display().to_string())
                ));
            }
        }
    }
    match end.map(str::parse::<u64>) {
        Some(Ok(count)) if count == number => Ok((text.lines().count() as u64, text.len() as u64)),
        Some(count) => Err(format!("{workload}: wrote {count:?} lines, {number} are in the logs")),
        None => Err(format!("{workload}: the logs stop after line {number}, without an end")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTITY: Identity = Identity { pid: 7, start_time: 70 };

    struct Logs {
        dir: tempfile::TempDir,
    }

    impl Logs {
        fn new() -> Self {
            Self { dir: tempfile::tempdir().unwrap() }
        }

        fn seen(&self, shim: &str, stdout: &str, stderr: &str, exit: Option<u32>) -> Seen {
            let (out, err) = (format!("{shim}.out"), format!("{shim}.err"));
            std::fs::write(self.dir.path().join(&out), stdout).unwrap();
            std::fs::write(self.dir.path().join(&err), stderr).unwrap();
            Seen {
                workload: "c1".to_owned(),
                identity: IDENTITY,
                stdout: self.dir.path().join(out),
                stderr: self.dir.path().join(err),
                exit,
            }
        }
    }

    const BEGIN: &str = "c1 start pid=7 at=70\nc1 000001\nc1 000002\n";

    fn exits() -> BTreeMap<String, u32> {
        BTreeMap::from([("c1".to_owned(), 3)])
    }

    fn refuted(shims: &[&[Seen]]) -> String {
        prove(shims, &exits()).unwrap_err().to_string()
    }

    #[test]
    fn whole_logs_of_two_shims_are_a_proof() {
        let logs = Logs::new();
        let source = [logs.seen("source", BEGIN, "c1 000001\n", None)];
        let rest = "c1 000003\nc1 end 3\n";
        let destination = [logs.seen("destination", rest, "c1 end 1\n", Some(3))];
        let proof = prove(&[&source, &destination], &exits()).unwrap();
        let bytes = (BEGIN.len() + rest.len() + 19) as u64;
        assert_eq!(proof, Proof { processes: 1, lines: 7, bytes, moved: 1 });
    }

    #[test]
    fn a_line_that_is_missing_doubled_or_out_of_order_refutes_it() {
        for rest in [
            "c1 000004\nc1 end 4\n",
            "c1 000002\nc1 000003\nc1 end 3\n",
            "c1 000004\nc1 000003\nc1 end 4\n",
            "c2 000003\nc1 end 3\n",
            "c1 start pid=7 at=70\nc1 000003\nc1 end 3\n",
        ] {
            let logs = Logs::new();
            let source = [logs.seen("source", BEGIN, "", None)];
            let destination = [logs.seen("destination", rest, "c1 end 0\n", Some(3))];
            let reason = refuted(&[&source, &destination]);
            assert!(reason.contains("in place of line 3"), "{rest:?}: {reason}");
        }
    }

    #[test]
    fn a_last_line_that_is_missing_refutes_it() {
        let logs = Logs::new();
        let cut = [logs.seen("a", BEGIN, "c1 end 0\n", Some(3))];
        assert!(refuted(&[&cut]).contains("without an end"));
        let short = [logs.seen("b", &format!("{BEGIN}c1 end 3\n"), "c1 end 0\n", Some(3))];
        assert!(refuted(&[&short]).contains("wrote Ok(3) lines, 2 are in the logs"));
        let half = [logs.seen("c", &format!("{BEGIN}c1 en"), "c1 end 0\n", Some(3))];
        assert!(refuted(&[&half]).contains("ends in the middle of a line"));
        let after =
            [logs.seen("d", &format!("{BEGIN}c1 end 2\nc1 000003\n"), "c1 end 0\n", Some(3))];
        assert!(refuted(&[&after]).contains("comes after the end"));
    }

    #[test]
    fn another_process_under_the_same_name_refutes_it() {
        let logs = Logs::new();
        let source = [logs.seen("source", BEGIN, "", None)];
        let mut restarted = logs.seen("destination", "c1 end 2\n", "c1 end 0\n", Some(3));
        restarted.identity.start_time = 71;
        assert!(refuted(&[&source, &[restarted]]).contains("at first and"));
    }

    #[test]
    fn an_exit_that_is_told_twice_wrongly_or_not_at_all_refutes_it() {
        let logs = Logs::new();
        let end = "c1 end 2\n";
        let twice = [logs.seen("source", BEGIN, "", Some(3))];
        let last = [logs.seen("destination", end, "c1 end 0\n", Some(3))];
        assert!(refuted(&[&twice, &last]).contains("had given it away"));
        let source = [logs.seen("source", BEGIN, "", None)];
        for exit in [None, Some(4)] {
            let wrong = [logs.seen("destination", end, "c1 end 0\n", exit)];
            assert!(refuted(&[&source, &wrong]).contains("expected Some(3)"));
        }
        assert!(refuted(&[]).contains("no shim has seen it"));
    }
}
