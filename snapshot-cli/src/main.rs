//! The tool `snapshot`, with the LCOW sandbox and the payloads of hcsshim linked in.

#![forbid(unsafe_code)]

mod states;

use std::process::ExitCode;

use snapshot_cli::Program;

fn main() -> ExitCode {
    let program = Program {
        name: "snapshot",
        version: env!("CARGO_PKG_VERSION"),
        about: "Show, verify and compare snapshots of controllers. The payloads of the LCOW sandbox \
                and of hcsshim are built in.",
    };
    program.main(&states::knowledge())
}
