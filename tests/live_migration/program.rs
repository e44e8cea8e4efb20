//! Runs the example, and reads its output.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Longer than any run takes, even on a machine that is busy with other tests.
const TIMEOUT: Duration = Duration::from_secs(120);

pub(crate) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| crate::example_binary::build("live_migration"))
}

/// A run of the example.
pub(crate) struct Running {
    child: Held,
    readers: Vec<JoinHandle<()>>,
    text: Arc<Mutex<String>>,
}

/// Sends a signal to a process that was started here and is not reaped.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    // An error means that it has ended.
    let _ = kill_process(pid, signal);
}

/// A process that is killed at the end of the test, even if the test fails.
struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        // This fails if it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A run that has ended.
pub(crate) struct Ended {
    success: bool,
    pub(crate) text: String,
}

/// Starts the example.
pub(crate) fn spawn<S: AsRef<OsStr>>(args: &[S]) -> Running {
    let mut command = Command::new(binary());
    command.args(args).env("RUST_BACKTRACE", "0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let text = Arc::new(Mutex::new(String::new()));
    let readers = vec![
        collect(child.stdout.take().unwrap(), &text),
        collect(child.stderr.take().unwrap(), &text),
    ];
    Running { child: Held(child), readers, text }
}

/// Collects whole lines. The order between the two pipes is arbitrary.
fn collect(pipe: impl Read + Send + 'static, text: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let text = Arc::clone(text);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let mut text = text.lock().unwrap();
            text.push_str(&line.unwrap_or_default());
            text.push('\n');
        }
    })
}

/// Runs the example to its end.
pub(crate) fn run<S: AsRef<OsStr>>(args: &[S]) -> Ended {
    spawn(args).wait()
}

impl Running {
    /// Kills it.
    pub(crate) fn kill(&mut self) {
        self.child.0.kill().unwrap();
        self.child.0.wait().unwrap();
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        signal(self.id(), Signal::TERM);
    }

    /// Returns its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Returns whether it has printed this.
    pub(crate) fn has_said(&self, what: &str) -> bool {
        self.text.lock().unwrap().contains(what)
    }

    /// Returns everything that it has printed.
    pub(crate) fn said(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// Returns whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.0.try_wait().unwrap().is_some()
    }

    /// Waits until it ends.
    pub(crate) fn wait(mut self) -> Ended {
        let deadline = Instant::now() + TIMEOUT;
        let status = loop {
            if let Some(status) = self.child.0.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                self.child.0.kill().unwrap();
                panic!("it has not ended after {TIMEOUT:?}:\n{}", self.text.lock().unwrap());
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        for reader in self.readers {
            reader.join().unwrap();
        }
        let text = std::mem::take(&mut *self.text.lock().unwrap());
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

/// Checks the logs of a container in these bundles, one after the other: a start, the numbers from
/// 1 without a gap, and an end with their count. This is independent of the example's own proof.
/// Returns the number of lines.
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

/// Returns the processes whose command line contains this folder: shims, the VM, containers.
pub(crate) fn processes_of(folder: &Path) -> Vec<(u32, String)> {
    let folder = folder.to_str().unwrap();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().map_while(Result::ok) {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that has just ended has none, and a zombie has an empty one.
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(folder) {
            found.push((pid, line));
        }
    }
    found
}
