//! The report of the migration, which each side writes for itself.

use std::path::Path;

use snapshot_core::{MigrationReport, SideReport};

use crate::shim::cli::Options;
use crate::shim::guest::at;

/// Writes what happened on one side, if it was asked for.
///
/// # Errors
///
/// A file that cannot be written.
pub(crate) fn write(options: &Options, side: impl FnOnce() -> SideReport) -> anyhow::Result<()> {
    match &options.report {
        Some(path) => put(path, &MigrationReport::new([side()])),
        None => Ok(()),
    }
}

/// Writes one report of those of the two sides. One that failed early has none.
///
/// # Errors
///
/// A report that is none, and a file that cannot be written.
pub(crate) fn join(parts: [&Path; 2], whole: &Path) -> anyhow::Result<()> {
    let mut sides = Vec::new();
    for path in parts.into_iter().filter(|path| path.exists()) {
        let json = std::fs::read(path).map_err(|error| at(path, error))?;
        sides.extend(MigrationReport::from_json(&json)?.sides);
    }
    put(whole, &MigrationReport::new(sides))
}

fn put(path: &Path, report: &MigrationReport) -> anyhow::Result<()> {
    Ok(std::fs::write(path, report.to_json()).map_err(|error| at(path, error))?)
}
