//! Checks, rewrites and shows the payloads that sandboxes are saved in: those of hcsshim, the shim in
//! Go, and those of [`lcow`](snapshot_examples::lcow).
//!
//! ```text
//! cargo run --example payload -- verify sandbox.binpb
//! cargo run --example payload -- verify --kind process process-*.binpb
//! cargo run --example payload -- --schema lcow recode --kind vm --out canonical vm.binpb
//! cargo run --example payload -- json sandbox.binpb
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | `cli` | the command line |
//! | `format` | what a file is, and how it is read |
//! | `input` | a file's bytes, and the line that says why it was refused |
//! | `verify`, `recode`, `json` | the three commands |
//!
//! Exit codes: 0 when all is well, 1 when a file was refused or could not be written, 2 when the call
//! itself is wrong.

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
        // Whoever was reading the output has enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            // Nobody may be there to read that either.
            let _ = writeln!(io::stderr(), "payload: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Ends the program as clap ends it when the command line is wrong.
fn wrong_call(kind: ErrorKind, reason: &str) -> ! {
    <Cli as clap::CommandFactory>::command().error(kind, reason).exit()
}
