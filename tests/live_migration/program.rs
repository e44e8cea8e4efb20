//! Running the example, and reading what it leaves.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longer than any run takes, also on a machine that is busy with other tests.
const TIMEOUT: Duration = Duration::from_secs(120);

fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| crate::example_binary::build("live_migration"))
}

/// A run of the example.
pub(crate) struct Running {
    child: Child,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

/// A run that has ended.
pub(crate) struct Ended {
    success: bool,
    text: String,
}

/// Starts the example.
pub(crate) fn spawn<S: AsRef<OsStr>>(args: &[S]) -> Running {
    let mut command = Command::new(binary());
    command.args(args).env("RUST_BACKTRACE", "0");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stdout = collect(child.stdout.take().unwrap());
    let stderr = collect(child.stderr.take().unwrap());
    Running { child, stdout, stderr }
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}

/// Runs the example to its end.
pub(crate) fn run<S: AsRef<OsStr>>(args: &[S]) -> Ended {
    spawn(args).wait()
}

impl Running {
    /// Types something, and then nothing more.
    pub(crate) fn types(&mut self, text: &str) {
        self.child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Ends it at once.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it ends.
    pub(crate) fn wait(mut self) -> Ended {
        let deadline = Instant::now() + TIMEOUT;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                self.child.kill().unwrap();
                let text = self.stdout.join().unwrap() + &self.stderr.join().unwrap();
                panic!("it has not ended after {TIMEOUT:?}:\n{text}");
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let text = self.stdout.join().unwrap() + &self.stderr.join().unwrap();
        Ended { success: status.success(), text }
    }
}

impl Ended {
    #[track_caller]
    pub(crate) fn succeeded(&self) {
        assert!(self.success, "it failed:\n{}", self.text);
    }

    #[track_caller]
    pub(crate) fn failed(&self) {
        assert!(!self.success, "it succeeded:\n{}", self.text);
    }

    #[track_caller]
    pub(crate) fn says(&self, what: &str) {
        assert!(self.text.contains(what), "it does not say {what:?}:\n{}", self.text);
    }
}

/// Checks the logs of a container in these bundles, one after the other: a start, the numbers from 1
/// without a gap, and an end that tells how many there were. Written apart from the example's own
/// proof. Gives the number of lines.
pub(crate) fn check_logs(container: &str, bundles: &[PathBuf]) -> usize {
    let read = |name: &str| -> String {
        let logs = bundles.iter().map(|bundle| std::fs::read_to_string(bundle.join(name)));
        logs.map(Result::unwrap).collect()
    };
    let out = read("stdout.log");
    let lines: Vec<&str> = out.lines().collect();
    let [first, numbered @ .., last] = lines.as_slice() else { panic!("{container}: {out:?}") };
    assert!(first.starts_with(&format!("{container} start pid=")), "{first:?}");
    assert_eq!(*last, format!("{container} end {}", numbered.len()));
    for (line, number) in numbered.iter().zip(1..) {
        assert_eq!(*line, format!("{container} {number:06}"));
    }
    let err = read("stderr.log");
    let errors = err.lines().count();
    assert_eq!(err.lines().last(), Some(&*format!("{container} end {}", errors - 1)));
    lines.len()
}
