//! Files: snapshots and bare payloads.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use snapshot_core::{Code, Error, ReadOptions, Snapshot};

use crate::cli::Options;
use crate::schemas::Schemas;
use crate::tree::Payload;

/// How a file holds its snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// With its header.
    Snapshot,
    /// As a bare `google.protobuf.Any`.
    Any,
}

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) form: Form,
    /// The number of bytes of the file.
    pub(crate) stored: u64,
    pub(crate) snapshot: Snapshot,
}

/// Reads a file, and checks its header, length and digest.
///
/// # Errors
///
/// What is wrong with it, with its name.
pub(crate) fn read(path: &Path, options: &Options) -> Result<Document, Error> {
    let bytes = read_bytes(path, options)?;
    open(&name_of(path), bytes, options)
}

/// The bytes of a file, or of the standard input for `-`.
///
/// # Errors
///
/// A file that cannot be read or is longer than the limit.
pub(crate) fn read_bytes(path: &Path, options: &Options) -> Result<Vec<u8>, Error> {
    let name = name_of(path);
    // A header comes on top of what is limited. One byte more tells a file that is too long.
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
    match bytes.len() as u64 > limit {
        true => Err(Error::invalid(format!(
            "{name}: has more than {} MiB: raise it with --limit",
            options.limit
        ))),
        false => Ok(bytes),
    }
}

/// Takes the bytes of a file.
pub(crate) fn open(name: &str, bytes: Vec<u8>, options: &Options) -> Result<Document, Error> {
    let stored = bytes.len() as u64;
    let told = |error: Error| Error::new(error.code(), format!("{name}: {error}"));
    // The first byte of the header, and of its wreck; no `Any` begins with one of them: 0x89 is a
    // field 17, and 0x09 the field 1 as eight bytes.
    let (form, snapshot) = match bytes.first() {
        Some(0x89 | 0x09) | None => {
            let limits = ReadOptions::new().limit(options.limit_bytes());
            (Form::Snapshot, limits.from_bytes(bytes).map_err(told)?)
        }
        Some(_) => {
            let neither = |error: Error| {
                let reason =
                    format!("{name}: neither a snapshot nor a google.protobuf.Any: {error}");
                Error::new(Code::DataLoss, reason)
            };
            let snapshot = Snapshot::from_any_bytes(&bytes).map_err(neither)?;
            (Form::Any, snapshot)
        }
    };
    Ok(Document { name: name.to_owned(), form, stored, snapshot })
}

impl Document {
    /// The payloads in it.
    ///
    /// # Errors
    ///
    /// As [`Payload::of`], with the file's name.
    pub(crate) fn payloads(&self, schemas: &Schemas) -> Result<Payload, Error> {
        Payload::of(&self.snapshot, schemas)
            .map_err(|error| Error::new(error.code(), format!("{}: {error}", self.name)))
    }
}

/// What messages call a file.
pub(crate) fn name_of(path: &Path) -> String {
    match path == Path::new("-") {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}
