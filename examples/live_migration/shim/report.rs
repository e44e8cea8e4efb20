//! Writes the report of the migration, separately on each side.

use std::path::Path;

use snapshot_core::{MigrationReport, SideReport, WriteOptions};

use crate::shim::cli::Options;
use crate::shim::console::complain;
use crate::shim::guest::at;

/// Writes the report of one side, if it was requested. If the file cannot be written, that is only
/// logged, because the sandbox does not depend on it.
pub(crate) fn write(options: &Options, side: impl FnOnce() -> SideReport) {
    if let Some(path) = &options.report
        && let Err(error) = put(path, &MigrationReport::new([side()]))
    {
        complain(format_args!("the report cannot be written: {error}"));
    }
}

/// Writes one report from those of the two sides. A side that failed early has none.
///
/// # Errors
///
/// If a report is invalid, or a file cannot be written.
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
