//! `payload verify`: prints a line for each file.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::format::Format;
use crate::input::{accept, name};

/// Prints for each file whether it is valid. Returns whether all are.
pub(crate) fn run(format: Format, files: &[PathBuf]) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    let mut all = true;
    for file in files {
        let line = match accept(format, file) {
            Ok(_) => "ok".to_owned(),
            Err(reason) => {
                all = false;
                format!("refused\t{reason}")
            }
        };
        writeln!(out, "{}\t{line}", name(file))?;
    }
    out.flush()?;
    Ok(all)
}
