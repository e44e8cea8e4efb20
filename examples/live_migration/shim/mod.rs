//! The two shims.

mod afterwards;
mod cli;
mod clock;
mod demo;
mod destination;
mod devices;
mod drive;
mod foreign;
mod guest;
mod identity;
mod link;
mod lock;
mod machine;
mod plan;
mod processes;
mod progress;
mod proof;
mod protocol;
mod record;
mod relay;
mod report;
mod sandbox;
mod source;
mod status;
mod storage;
mod summary;
mod table;
mod talk;
mod verdict;
mod workload;

use std::path::Path;

use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use snapshot_core::Error;
use tracing::level_filters::LevelFilter;

use cli::{Cli, Instead, Options};

/// How a shim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The source has given its sandbox away.
    Moved,
    /// The source has kept its sandbox.
    RanOn,
    /// The destination has taken the sandbox over.
    TookOver,
    /// The destination has not taken it over.
    NotTaken,
}

/// Runs what the command line says.
///
/// # Errors
///
/// What is printed then.
pub(crate) fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match &cli.instead {
        Some(Instead::Workload(workload)) => return workload.run(),
        Some(Instead::Status { folder }) => return status::status(folder),
        None => {}
    }
    let level = match (cli.options.verbose, &cli.options.fail) {
        (true, _) => LevelFilter::DEBUG,
        (false, None) => LevelFilter::ERROR,
        // What is asked for is shown, and need not be logged as well.
        (false, Some(_)) => LevelFilter::OFF,
    };
    tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).init();
    allow_many_files(cli.options.containers)?;
    let (dir, temporary) = match &cli.options.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir).map_err(|error| guest::at(dir, error))?;
            (dir.canonicalize()?, None)
        }
        None => {
            let temporary = tempfile::Builder::new().prefix("live_migration").tempdir()?;
            (temporary.path().to_owned(), Some(temporary))
        }
    };
    let outcome = match (&cli.listen, &cli.connect) {
        (Some(address), _) => destination::run(&cli.options, address, &dir)?,
        (None, Some(address)) => source::run(&cli.options, address, &dir)?,
        (None, None) => return demo::run(&cli.options, &dir),
    };
    if outcome == Outcome::Moved
        && let Some(temporary) = temporary
    {
        // The guest lives in it, and the destination has it now.
        let kept = temporary.keep();
        say("source", &format!("the guest and the source's logs stay in {}", kept.display()));
    }
    judge(outcome, &cli.options)
}

/// Whether what came is what was asked for: a migration, or with `--fail` none.
fn judge(outcome: Outcome, options: &Options) -> anyhow::Result<()> {
    match (outcome, &options.fail) {
        (Outcome::Moved | Outcome::TookOver, None)
        | (Outcome::RanOn | Outcome::NotTaken, Some(_)) => Ok(()),
        (Outcome::Moved | Outcome::TookOver, Some(fault)) => {
            anyhow::bail!("--fail {fault} made nothing fail")
        }
        (Outcome::RanOn | Outcome::NotTaken, None) => anyhow::bail!("the sandbox was not moved"),
    }
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

/// Which machine this is: another one after a restart.
fn machine_id() -> Result<String, Error> {
    let path = Path::new("/proc/sys/kernel/random/boot_id");
    std::fs::read_to_string(path)
        .map(|id| id.trim().to_owned())
        .map_err(|error| guest::at(path, error))
}

/// Prints a line of one side.
fn say(side: &'static str, text: &str) {
    for line in text.lines() {
        println!("{side:<11} │ {line}");
    }
}
