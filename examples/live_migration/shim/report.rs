//! The report of the migration, which each side writes for itself.

use std::path::Path;

use snapshot_core::{MigrationReport, SideReport, WriteOptions};

use crate::shim::cli::Options;
use crate::shim::console::complain;
use crate::shim::guest::at;

/// Writes what happened on one side, if it was asked for. A file that cannot be written is reported: the
/// sandbox does not depend on it.
pub(crate) fn write(options: &Options, side: impl FnOnce() -> SideReport) {
    if let Some(path) = &options.report
        && let Err(error) = put(path, &MigrationReport::new([side()]))
    {
        complain(format_args!("the report cannot be written: {error}"));
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
    Ok(WriteOptions::new().replace(true).write_bytes_to_path(report.to_json(), path)?)
}
