//! The workload of the containers: this program again, as `workload`, which writes numbered lines.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::shim::identity::Identity;

/// The line on its standard input that asks a workload to stop.
pub(crate) const STOP: &str = "stop";

/// One of this many lines is written in two pieces, so that a freeze may find half a line.
const BROKEN: u64 = 5;

/// One of this many lines goes to the standard error as well.
const ERRORS: u64 = 10;

/// The hidden subcommand.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Workload {
    /// The beginning of each line.
    #[arg(long)]
    pub(crate) id: String,
    /// The pause between two lines, in microseconds.
    #[arg(long)]
    pub(crate) interval: u64,
    /// The exit code.
    #[arg(long, default_value_t = 0)]
    pub(crate) exit_code: i32,
    /// The guest in which this runs, for readers of a list of processes.
    #[arg(long)]
    pub(crate) guest: PathBuf,
}

impl Workload {
    /// Returns the command line that starts it, without the program.
    pub(crate) fn args(&self) -> Vec<String> {
        [
            "workload",
            "--id",
            &self.id,
            "--interval",
            &self.interval.to_string(),
            "--exit-code",
            &self.exit_code.to_string(),
            "--guest",
            &self.guest.to_string_lossy(),
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// Writes lines until it is asked to stop, then exits.
    ///
    /// The standard output is `ID start pid=PID at=TICK`, `ID 1`, `ID 2`, ... `ID end COUNT`; the
    /// standard error is the same without the first line.
    ///
    /// # Errors
    ///
    /// If a line cannot be written.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        static STOPPED: AtomicBool = AtomicBool::new(false);
        // In its own session: a stopped process group gets a hangup when its parent ends.
        rustix::process::setsid()?;
        std::thread::spawn(|| {
            for line in std::io::stdin().lock().lines() {
                if line.is_ok_and(|line| line == STOP) {
                    break;
                }
            }
            STOPPED.store(true, Ordering::Release);
        });
        let id = &self.id;
        let mut out = std::io::stdout().lock();
        let mut err = std::io::stderr().lock();
        let own = Identity::of(std::process::id().cast_signed())?;
        let start = format!("{id} start pid={} at={}\n", own.pid, own.start_time);
        out.write_all(start.as_bytes())?;
        out.flush()?;
        let interval = Duration::from_micros(self.interval);
        let (mut lines, mut errors) = (0_u64, 0_u64);
        while !STOPPED.load(Ordering::Acquire) {
            lines += 1;
            let line = format!("{id} {lines:06}\n");
            let (begin, rest) = match lines % BROKEN {
                0 => line.split_at(id.len() + 3),
                _ => (line.as_str(), ""),
            };
            out.write_all(begin.as_bytes())?;
            out.flush()?;
            std::thread::sleep(interval / 2);
            out.write_all(rest.as_bytes())?;
            out.flush()?;
            if lines % ERRORS == 0 {
                errors += 1;
                err.write_all(format!("{id} {errors:06}\n").as_bytes())?;
            }
            std::thread::sleep(interval / 2);
        }
        out.write_all(format!("{id} end {lines}\n").as_bytes())?;
        out.flush()?;
        err.write_all(format!("{id} end {errors}\n").as_bytes())?;
        std::process::exit(self.exit_code)
    }
}
