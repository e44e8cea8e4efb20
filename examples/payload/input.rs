//! Reads files, and describes why a file is refused.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use snapshot_core::{Code, Error, Escaped};

use crate::format::Format;

/// The most bytes that a file may have. hcsshim sends a payload in one ttrpc message, which has 4
/// MiB at most, and 5,000 containers of `lcow::sample` have 16. Reading a payload takes up to
/// 130 times its length in memory, if it is made for that.
pub(crate) const LIMIT: u64 = 16 << 20;

/// A file with a valid payload.
pub(crate) struct Accepted {
    /// The bytes of the file.
    pub(crate) bytes: Vec<u8>,
    /// The same payload in its canonical form.
    pub(crate) canonical: Vec<u8>,
}

/// Reads a file and its payload.
///
/// # Errors
///
/// The reasons for its refusal, on one line.
pub(crate) fn accept(format: Format, file: &Path) -> Result<Accepted, String> {
    let bytes = read(file).map_err(|error| Escaped(&error.to_string()).to_string())?;
    let canonical = format.recode(&bytes).map_err(|error| reason(&error))?;
    Ok(Accepted { bytes, canonical })
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |error: io::Error| {
        Error::new(Code::DataLoss, format!("cannot be read: {error}")).with_source(error)
    };
    let mut bytes = Vec::new();
    // Reads up to one byte above the limit: a file can grow, and a device has no length.
    let opened = File::open(file).map_err(unreadable)?;
    opened.take(LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    match bytes.len() as u64 > LIMIT {
        true => {
            let limit = LIMIT >> 20;
            Err(Error::invalid(format!("is longer than {limit} MiB, which no payload is")))
        }
        false => Ok(bytes),
    }
}

/// Joins all errors on one line.
fn reason(error: &Error) -> String {
    let mut findings: Vec<_> = error.findings().map(ToString::to_string).collect();
    if error.dropped() > 0 {
        findings.push(format!("and {} more", error.dropped()));
    }
    Escaped(&findings.join("; ")).to_string()
}

/// Formats `FILE: reason` for standard error.
pub(crate) fn refused(file: &Path, reason: &str) -> String {
    format!("{}: refused: {reason}", name(file))
}

/// A file's name as it can be shown.
pub(crate) fn name(file: &Path) -> String {
    Escaped(&file.to_string_lossy()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_one_line_and_no_tab() {
        let error = Error::invalid("first\tof\r\ntwo").and(Error::invalid("sec\u{2028}ond \u{e9}"));
        assert_eq!(reason(&error), "first\\tof\\r\\ntwo; sec\\u{2028}ond \u{e9}");
    }

    #[test]
    fn the_name_of_a_refused_file_stays_on_its_line() {
        let file = Path::new("a\nb\u{202e}\u{200b}");
        assert_eq!(refused(file, "why"), "a\\nb\\u{202e}\\u{200b}: refused: why");
    }

    #[test]
    fn a_file_that_never_ends_is_refused() {
        if let Err(error) = read(Path::new("/dev/zero")) {
            let text = error.to_string();
            assert!(
                text.contains("longer than 16 MiB") || text.contains("cannot be read"),
                "{text}"
            );
        } else {
            panic!("/dev/zero was read to its end");
        }
    }
}
