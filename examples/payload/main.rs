//! Checks, rewrites and shows the payloads of sandboxes: those of hcsshim, the shim in Go, and
//! those of [`lcow`](snapshot_examples::lcow).
//!
//! ```text
//! cargo run --example payload -- verify sandbox.binpb
//! cargo run --example payload -- verify --kind process process-*.binpb
//! cargo run --example payload -- --schema lcow recode --kind vm --out canonical vm.binpb
//! cargo run --example payload -- json sandbox.binpb
//! ```
//!
//! | module | purpose |
//! |---|---|
//! | `cli` | the command line |
//! | `format` | the format of a file |
//! | `input` | reads files, and describes why a file is refused |
//! | `verify`, `recode`, `json` | the three commands |
//!
//! Exit codes: 0 for success, 1 if a file was refused or could not be written, 2 if the command
//! line is wrong.

mod cli;
mod format;
mod input;
mod json;
mod recode;
mod verify;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::cli::{Cli, Command};
use crate::format::Format;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let format = match Format::new(cli.schema, &cli.kind) {
        Ok(format) => format,
        Err(error) => wrong_call(ErrorKind::InvalidValue, &format!("--kind: {error}, any")),
    };
    let done = match &cli.command {
        Command::Verify { files } => verify::run(format, files),
        Command::Recode { out, files } => match recode::plan(out, files) {
            Ok(plan) => recode::run(format, out, &plan),
            Err(clash) => wrong_call(ErrorKind::ArgumentConflict, &clash),
        },
        Command::Json { file } => json::run(format, file),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // The reader of the output has closed it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            // Standard error may be closed too.
            let _ = writeln!(io::stderr(), "payload: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Ends the program like clap does for a wrong command line.
fn wrong_call(kind: ErrorKind, reason: &str) -> ! {
    <Cli as clap::CommandFactory>::command().error(kind, reason).exit()
}
