//! Two shims of one folder, which a test kills and restarts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::program::{Ended, Running, processes_of, run, spawn};

/// One of the two shims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Source,
    Destination,
}

impl Who {
    pub(crate) const BOTH: [Who; 2] = [Who::Source, Who::Destination];

    fn name(self) -> &'static str {
        match self {
            Who::Source => "source",
            Who::Destination => "destination",
        }
    }
}

/// Two shims of one folder.
pub(crate) struct Shims {
    dir: tempfile::TempDir,
    args: [Vec<String>; 2],
    containers: usize,
    running: [Option<Running>; 2],
    /// The output of those that have ended or were killed.
    said: String,
    /// How many descriptors the shims had at the end that they did not need.
    pub(crate) surplus: usize,
}

/// How many of the last looks at the descriptors of a shim count.
const LOOKS: usize = 20;

fn has_part(path: &Path, part: &str) -> bool {
    path.components().any(|component| component.as_os_str() == part)
}

impl Shims {
    /// Creates shims that listen and connect there. Both get the options `more`.
    pub(crate) fn new(listen: &str, connect: &str, containers: usize, more: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("shims").tempdir().unwrap();
        let folder = dir.path().join("run");
        let containers_arg = containers.to_string();
        let args = [("--connect", connect), ("--listen", listen)].map(|(role, address)| {
            let args = [role, address, "--dir", folder.to_str().unwrap()];
            let args = args.into_iter().chain(["--containers", &containers_arg]);
            args.chain(more.iter().copied()).map(str::to_owned).collect()
        });
        Self { dir, args, containers, running: [None, None], said: String::new(), surplus: 0 }
    }

    /// Creates shims on a Unix socket in the folder.
    pub(crate) fn unix(containers: usize, more: &[&str]) -> Self {
        let mut shims = Self::new("", "", containers, more);
        let address = format!("unix:{}", shims.dir.path().join("socket").display());
        for args in &mut shims.args {
            args[1].clone_from(&address);
        }
        shims
    }

    /// Adds options for one of them.
    pub(crate) fn with(&mut self, who: Who, more: &[&str]) {
        self.args[who as usize].extend(more.iter().map(|&word| word.to_owned()));
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.path().join("run")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("socket")
    }

    pub(crate) fn start(&mut self, who: Who) {
        assert!(self.running[who as usize].is_none(), "it runs");
        self.running[who as usize] = Some(spawn(&self.args[who as usize]));
    }

    pub(crate) fn get(&mut self, who: Who) -> &mut Running {
        self.running[who as usize].as_mut().unwrap()
    }

    pub(crate) fn id(&self, who: Who) -> Option<u32> {
        self.running[who as usize].as_ref().map(Running::id)
    }

    pub(crate) fn has_ended(&mut self, who: Who) -> bool {
        self.running[who as usize].as_mut().is_none_or(Running::has_ended)
    }

    /// Kills one, which may have ended.
    pub(crate) fn kill(&mut self, who: Who) {
        if let Some(mut running) = self.running[who as usize].take() {
            running.kill();
            self.said.push_str(&format!("--- {} was killed after\n", who.name()));
            self.said.push_str(&running.said());
        }
    }

    /// Waits for the end of one.
    pub(crate) fn wait(&mut self, who: Who) -> Ended {
        let ended = self.running[who as usize].take().unwrap().wait();
        self.said.push_str(&format!("--- {} ended after\n{}", who.name(), ended.text));
        ended
    }

    /// How many descriptors a shim has that it does not need: further ones of a file below the folder, and
    /// those of files that are gone. Files in which it may write for a moment do not count.
    fn surplus_descriptors(&self, who: Who) -> Option<usize> {
        let entries = std::fs::read_dir(format!("/proc/{}/fd", self.id(who)?)).ok()?;
        let folder = self.folder();
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
            .filter(|path| path.starts_with(&folder))
            .filter(|path| ["bundles", "vsock", "disks"].iter().any(|part| has_part(path, part)))
            .filter(|path| !path.ends_with("stdin"))
            .collect();
        let all = files.len();
        files.sort_unstable();
        files.dedup();
        files.retain(|path| !path.to_string_lossy().ends_with(" (deleted)"));
        Some(all - files.len())
    }

    /// Returns whether the sandbox has run to its end on one side.
    pub(crate) fn sandbox_has_ended(&self) -> bool {
        Who::BOTH.iter().any(|who| self.folder().join(who.name()).join("ended").exists())
    }

    /// Waits for the end of the sandbox, then for that of the shims. Returns whether it came in
    /// time.
    pub(crate) fn finish(&mut self, patience: Duration) -> bool {
        let mut looks = Vec::new();
        let ended = crate::look_until_after(patience, || {
            let surplus = Who::BOTH.iter().filter_map(|who| self.surplus_descriptors(*who));
            looks.push(surplus.sum());
            self.sandbox_has_ended().then_some(())
        });
        // While something is being opened or closed there may be more for a moment.
        self.surplus = looks.iter().rev().take(LOOKS).min().copied().unwrap_or_default();
        for who in Who::BOTH {
            if self.running[who as usize].is_none() {
                continue;
            }
            let by_itself = ended.is_some()
                && crate::look_until_after(Duration::from_secs(5), || {
                    self.has_ended(who).then_some(())
                })
                .is_some();
            if !by_itself {
                self.get(who).terminate();
            }
            self.wait(who);
        }
        ended.is_some()
    }

