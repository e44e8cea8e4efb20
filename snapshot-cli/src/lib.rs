//! The command-line tool `snapshot`: look into snapshots, check them, compare them.
//!
//! `snapshot --help` and `snapshot COMMAND --help` document the commands, each with examples; the exit
//! codes are those of [`Verdict`] and [`Problem`], and 2 for a wrong command line. What a file may do to
//! the tool is what it may do to the library: a length that a header claims costs nothing, what is
//! damaged is refused, and nothing in it reaches a terminal unescaped.
//!
//! # For your own types
//!
//! This is the tool as a library. It knows no schema of its own: everything that it knows is in a
//! [`Knowledge`], which the binary `snapshot` fills with the LCOW sandbox and the payloads of hcsshim.
//! A program with controllers of its own gets the same tool, with its own name, version and
//! verification, by a binary of a few lines. Depend on this crate with `default-features = false`: the
//! feature `binary` brings the types of the binary `snapshot`, and `zstd` a C library.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use snapshot_cli::{Knowledge, Program, registered};
//!
//! fn main() -> ExitCode {
//!     let program = Program {
//!         name: "acme-snapshot",
//!         version: env!("CARGO_PKG_VERSION"),
//!         about: "Look into the snapshots of the acme shim.",
//!     };
//!     program.main(&Knowledge {
//!         // include_bytes!("descriptors.binpb"), as protoc, buf or prost-build write it
//!         descriptors: &[],
//!         // For types that are not linked in: the fields that their controllers are called by.
//!         ids: &[("acme.v1.PodSnapshot", "pod_id")],
//!         // Verifies by the controllers that are linked into this binary.
//!         verifiers: &[registered],
//!         // What a lock is compared with: everything that is registered.
//!         manifests: &[("acme", || Ok(snapshot_core::registry::registry()?.manifest()))],
//!     })
//! }
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | `cli` | the command line |
//! | `files`, `document`, `manifests` | files that are read: bytes, a snapshot, a manifest or lock |
//! | `schemas` | the types that are known |
//! | `tree`, `fields`, `canonical` | the payloads of a snapshot, their fields, their only right encoding |
//! | `show`, `escape` | values and names as text that is safe to show |
//! | `inspect`, `verify`, `diff`, `json`, `timeline`, `schema` | the commands |
//! | `generate` | completions and man pages |

#![forbid(unsafe_code)]

mod canonical;
mod cli;
mod diff;
mod document;
mod escape;
mod fields;
mod files;
mod generate;
mod inspect;
mod json;
mod manifests;
mod schema;
mod schemas;
mod show;
mod timeline;
mod tree;
mod verify;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anstream::adapter::StripBytes;
use clap::FromArgMatches;
use clap::error::ErrorKind;
use snapshot_core::registry::Manifest;
use snapshot_core::{Error, Snapshot, WriteOptions};

use cli::{Cli, Command};
use escape::line;
pub use verify::registered;

/// Verifies the snapshots of some types completely, references among them; `None` for the others.
pub type Verifier = fn(&Snapshot) -> Option<Result<(), Error>>;

/// Gives a manifest, mostly that of the [`registry`](snapshot_core::registry::registry).
pub type Describe = fn() -> Result<Manifest, Error>;

/// What the tool knows of the snapshots that it is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Knowledge<'a> {
    /// A `google.protobuf.FileDescriptorSet` with the messages of the payloads; empty for none.
    pub descriptors: &'a [u8],
    /// By the full name of a message, the field that its controller is called by: where
    /// `#[snapshot(id)]` is. Not needed for the types that are linked in.
    pub ids: &'a [(&'a str, &'a str)],
    /// Asked in turn; the first answer counts.
    pub verifiers: &'a [Verifier],
    /// By name, what the programs whose snapshots these are save and accept. A lock is compared with
    /// the first one, unless another is named.
    pub manifests: &'a [(&'a str, Describe)],
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is well. Exit code 0.
    Fine,
    /// `verify` and `schema check` have findings, `diff` and `schema diff` have differences. Exit
    /// code 1.
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

/// How the tool presents itself: in its help, its version and its errors.
///
/// ```
/// use snapshot_cli::{Knowledge, Program};
///
/// let program = Program { name: "acme-snapshot", version: "2.1.0", about: "Look into acme." };
/// let mut out = Vec::new();
/// let help = program.run(["acme-snapshot", "--help"], &Knowledge::default(), false, &mut out);
/// assert!(help.unwrap_err().to_string().contains("acme-snapshot inspect sandbox.snapshot"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program<'a> {
    /// The name that it is called by.
    pub name: &'a str,
    /// Its version; empty for a program without `--version`.
    pub version: &'a str,
    /// One paragraph for the help; empty for that of the tool.
    pub about: &'a str,
}

