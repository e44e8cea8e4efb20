//! The tool `snapshot`, with the LCOW sandbox and the payloads of hcsshim linked in.

#![forbid(unsafe_code)]

mod states;

use std::process::ExitCode;

fn main() -> ExitCode {
    snapshot_cli::main(&states::knowledge())
}
