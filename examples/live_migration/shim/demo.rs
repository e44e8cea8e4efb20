//! Runs both shims.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};

use crate::shim::cli::{Options, TlsFiles};
use crate::shim::tls::{files, make_keys};
use crate::shim::{destination, report, signals, source};

/// The time for the VM and its processes to end.
const POWER_OFF_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs a destination and a source in `dir`, and waits until all processes have ended.
///
/// # Errors
///
/// If one of them fails, or leaves processes behind.
pub(crate) fn run(options: &Options, dir: &Path) -> anyhow::Result<()> {
    // The processes of the guest outlive the shim that started them; they then become children of
    // this process.
    set_child_subreaper(Some(getpid()))?;
    let keys = dir.join("keys");
    let address = match options.tls.over_tls {
        true => {
            make_keys(&keys)?;
            // The port was free a moment ago, and nobody else takes it on purpose.
            TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string()
        }
        false => format!("unix:{}", dir.join("socket").display()),
    };
    let reports =
        [source::SIDE, destination::SIDE].map(|side| dir.join(format!("{side}-report.json")));
    let start = |side: &str, role: &str, report: &Path| {
        let files = options.tls.over_tls.then(|| files(&keys, side));
        shim(options, dir, (role, &address), files, report)
    };
    let mut destination = start(destination::SIDE, "--listen", &reports[1])?;
    let mut source = start(source::SIDE, "--connect", &reports[0])?;
    let ended = loop {
        if let Some(ended) = source.try_wait()? {
            break ended;
        }
        if signals::pause(Duration::from_millis(10)) {
            // They get it directly from the terminal.
            terminate(&source);
            break source.wait()?;
        }
    };
    if options.fail.is_some() || !ended.success() {
        // No source will come. A destination that has the sandbox ends it.
        terminate(&destination);
    }
    let ends = [(source::SIDE, ended), (destination::SIDE, destination.wait()?)];
    reap()?;
    if let Some(whole) = &options.report {
        report::join(reports.each_ref().map(AsRef::as_ref), whole)?;
    }
    for (side, status) in ends {
        anyhow::ensure!(status.success(), "the {side} failed: {status}");
    }
    Ok(())
}

/// Asks a shim to end.
fn terminate(shim: &Child) {
    if let Some(pid) = Pid::from_raw(shim.id().cast_signed()) {
        // An error means that it has ended. It is not reaped yet, so its number means no other
        // process.
        let _ = kill_process(pid, Signal::TERM);
    }
}

fn shim(
    options: &Options,
    dir: &Path,
    (role, address): (&str, &str),
    tls: Option<TlsFiles>,
    report: &Path,
) -> anyhow::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([role, address]).arg("--dir").arg(dir);
    command.arg("--containers").arg(options.containers.to_string());
    command.arg("--seconds").arg(options.seconds.to_string());
    command.arg("--patience").arg(options.patience.to_string());
    if let Some(TlsFiles { cert, key, ca }) = tls {
        command.arg("--tls-cert").arg(cert).arg("--tls-key").arg(key).arg("--tls-ca").arg(ca);
    }
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

/// Reaps the processes that the shims have left: the VM and the processes of the guest, which have
/// ended or end now.
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
