//! Reads a file with a snapshot or a bare payload, and checks its header, length and digest.

use std::path::Path;

use snapshot_core::{Code, Error, ReadOptions, Snapshot};

use crate::cli::Options;
use crate::files::{name_of, read_bytes};
use crate::schemas::Schemas;
use crate::tree::Payload;

/// The form of the snapshot in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A snapshot with its header.
    Snapshot,
    /// A bare `google.protobuf.Any`.
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

impl Document {
    /// Reads a file, and checks its header, length and digest.
    ///
    /// # Errors
    ///
    /// If the file is wrong, with its name.
    pub(crate) fn read(path: &Path, options: &Options) -> Result<Self, Error> {
        Self::open(&name_of(path), read_bytes(path, options)?, options)
    }

    /// Takes the bytes of a file.
    ///
    /// # Errors
    ///
    /// If the bytes are wrong, with the file's name.
    pub(crate) fn open(name: &str, bytes: Vec<u8>, options: &Options) -> Result<Self, Error> {
        let stored = bytes.len() as u64;
        // The first byte of the header, and the same byte without its highest bit. No `Any` begins with
        // them: 0x89 is a field 17, and 0x09 is field 1 as eight bytes.
        let (form, snapshot) = match bytes.first() {
            Some(0x89 | 0x09) | None => {
                let limits = ReadOptions::new().limit(options.limit_bytes());
                let snapshot = limits.from_bytes(bytes).map_err(|error| named(name, &error))?;
                (Form::Snapshot, snapshot)
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
        Ok(Self { name: name.to_owned(), form, stored, snapshot })
    }

    /// Returns the payloads in the file.
    ///
    /// # Errors
    ///
    /// As [`Payload::of`], with the file's name.
    pub(crate) fn payloads(&self, schemas: &Schemas) -> Result<Payload, Error> {
        Payload::of(&self.snapshot, schemas).map_err(|error| named(&self.name, &error))
    }
}

/// Puts the name of the file before an error.
fn named(name: &str, error: &Error) -> Error {
    Error::new(error.code(), format!("{name}: {error}"))
}
