//! The command-line tool `snapshot`: look into snapshots, check them, compare them.
//!
//! This is the tool as a library. It knows no schema of its own: what it knows is a [`Knowledge`],
//! which the binary `snapshot` fills with the LCOW sandbox and the payloads of hcsshim. A program with
//! controllers of its own gets the same tool, with its own names and its own verification, by a
//! binary of a few lines:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use snapshot_cli::{Knowledge, registered};
//!
//! fn main() -> ExitCode {
//!     snapshot_cli::main(&Knowledge {
//!         // include_bytes!("descriptors.binpb"), as protoc, buf or prost-build write it
//!         descriptors: &[],
//!         // The fields that `#[snapshot(id)]` is on.
//!         ids: &[("acme.v1.PodSnapshot", "pod_id")],
//!         // Verifies by the controllers that are linked into this binary.
//!         verifiers: &[registered],
//!     })
//! }
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | `cli` | the command line |
//! | `input`, `schemas` | files, and what is known of their types |
//! | `tree`, `canonical` | the payloads of a snapshot, and their only right encoding |
//! | `inspect`, `verify`, `diff`, `json`, `timeline` | the commands |
//! | `generate` | completions and man pages |

#![forbid(unsafe_code)]

mod canonical;
mod cli;
mod diff;
mod generate;
mod input;
mod inspect;
mod json;
mod schemas;
mod show;
mod timeline;
mod tree;
mod verify;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use snapshot_core::{Error, Snapshot};

use cli::{Cli, Command};
pub use verify::registered;

/// Verifies the snapshots of some types completely, references among them; `None` for the others.
pub type Verifier = fn(&Snapshot) -> Option<Result<(), Error>>;

/// What the tool knows of the snapshots that it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Knowledge<'a> {
    /// A `google.protobuf.FileDescriptorSet` with the messages of the payloads; empty for none.
    pub descriptors: &'a [u8],
    /// By the full name of a message, the field that its controller is called by: where
    /// `#[snapshot(id)]` is.
    pub ids: &'a [(&'a str, &'a str)],
    /// Asked in turn; the first answer counts.
    pub verifiers: &'a [Verifier],
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is well. Exit code 0.
    Fine,
    /// `verify` has findings, `diff` has differences. Exit code 1.
    Findings,
}

/// Why a command could not do its work. Exit code 3.
#[derive(Debug)]
pub enum Problem {
    /// A file cannot be read or written, or is not what it should be.
    Error(Error),
    /// The output cannot be written.
    Output(io::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The whole program: reads the command line, and ends as it is documented there.
pub fn main(knowledge: &Knowledge<'_>) -> ExitCode {
    let mut out = io::stdout().lock();
    let colours = anstream::AutoStream::choice(&out) != anstream::ColorChoice::Never;
    let ended = match run(std::env::args_os(), knowledge, colours, &mut out) {
        Ok(ended) => ended,
        // Help and version among them; 2 for a wrong command line.
        Err(wrong) => wrong.exit(),
    };
    let ended = ended.and_then(|verdict| out.flush().map(|()| verdict).map_err(Problem::Output));
    match ended {
        Ok(Verdict::Fine) => ExitCode::SUCCESS,
        Ok(Verdict::Findings) => ExitCode::from(1),
        // Whoever was reading the output has enough.
        Err(Problem::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::from(3)
        }
        Err(problem) => {
            let text = match problem {
                Problem::Error(error) => error.to_string(),
                Problem::Output(error) => format!("the output cannot be written: {error}"),
            };
            // Nobody may be there to read that.
            let _ = writeln!(anstream::stderr(), "snapshot: {}", show::printable(&text));
            ExitCode::from(3)
        }
    }
}

/// Runs one command line, its program name first, and writes to `out` what it prints, bytes among it;
/// text has colours where they help, if `colours` are wanted.
///
/// # Errors
///
/// The outer error is a wrong command line, or a request for help; the inner one is why the command
/// could not do its work.
pub fn run(
    line: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    knowledge: &Knowledge<'_>,
    colours: bool,
    out: &mut dyn Write,
) -> Result<Result<Verdict, Problem>, clap::Error> {
    Cli::try_parse_from(line).map(|cli| dispatch(&cli, knowledge, colours, out))
}

fn dispatch(
    cli: &Cli,
    knowledge: &Knowledge<'_>,
    colours: bool,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    let schemas = || schemas::Schemas::load(knowledge, &cli.options);
    let options = &cli.options;
    match &cli.command {
        Command::Inspect(of) if colours => inspect::run(of, options, &schemas()?, out),
        Command::Inspect(of) => {
            let mut plain = anstream::StripStream::new(Vec::new());
            let verdict = inspect::run(of, options, &schemas()?, &mut plain)?;
            out.write_all(&plain.into_inner())?;
            Ok(verdict)
        }
        Command::Verify(of) => verify::run(of, options, &schemas()?, knowledge, out),
        Command::Diff(of) => diff::run(of, options, &schemas()?, out),
        Command::Json(of) => json::show(of, options, &schemas()?, out),
        Command::FromJson(of) => json::restore(of, options, &schemas()?, out),
        Command::Timeline(of) => timeline::run(of, options, out),
        Command::Completions(of) => generate::completions(of, out),
        Command::Man(of) => generate::man(of, out),
    }
}
