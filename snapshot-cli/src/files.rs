//! Reads input files: their bytes and their names.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use snapshot_core::Error;

use crate::cli::Options;

/// Reads the bytes of a file, or of the standard input for `-`.
///
/// # Errors
///
/// If the file cannot be read, is empty, or is longer than the limit.
pub(crate) fn read_bytes(path: &Path, options: &Options) -> Result<Vec<u8>, Error> {
    let name = name_of(path);
    // The limit excludes the header. One more byte shows that a file is too long.
    let limit = options.limit_bytes() + 64;
    let read = |stream: &mut dyn Read| -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        stream.take(limit + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = match path == Path::new("-") {
        true => read(&mut io::stdin().lock()),
        false => File::open(path).and_then(|mut file| read(&mut file)),
    };
    let bytes = bytes.map_err(|error| {
        Error::precondition(format!("{name}: cannot be read: {error}")).with_source(error)
    })?;
    match bytes.len() as u64 {
        // Protobuf would read an empty file as a message without fields.
        0 => Err(Error::invalid(format!("{name}: is empty"))),
        length if length > limit => Err(Error::invalid(format!(
            "{name}: has more than {} MiB: raise the limit with --limit",
            options.limit()
        ))),
        _ => Ok(bytes),
    }
}

/// The name of a file in messages.
pub(crate) fn name_of(path: &Path) -> String {
    match path == Path::new("-") {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}
