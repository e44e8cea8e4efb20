//! `snapshot timeline`: the phases of a migration per controller, as a Gantt chart.

mod chart;
mod svg;

use std::fs;
use std::io::Write;

use snapshot_core::{Error, MigrationReport};

use crate::cli::{Options, Timeline};
use crate::input::{name_of, read_bytes};
use crate::{Problem, Verdict};

pub(crate) fn run(
    of: &Timeline,
    options: &Options,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    let mut sides = Vec::new();
    for path in &of.reports {
        let name = name_of(path);
        let report = MigrationReport::from_json(&read_bytes(path, options)?)
            .map_err(|error| Error::new(error.code(), format!("{name}: {error}")))?;
        sides.extend(report.sides);
    }
    if sides.iter().all(|side| side.phases.is_empty() && side.failure.is_none()) {
        return Err(Error::invalid("there is nothing to draw: no phase has ended").into());
    }
    let picture = chart::draw(&sides);
    match &of.output {
        None => out.write_all(picture.as_bytes())?,
        Some(path) => fs::write(path, picture).map_err(|error| {
            Error::precondition(format!("{}: cannot be written: {error}", path.display()))
        })?,
    }
    Ok(Verdict::Fine)
}