    /// Returns the output of `status`.
    pub(crate) fn status(&self) -> String {
        run(&["status", self.folder().to_str().unwrap()]).text
    }

    /// Returns the first line of the output of `status`.
    pub(crate) fn status_line(&self) -> String {
        self.status().lines().next().unwrap_or_default().to_owned()
    }

    /// Returns the whole output of the shims, for a test that fails.
    pub(crate) fn said(&self) -> String {
        let running = self.running.iter().flatten().map(Running::said);
        format!("{}{}{}", self.said, running.collect::<String>(), self.status())
    }

    /// Checks the lines of the containers, whichever shim relayed them. Returns the errors and the
    /// number of lines. The numbers of each container are consecutive, and its end, if there is
    /// one, gives their count.
    pub(crate) fn wrong_lines(&self, must_end: bool) -> (Vec<String>, usize) {
        let mut wrong = Vec::new();
        let mut count = 0;
        for number in 1..=self.containers {
            let id = format!("c{number}");
            let bundles = [
                self.folder().join("source/bundles").join(&id),
                self.folder().join("destination/bundles").join(format!("{id}-moved")),
            ];
            for log in ["stdout.log", "stderr.log"] {
                let text: String = bundles
                    .iter()
                    .map(|bundle| std::fs::read_to_string(bundle.join(log)).unwrap_or_default())
                    .collect();
                count += text.lines().count();
                wrong.extend(wrong_log(&id, log, &text, must_end));
            }
        }
        (wrong, count)
    }

    /// Returns the processes that still exist.
    pub(crate) fn left_over(&self) -> Vec<(u32, String)> {
        let folder = self.folder();
        // A process that was killed a moment ago may not have ended yet.
        let mut left = Vec::new();
        let _ = crate::look_until_after(Duration::from_secs(5), || {
            left = processes_of(&folder);
            left.is_empty().then_some(())
        });
        left
    }

    /// Ends the sandbox as an operator does if its shims are gone.
    pub(crate) fn end_sandbox(&self) {
        run(&["end", self.folder().to_str().unwrap()]).succeeded();
    }

    /// Asserts that the sandbox ran to its end, that no line is wrong, and that no process is left.
    pub(crate) fn assert_whole(&self, case: &str) {
        let (wrong, lines) = self.wrong_lines(true);
        assert!(wrong.is_empty() && lines > 0, "{case}: {wrong:#?}\n{}", self.said());
        let left = self.left_over();
        assert!(left.is_empty(), "{case}: {left:#?}\n{}", self.said());
        assert!(!self.socket().exists(), "{case}: the socket is left\n{}", self.said());
        assert!(self.status().contains("proved: "), "{case}\n{}", self.said());
    }
}

impl Drop for Shims {
    fn drop(&mut self) {
        for who in Who::BOTH {
            self.kill(who);
        }
        // A failed test leaves no sandbox either.
        if !self.left_over_now().is_empty() {
            let _ = run(&["end", self.folder().to_str().unwrap()]);
        }
    }
}

impl Shims {
    pub(crate) fn left_over_now(&self) -> Vec<(u32, String)> {
        processes_of(&self.folder())
    }
}

/// Checks a log: a start, the numbers from 1 without a gap, an end with their count.
fn wrong_log(id: &str, log: &str, text: &str, must_end: bool) -> Option<String> {
    // A container that was ended by force may have stopped within a line.
    let text = if must_end { text } else { &text[..text.rfind('\n').map_or(0, |end| end + 1)] };
    let mut lines = text.lines().peekable();
    if log == "stdout.log" {
        match lines.next() {
            Some(line) if line.starts_with(&format!("{id} start pid=")) => {}
            None if !must_end => return None,
            other => return Some(format!("{id} {log}: begins with {other:?}")),
        }
    }
    let mut number = 0;
    let mut has_ended = false;
    for line in lines {
        if !has_ended && line == format!("{id} end {number}") {
            has_ended = true;
        } else if !has_ended && line == format!("{id} {:06}", number + 1) {
            number += 1;
        } else {
            return Some(format!("{id} {log}: {line:?} after line {number}"));
        }
    }
    (must_end && !has_ended).then(|| format!("{id} {log}: no end after line {number}"))
}

/// Returns whether a side has a record.
pub(crate) fn has_record(folder: &Path, side: &str) -> bool {
    let ledger = folder.join(side).join("ledger");
    std::fs::read_dir(ledger).is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| entry.file_name().to_string_lossy().ends_with(".record"))
        })
    })
}