impl Program<'_> {
    /// The whole program: reads the command line of the process, and ends as it is documented there.
    pub fn main(&self, knowledge: &Knowledge<'_>) -> ExitCode {
        let mut out = io::stdout().lock();
        let colours = anstream::AutoStream::choice(&out) != anstream::ColorChoice::Never;
        let ended = match self.run(std::env::args_os(), knowledge, colours, &mut out) {
            Ok(ended) => ended,
            // Help and version among them; 2 for a wrong command line.
            Err(wrong) => {
                let printed = match wrong.use_stderr() {
                    // Not as clap styles it: what a file or an argument says is in it.
                    true => wrong
                        .to_string()
                        .lines()
                        .try_for_each(|text| writeln!(anstream::stderr(), "{}", line(text))),
                    false => wrong.print(),
                };
                return match printed {
                    Ok(()) => ExitCode::from(u8::try_from(wrong.exit_code()).unwrap_or(2)),
                    Err(_) => ExitCode::from(3),
                };
            }
        };
        let ended =
            ended.and_then(|verdict| out.flush().map(|()| verdict).map_err(Problem::Output));
        match ended {
            Ok(Verdict::Fine) => ExitCode::SUCCESS,
            Ok(Verdict::Findings) => ExitCode::from(1),
            Err(problem) => {
                self.report(&problem);
                ExitCode::from(3)
            }
        }
    }

    /// Writes to standard error why a command could not do its work, each finding on a line.
    fn report(&self, problem: &Problem) {
        let findings: Vec<String> = match problem {
            Problem::Error(error) => findings(error),
            // Whoever was reading the output has enough.
            Problem::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return,
            Problem::Output(error) => vec![format!("the output cannot be written: {error}")],
        };
        for finding in findings {
            // Nobody may be there to read that.
            let _ = writeln!(anstream::stderr(), "{}: {}", line(self.name), line(&finding));
        }
    }

    /// Runs one command line, its program name first, and writes to `out` what it prints, bytes among
    /// it; text has colours where they help, if `colours` are wanted.
    ///
    /// # Errors
    ///
    /// The outer error is a wrong command line, or a request for help; the inner one is why the command
    /// could not do its work.
    pub fn run(
        &self,
        line: impl IntoIterator<Item = impl Into<OsString> + Clone>,
        knowledge: &Knowledge<'_>,
        colours: bool,
        out: &mut dyn Write,
    ) -> Result<Result<Verdict, Problem>, clap::Error> {
        let line: Vec<OsString> = line.into_iter().map(Into::into).collect();
        let cli = self.parse(&line)?;
        Ok(dispatch(self, &cli, knowledge, colours, out))
    }

    fn parse(&self, line: &[OsString]) -> Result<Cli, clap::Error> {
        let parse = |line: &[OsString]| {
            let mut command = cli::command(self);
            let cli = Cli::from_arg_matches(&command.try_get_matches_from_mut(line)?)?;
            match cli.contradiction() {
                None => Ok(cli),
                Some(reason) => Err(command.error(ErrorKind::ArgumentConflict, reason)),
            }
        };
        parse(line).map_err(|wrong| {
            // The message repeats arguments. It is made again with what a terminal would act on
            // escaped; where that is no error, the first message does not repeat them.
            let shown: Vec<OsString> = line.iter().map(shown).collect();
            parse(&shown).err().filter(|error| error.kind() == wrong.kind()).unwrap_or(wrong)
        })
    }
}

/// An argument as it can be shown: messages show one that is no UTF-8 with replacements.
fn shown(word: &OsString) -> OsString {
    line(&word.to_string_lossy()).into_owned().into()
}

/// The findings of an error, and how many more there are.
fn findings(error: &Error) -> Vec<String> {
    let mut findings: Vec<String> = error.findings().map(ToString::to_string).collect();
    if error.dropped() > 0 {
        findings.push(format!("and {} more", error.dropped()));
    }
    findings
}

/// The whole program, called as its file is, without a version: see [`Program::main`].
pub fn main(knowledge: &Knowledge<'_>) -> ExitCode {
    let file = std::env::args_os().next();
    let name = file.as_deref().and_then(|file| Path::new(file).file_stem()?.to_str());
    Program { name: name.unwrap_or("snapshot"), version: "", about: "" }.main(knowledge)
}

/// Runs one command line of a program that is called `snapshot`: see [`Program::run`].
///
/// # Errors
///
/// As [`Program::run`].
pub fn run(
    line: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    knowledge: &Knowledge<'_>,
    colours: bool,
    out: &mut dyn Write,
) -> Result<Result<Verdict, Problem>, clap::Error> {
    Program { name: "snapshot", version: "", about: "" }.run(line, knowledge, colours, out)
}

fn dispatch(
    program: &Program<'_>,
    cli: &Cli,
    knowledge: &Knowledge<'_>,
    colours: bool,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    let schemas = || schemas::Schemas::load(knowledge, &cli.options);
    let options = &cli.options;
    match &cli.command {
        Command::Inspect(of) => {
            styled(colours, out, |out| inspect::run(of, options, &schemas()?, out))
        }
        Command::Verify(of) => verify::run(of, options, &schemas()?, knowledge, out),
        Command::Diff(of) => diff::run(of, options, &schemas()?, out),
        Command::Json(of) => json::show(of, options, &schemas()?, out),
        Command::FromJson(of) => json::restore(of, options, &schemas()?, out),
        Command::Timeline(of) => timeline::run(of, options, out),
        Command::Schema { command } => {
            styled(colours, out, |out| schema::run(command, options, knowledge, out))
        }
        Command::Completions(of) => generate::completions(program, of, out),
        Command::Man(of) => generate::man(program, of, out),
    }
}

/// Runs a command that writes with styles, which are left out where no colours are wanted.
fn styled(
    colours: bool,
    out: &mut dyn Write,
    command: impl FnOnce(&mut dyn Write) -> Result<Verdict, Problem>,
) -> Result<Verdict, Problem> {
    match colours {
        true => command(out),
        false => command(&mut Plain { out, strip: StripBytes::new() }),
    }
}

/// An output without styles.
struct Plain<'a> {
    out: &'a mut dyn Write,
    strip: StripBytes,
}

impl Write for Plain<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in self.strip.strip_next(bytes) {
            self.out.write_all(piece)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes what a command has made into the file that was asked for, or to the output.
fn deliver(
    bytes: &[u8],
    path: Option<&Path>,
    replace: bool,
    out: &mut dyn Write,
) -> Result<(), Problem> {
    match path {
        Some(path) if path != Path::new("-") => {
            Ok(WriteOptions::new().replace(replace).write_bytes_to_path(bytes, path)?)
        }
        _ => Ok(out.write_all(bytes)?),
    }
}
