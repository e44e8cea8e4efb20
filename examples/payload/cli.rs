//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Checks, rewrites and shows the payloads of sandboxes.
///
/// A refused file is reported with all its errors at once: damaged or unknown bytes, values out of
/// range, another schema version, and in a whole sandbox every dangling reference. A file of more
/// than 16 MiB is refused unread.
#[derive(Clone, Debug, Parser)]
#[command(name = "payload", version)]
pub(crate) struct Cli {
    /// The schema of the payloads.
    #[arg(long, value_enum, global = true, default_value_t = Schema::Hcsshim)]
    pub(crate) schema: Schema,

    /// The kind of payload in the files.
    ///
    /// hcsshim: migration, vm, scsi, network, pod, linuxcontainer, process. lcow: sandbox, vm, scsi,
    /// vpci, plan9, network, pod, linuxcontainer, process. any: each file is a google.protobuf.Any,
    /// looked up by its type URL.
    #[arg(long, global = true, default_value = "any")]
    pub(crate) kind: String,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Schema {
    /// The payloads of hcsshim, the shim in Go.
    Hcsshim,
    /// The payloads of this project's LCOW sandbox.
    Lcow,
}

/// The command.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Print for each file FILE, a tab, `ok`; or FILE, a tab, `refused`, a tab, the reasons.
    Verify {
        /// The files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Write each file back in its canonical form, under the same name into another folder.
    ///
    /// A refused file is reported on standard error and not written.
    Recode {
        /// The folder, which is created if it does not exist. Files with the same names are replaced.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,

        /// The files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print a file as protobuf JSON.
    Json {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn schema_and_kind_are_given_before_or_after_the_command() {
        for line in [
            "payload --schema lcow --kind vm verify f",
            "payload --schema lcow verify --kind vm f",
            "payload verify --schema=lcow f --kind vm",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!((cli.schema, cli.kind.as_str()), (Schema::Lcow, "vm"), "{line}");
        }
        let cli = Cli::try_parse_from(["payload", "json", "f"]).unwrap();
        assert_eq!((cli.schema, cli.kind.as_str()), (Schema::Hcsshim, "any"));
    }
}
