//! `payload verify`: prints a line for each file.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::format::Format;
use crate::input::accept;

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
        write_line(&mut out, file, &line)?;
    }
    out.flush()?;
    Ok(all)
}

/// Writes the file's name unchanged, even if it is not UTF-8.
fn write_line(out: &mut impl Write, file: &Path, line: &str) -> io::Result<()> {
    out.write_all(file.as_os_str().as_encoded_bytes())?;
    writeln!(out, "\t{line}")
}
