//! Completions and man pages, from the command line itself.

use std::io::Write;

use clap::CommandFactory;
use snapshot_core::Error;

use crate::cli::{Cli, Completions, Man};
use crate::{Problem, Verdict};

pub(crate) fn completions(of: &Completions, out: &mut dyn Write) -> Result<Verdict, Problem> {
    // Into memory first: the generator ends the program where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(of.shell, &mut Cli::command(), "snapshot", &mut script);
    out.write_all(&script)?;
    Ok(Verdict::Fine)
}

pub(crate) fn man(of: &Man, out: &mut dyn Write) -> Result<Verdict, Problem> {
    match &of.out {
        None => clap_mangen::Man::new(Cli::command()).render(&mut &mut *out)?,
        Some(folder) => {
            let written = std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
            written.map_err(|error| {
                let place = folder.display();
                Error::precondition(format!("{place}: cannot be written: {error}"))
            })?;
        }
    }
    Ok(Verdict::Fine)
}
