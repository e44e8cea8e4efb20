//! The command line.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, Subcommand};
use snapshot_core::Phase;

use crate::shim::link::Address;
use crate::shim::sandbox::MAX_CONTAINERS;
use crate::shim::vm::Vm;
use crate::shim::workload::Workload;

/// Moves a running sandbox from one shim to another, and proves that no line of its output was lost.
///
/// Without `--listen` and `--connect` it runs both shims, connected by a Unix socket, in a
/// temporary folder. With them it runs one: start the destination with `--listen ADDRESS` and the
/// source with `--connect ADDRESS`, where ADDRESS is HOST:PORT or unix:PATH. The containers are
/// processes, which stand for the memory of the VM that a hypervisor would transfer. So both shims
/// must run on the same kernel and see the same files, for instance in two network namespaces. On a
/// Unix socket, a peer is identified by its user; over TCP, by its certificate: `live_migration
/// keys FOLDER` makes some. If a shim was killed, start it again with the same command line, and it
/// continues its sandbox.
#[derive(Clone, Debug, Parser)]
#[command(name = "live_migration", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) instead: Option<Instead>,

    #[command(flatten)]
    pub(crate) options: Options,

    /// Run the destination only, and wait there for the source.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "connect")]
    pub(crate) listen: Option<Address>,

    /// Run the source only, and move its sandbox to the destination at this address.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) connect: Option<Address>,
}

/// Options for both sides.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// The number of containers in the sandbox.
    #[arg(long, default_value_t = 3, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_CONTAINERS)))]
    pub(crate) containers: u32,

    /// Make the step of one controller fail, for instance `freeze:pods/web/containers/c1`. Phases:
    /// freeze, save, prepare, refresh, patch, resume. With --listen and --connect, give it to both
    /// sides.
    #[arg(long, value_name = "PHASE:CONTROLLER-ID")]
    pub(crate) fail: Option<Fault>,

    /// Keep the snapshot in this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,

    /// Write the report of the migration into this file, as JSON: the phases, the controllers, the
    /// failure. `snapshot timeline` draws it.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Work in this folder, and keep it. It must not exist, or be empty, or be that of a shim that
    /// was killed, whose sandbox then continues.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,

    /// The time in seconds for which the sandbox runs before the migration, and again after it.
    #[arg(long, default_value_t = 1.0, value_name = "S", value_parser = seconds)]
    pub(crate) seconds: f64,

    /// The time in seconds for which a side waits for the other after a lost connection.
    #[arg(long, default_value_t = 15.0, value_name = "S", value_parser = seconds)]
    pub(crate) patience: f64,

    /// The folder that must contain the folders that a source names: the guest and the storage. The
    /// default is the folder of --dir.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) shared: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) tls: TlsOptions,

    /// Log more details.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// The identification of the peer over TCP.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TlsOptions {
    /// The certificate of this side, a PEM file.
    #[arg(long, value_name = "FILE", requires_all = ["tls_key", "tls_ca"])]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The key of this side's certificate, a PEM file.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// The certificate of the authority that has signed the other side's certificate, a PEM file.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_ca: Option<PathBuf>,

    /// Use plain TCP without certificates, even to other machines. Then anybody who reaches the
    /// port can offer a sandbox, or take one.
    #[arg(long, conflicts_with = "tls_cert")]
    pub(crate) insecure: bool,

    /// With both shims: connect them over TLS on the loopback interface, with keys made for this
    /// run.
    #[arg(long, conflicts_with = "tls_cert")]
    pub(crate) over_tls: bool,
}

/// The files for TLS of one side.
#[derive(Clone, Debug)]
pub(crate) struct TlsFiles {
    /// Its certificate.
    pub(crate) cert: PathBuf,
    /// Its key.
    pub(crate) key: PathBuf,
    /// The authority that has signed the other side's certificate.
    pub(crate) ca: PathBuf,
}

impl TlsOptions {
    /// Returns the files, if they were given.
    pub(crate) fn files(&self) -> Option<TlsFiles> {
        let Self { tls_cert, tls_key, tls_ca, .. } = self.clone();
        Some(TlsFiles { cert: tls_cert?, key: tls_key?, ca: tls_ca? })
    }
}

/// Commands other than a migration.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Instead {
    /// Show how a migration ended, from the files of both sides, or of the one that is in the
    /// folder.
    Status {
        /// The folder of --dir.
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Answer a source that is in doubt, in place of the destination. First look at the folders of
    /// both sides with `status`.
    Decide {
        /// The folder of the source's --dir.
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
        /// The owner of the sandbox: `commit` for the destination, `rollback` for the source.
        #[arg(value_enum)]
        choice: Decided,
    },
    /// End the sandbox of a folder whose shims have ended, with all its containers.
    End {
        /// The folder of the source's --dir.
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// Make keys and certificates for a demonstration: an authority, a source, a destination.
    Keys {
        /// The folder for them.
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
    },
    /// The process of a container.
    #[command(hide = true)]
    Workload(Workload),
    /// The process of the VM.
    #[command(hide = true)]
    Vm(Vm),
}

/// An operator's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Decided {
    /// The sandbox is the destination's.
    Commit,
    /// The sandbox is the source's.
    Rollback,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("expected a number of seconds from 0 to 3600".to_owned()),
    }
}

/// A step that must fail.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    /// The phase.
    pub(crate) phase: Phase,
    /// The controller's id.
    pub(crate) controller: String,
}

impl Fault {
    const PHASES: [Phase; 6] =
        [Phase::Freeze, Phase::Save, Phase::Prepare, Phase::Refresh, Phase::Patch, Phase::Resume];

    /// The phases of the destination.
    pub(crate) const AT_DESTINATION: [Phase; 4] =
        [Phase::Prepare, Phase::Refresh, Phase::Patch, Phase::Resume];
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (phase, controller) =
            text.split_once(':').ok_or("expected PHASE:CONTROLLER-ID, as in patch:vm/scsi")?;
        let phase =
            Self::PHASES.into_iter().find(|known| known.as_str() == phase).ok_or_else(|| {
                let phases = Self::PHASES.map(Phase::as_str).join(", ");
                format!("{phase:?} is no phase that can fail, expected one of {phases}")
            })?;
        Ok(Self { phase, controller: controller.to_owned() })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.phase.as_str(), self.controller)
    }
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
    fn a_fault_is_a_phase_and_a_controller() {
        let fault: Fault = "patch:pods/web/containers/c1".parse().unwrap();
        assert_eq!(fault.phase, Phase::Patch);
        assert_eq!(fault.controller, "pods/web/containers/c1");
        assert_eq!(fault.to_string(), "patch:pods/web/containers/c1");
        assert!("patch".parse::<Fault>().unwrap_err().contains("PHASE:CONTROLLER-ID"));
        assert!(
            "commit:vm".parse::<Fault>().unwrap_err().contains("save, prepare, refresh, patch")
        );
    }
}
