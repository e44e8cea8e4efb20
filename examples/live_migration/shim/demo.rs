//! Both shims at once, as two processes, and what is left of them at the end.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{WaitOptions, getpid, set_child_subreaper, wait};

use crate::shim::cli::Options;
use crate::shim::report;

/// How long the guest's processes may take to end once nobody holds its power any more.
const POWER_OFF_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs a destination and a source in `dir`, and waits until all of it has ended.
///
/// # Errors
///
/// One of them fails, or leaves processes behind.
pub(crate) fn run(options: &Options, dir: &Path) -> anyhow::Result<()> {
    // The processes of the guest outlive the shim that started them; they become ours then.
    set_child_subreaper(Some(getpid()))?;
    let address = format!("unix:{}", dir.join("socket").display());
    let reports = ["source", "destination"].map(|side| dir.join(format!("{side}-report.json")));
    let mut destination = shim(options, dir, "--listen", &address, &reports[1])?;
    let source = shim(options, dir, "--connect", &address, &reports[0])?.wait()?;
    if !source.success() {
        // It may not have come so far as to tell the destination.
        let _ = destination.kill();
    }
    let destination = destination.wait()?;
    reap()?;
    if let Some(whole) = &options.report {
        report::join(reports.each_ref().map(AsRef::as_ref), whole)?;
    }
    for (side, status) in [("source", source), ("destination", destination)] {
        anyhow::ensure!(status.success(), "the {side} failed: {status}");
    }
    Ok(())
}

fn shim(
    options: &Options,
    dir: &Path,
    role: &str,
    address: &str,
    report: &Path,
) -> anyhow::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([role, address]).arg("--dir").arg(dir);
    command.arg("--containers").arg(options.containers.to_string());
    command.arg("--seconds").arg(options.seconds.to_string());
    if let Some(fault) = &options.fail {
        command.arg("--fail").arg(fault.to_string());
    }
    if let Some(path) = &options.save {
        command.arg("--save").arg(path);
    }
    if options.report.is_some() {
        command.arg("--report").arg(report);
    }
    if options.verbose {
        command.arg("--verbose");
    }
    Ok(command.spawn()?)
}

/// Reaps what the shims have left: the processes of the guest, all of which have ended or do so now
/// that nobody holds its power.
fn reap() -> anyhow::Result<()> {
    let deadline = Instant::now() + POWER_OFF_TIMEOUT;
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => {
                anyhow::ensure!(Instant::now() < deadline, "processes of the guest still run");
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(Errno::CHILD) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
