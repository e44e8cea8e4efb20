//! The two shims.

mod arrival;
mod bridge;
mod cli;
mod confine;
mod console;
mod demo;
mod destination;
mod devices;
mod guest;
mod identity;
mod keeper;
mod link;
mod lock;
mod machine;
mod note;
mod plan;
mod processes;
mod progress;
mod proof;
mod reception;
mod relay;
mod report;
mod sandbox;
mod side;
mod signals;
mod source;
mod status;
mod storage;
mod summary;
mod table;
mod tls;
mod vm;
mod workload;

use std::path::Path;
use std::time::Duration;

use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use snapshot_core::Error;
use snapshot_handover::{Handover, Ledger, Limits};
use tracing::level_filters::LevelFilter;

use cli::{Cli, Instead, Options};
pub(crate) use console::{complain, flush};
use link::{Address, Endpoint};
use tls::Tls;

/// The end of a shim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The source has given its sandbox away.
    Moved,
    /// The source has kept its sandbox.
    RanOn,
    /// The source does not know which side has the sandbox.
    InDoubt,
    /// The destination has taken the sandbox over.
    TookOver,
    /// The destination has not taken it over.
    NotTaken,
    /// It was asked to end.
    Interrupted,
}

/// Runs the command of the command line.
///
/// # Errors
///
/// The error to be printed.
pub(crate) fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match &cli.instead {
        Some(Instead::Workload(workload)) => return workload.run(),
        Some(Instead::Vm(vm)) => return vm.run(),
        _ => {}
    }
    let level = match (cli.options.verbose, &cli.options.fail) {
        (true, _) => LevelFilter::DEBUG,
        (false, None) => LevelFilter::ERROR,
        // The output of the command need not be logged as well.
        (false, Some(_)) => LevelFilter::OFF,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(|| console::Stderr)
        .init();
    let result = run(&cli);
    flush();
    result
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    match &cli.instead {
        Some(Instead::Status { folder }) => return status::status(folder),
        Some(Instead::Decide { folder, choice }) => return status::decide(folder, *choice),
        Some(Instead::End { folder }) => return status::end(folder),
        Some(Instead::Keys { folder }) => {
            tls::make_keys(folder)?;
            console::say("keys", &format!("are in {}", folder.display()));
            return Ok(());
        }
        Some(Instead::Workload(_) | Instead::Vm(_)) | None => {}
    }
    allow_many_files(cli.options.containers)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .thread_name("links")
        .enable_all()
        .build()?;
    {
        let _inside = runtime.enter();
        signals::watch()?;
    }
    let (dir, temporary) = match &cli.options.dir {
        Some(dir) => {
            confine::private_folder(dir)?;
            (dir.canonicalize()?, None)
        }
        None => {
            let temporary = tempfile::Builder::new().prefix("live_migration").tempdir()?;
            (temporary.path().canonicalize()?, Some(temporary))
        }
    };
    let endpoint = |address: &Address| -> anyhow::Result<Endpoint> {
        let options = &cli.options.tls;
        let tls = options.files().map(|files| Tls::read(&files)).transpose()?;
        Ok(Endpoint { address: address.clone(), tls, insecure: options.insecure })
    };
    let outcome = match (&cli.listen, &cli.connect) {
        (Some(address), _) => destination::run(&cli.options, &endpoint(address)?, &dir, &runtime)?,
        (None, Some(address)) => source::run(&cli.options, &endpoint(address)?, &dir, &runtime)?,
        (None, None) => return demo::run(&cli.options, &dir),
    };
    if matches!(outcome, Outcome::Moved | Outcome::InDoubt)
        && let Some(temporary) = temporary
    {
        // The guest lives in it, and the destination has it now.
        let kept = temporary.keep();
        console::say("source", &format!("the guest and the logs stay in {}", kept.display()));
    }
    judge(outcome, &cli.options)
}

/// Returns whether the outcome is the requested one: a migration, or with `--fail` none.
fn judge(outcome: Outcome, options: &Options) -> anyhow::Result<()> {
    match (outcome, &options.fail) {
        (Outcome::Moved | Outcome::TookOver, None)
        | (Outcome::RanOn | Outcome::NotTaken, Some(_)) => Ok(()),
        (Outcome::Moved | Outcome::TookOver, Some(fault)) => {
            anyhow::bail!("--fail {fault} made nothing fail")
        }
        (Outcome::RanOn | Outcome::NotTaken, None) => anyhow::bail!("the sandbox was not moved"),
        (Outcome::InDoubt, _) => anyhow::bail!("it is not known which side has the sandbox"),
        (Outcome::Interrupted, _) => anyhow::bail!("it was asked to end"),
    }
}

/// Returns the settings of both sides for their hand-overs.
fn handover(ledger: &Ledger) -> Handover {
    // The wait for a silent or very slow stranger.
    let limits = Limits::new()
        .greeting(Duration::from_secs(15))
        .message(Duration::from_secs(10))
        .resume(Duration::from_secs(60));
    Handover::new(ledger)
        .build(concat!("live_migration ", env!("CARGO_PKG_VERSION")))
        .limits(limits)
}

/// Lets the sandbox run, and maintains it from time to time.
fn run_for(seconds: f64, mut tend: impl FnMut()) {
    signals::wait_until(Duration::from_secs_f64(seconds), || {
        tend();
        false
    });
}

/// Raises the limit of open files as far as this user may. A container takes eight files for its IO
/// and its process, and one for its disk.
fn allow_many_files(containers: u32) -> anyhow::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let needed = u64::from(containers) * 9 + 64;
    anyhow::ensure!(
        maximum.is_none_or(|maximum| maximum >= needed),
        "{containers} containers need {needed} open files, and the limit is {}: raise it with \
         `ulimit -Hn`, or take fewer containers",
        maximum.unwrap_or_default()
    );
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    Ok(())
}

/// Returns the id of this machine, which changes with a restart.
fn machine_id() -> Result<String, Error> {
    let path = Path::new("/proc/sys/kernel/random/boot_id");
    std::fs::read_to_string(path)
        .map(|id| id.trim().to_owned())
        .map_err(|error| guest::at(path, error))
}
