//! The command-line tool `snapshot`: shows, verifies and compares snapshots.
//!
//! `snapshot --help` and `snapshot COMMAND --help` document the commands, with examples. The exit codes are
//! those of [`Verdict`] and [`Problem`], and 2 for a wrong command line. The tool has the same guarantees
//! against untrusted files as the library: it allocates no memory for a length that only the header claims,
//! refuses damaged files, and writes no unescaped text of a file to a terminal.
//!
//! # For your own types
//!
//! This is the tool as a library. It contains no schema: all schemas are in a [`Knowledge`], which the
//! binary `snapshot` fills with the LCOW sandbox and the payloads of hcsshim. For your own controllers,
//! write a binary of a few lines: it is the same tool with its own name, version and verification. Depend on
//! this crate with `default-features = false`: the feature `binary` adds the types of the binary
//! `snapshot`, and `zstd` adds a C library.
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
//!         about: "Show and verify the snapshots of the acme shim.",
//!     };
//!     program.main(&Knowledge {
//!         // include_bytes!("descriptors.binpb"), from protoc, buf or prost-build
//!         descriptors: &[],
//!         // For types that are not linked: the fields with the ids of their controllers.
//!         ids: &[("acme.v1.PodSnapshot", "pod_id")],
//!         // Verifies with the controllers that are linked into this binary.
//!         verifiers: &[registered],
//!         // A lock is compared with this manifest: all registered types.
//!         manifests: &[("acme", || Ok(snapshot_core::registry::registry()?.manifest()))],
//!     })
//! }
//! ```
//!
//! | module | content |
//! |---|---|
//! | `cli` | the command line |
//! | `files`, `document`, `manifests` | input files: bytes, a snapshot, a manifest or lock |
//! | `schemas` | the known types |
//! | `tree`, `fields`, `canonical` | the payloads of a snapshot, their fields, their canonical encoding |
//! | `show`, `escape` | values and names as text that is safe to display |
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

/// Verifies the snapshots of some types completely, including references. Returns `None` for other types.
pub type Verifier = fn(&Snapshot) -> Option<Result<(), Error>>;

/// Returns a manifest, usually that of the [`registry`](snapshot_core::registry::registry).
pub type Describe = fn() -> Result<Manifest, Error>;

/// The types that the tool knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Knowledge<'a> {
    /// A `google.protobuf.FileDescriptorSet` with the messages of the payloads; empty for none.
    pub descriptors: &'a [u8],
    /// Pairs of the full name of a message and the field with the id of its controller, which has
    /// `#[snapshot(id)]` in the state. Linked types do not need an entry.
    pub ids: &'a [(&'a str, &'a str)],
    /// The verifiers, called in turn until one of them returns an answer.
    pub verifiers: &'a [Verifier],
    /// The manifests of the programs that save the snapshots, with their names. A lock is compared with
    /// the first one, unless the command line names another.
    pub manifests: &'a [(&'a str, Describe)],
}

/// The result of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The command found no problem and no difference. Exit code 0.
    Fine,
    /// `verify` and `schema check` have findings, `diff` and `schema diff` have differences. Exit
    /// code 1.
    Findings,
}

/// The reason why a command failed. Exit code 3.
#[derive(Debug)]
pub enum Problem {
    /// A file cannot be read or written, or has the wrong content.
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

/// The name, version and description of the program, for its help and its errors.
///
/// ```
/// use snapshot_cli::{Knowledge, Program};
///
/// let program = Program { name: "acme-snapshot", version: "2.1.0", about: "Show acme." };
/// let mut out = Vec::new();
/// let help = program.run(["acme-snapshot", "--help"], &Knowledge::default(), false, &mut out);
/// assert!(help.unwrap_err().to_string().contains("acme-snapshot inspect sandbox.snapshot"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program<'a> {
    /// The name of the program.
    pub name: &'a str,
    /// The version; empty for a program without `--version`.
    pub version: &'a str,
    /// One paragraph for the help; empty for the description of the tool.
    pub about: &'a str,
}

impl Program<'_> {
    /// Runs the whole program: parses the command line of the process and returns its exit code.
    pub fn main(&self, knowledge: &Knowledge<'_>) -> ExitCode {
        let mut out = io::stdout().lock();
        let colours = anstream::AutoStream::choice(&out) != anstream::ColorChoice::Never;
        let ended = match self.run(std::env::args_os(), knowledge, colours, &mut out) {
            Ok(ended) => ended,
            // This includes the help and the version; 2 means a wrong command line.
            Err(wrong) => {
                let printed = match wrong.use_stderr() {
                    // Without the styles of clap, because it contains text of a file or an argument.
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

    /// Writes the reason of a failure to standard error, one finding per line.
    fn report(&self, problem: &Problem) {
        let findings: Vec<String> = match problem {
            Problem::Error(error) => findings(error),
            // The reader of the output has closed it.
            Problem::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return,
            Problem::Output(error) => vec![format!("the output cannot be written: {error}")],
        };
        for finding in findings {
            // Standard error may be closed.
            let _ = writeln!(anstream::stderr(), "{}: {}", line(self.name), line(&finding));
        }
    }

    /// Runs one command line, which begins with the program name, and writes its output, text or bytes, to
    /// `out`. Text has colours if `colours` is true.
    ///
    /// # Errors
    ///
    /// The outer error is a wrong command line, or a request for help; the inner one is the reason why the
    /// command failed.
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
            // The message repeats arguments, so it is created again from escaped arguments. If those cause
            // no error, the first message does not repeat them.
            let shown: Vec<OsString> = line.iter().map(shown).collect();
            parse(&shown).err().filter(|error| error.kind() == wrong.kind()).unwrap_or(wrong)
        })
    }
}

/// Escapes an argument for display. Messages show an argument that is not UTF-8 with replacements.
fn shown(word: &OsString) -> OsString {
    line(&word.to_string_lossy()).into_owned().into()
}

/// The findings of an error, and the number of omitted ones.
fn findings(error: &Error) -> Vec<String> {
    let mut findings: Vec<String> = error.findings().map(ToString::to_string).collect();
    if error.dropped() > 0 {
        findings.push(format!("and {} more", error.dropped()));
    }
    findings
}

/// Runs the whole program under the name of its file, without a version: see [`Program::main`].
pub fn main(knowledge: &Knowledge<'_>) -> ExitCode {
    let file = std::env::args_os().next();
    let name = file.as_deref().and_then(|file| Path::new(file).file_stem()?.to_str());
    Program { name: name.unwrap_or("snapshot"), version: "", about: "" }.main(knowledge)
}

/// Runs one command line of a program called `snapshot`: see [`Program::run`].
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

/// Runs a command that writes with styles, and removes the styles if no colours are wanted.
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

/// Writes the result of a command to the requested file, or to the output.
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
