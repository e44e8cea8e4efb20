//! The imports that break the rules and are still allowed. The list only shrinks: an exception that
//! is no longer needed is an error.

use anyhow::{Result, bail};

/// The path of the list.
pub(super) const PATH: &str = "xtask/layers/exceptions.txt";

/// One allowed import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exception {
    /// The line in the list.
    pub(super) line: usize,
    /// The file that imports.
    pub(super) from: String,
    pub(super) to: Allowed,
}

/// The import that an exception allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// A room beside or above its own.
    Room(String),
    /// A file, though that makes a circle.
    File(String),
}

/// Parses lines of `file -> room` and `file -> file`; `#` begins a comment.
pub(super) fn parse(text: &str) -> Result<Vec<Exception>> {
    let mut exceptions: Vec<Exception> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let Some((from, to)) = line.split_once(" -> ") else {
            bail!("{PATH}:{number}: expected `file -> room` or `file -> file`");
        };
        let (from, to) = (from.trim().to_owned(), to.trim().to_owned());
        let to = match to.contains('/') {
            true => Allowed::File(to),
            false => Allowed::Room(to),
        };
        if exceptions.iter().any(|other| other.from == from && other.to == to) {
            bail!("{PATH}:{number}: this exception is listed twice: remove the line");
        }
        exceptions.push(Exception { line: number, from, to });
    }
    Ok(exceptions)
}
