//! Generates completions and man pages from the command line.

use std::io::Write;

use snapshot_core::Error;

use crate::cli::{self, Completions, Man};
use crate::{Problem, Program, Verdict};

pub(crate) fn completions(
    program: &Program<'_>,
    of: &Completions,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    // Write to memory first, because the generator ends the program if it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(of.shell, &mut cli::command(program), program.name, &mut script);
    out.write_all(&script)?;
    Ok(Verdict::Fine)
}

pub(crate) fn man(
    program: &Program<'_>,
    of: &Man,
    out: &mut dyn Write,
) -> Result<Verdict, Problem> {
    match &of.out {
        None => clap_mangen::Man::new(cli::command(program)).render(&mut &mut *out)?,
        Some(folder) => {
            let written = std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(cli::command(program), folder));
            written.map_err(|error| {
                let place = folder.display();
                Error::precondition(format!("{place}: cannot be written: {error}"))
            })?;
        }
    }
    Ok(Verdict::Fine)
}
