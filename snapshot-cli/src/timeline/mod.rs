//! `snapshot timeline`: draws the phases of a migration per controller as a Gantt chart.

mod chart;
mod svg;

use std::io::Write;

use snapshot_core::{Error, MigrationReport};

use crate::cli::{Options, Timeline};
use crate::files::{name_of, read_bytes};
use crate::{Problem, Verdict, deliver};

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
    deliver(picture.as_bytes(), of.output.as_deref(), true, out)?;
    Ok(Verdict::Fine)
}
