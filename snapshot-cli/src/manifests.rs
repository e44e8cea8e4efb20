//! Reads files with the schemas of a build: manifests and locks.

use std::path::Path;

use prost::Message;
use snapshot_core::evolution::lock::Lock;
use snapshot_core::registry::Manifest;
use snapshot_core::{Code, Error};

use crate::cli::Options;
use crate::files::{name_of, read_bytes};

/// The content of a file.
#[derive(Debug)]
pub(crate) enum Known {
    Manifest(Manifest),
    Lock(Lock),
}

/// Reads a file. A lock is a text that begins with the word `format`; every other file is a manifest.
///
/// # Errors
///
/// If the file cannot be read, or is neither a lock nor a manifest.
pub(crate) fn read(path: &Path, options: &Options) -> Result<Known, Error> {
    let bytes = read_bytes(path, options)?;
    let name = name_of(path);
    if let Some(text) = as_lock(&bytes) {
        let lock = text
            .parse()
            .map_err(|error: Error| Error::new(error.code(), format!("{name}: {error}")))?;
        return Ok(Known::Lock(lock));
    }
    let manifest = Manifest::from_bytes(&bytes).map_err(|error| {
        let code = match error.code() {
            Code::DataLoss => Code::InvalidArgument,
            code => code,
        };
        Error::new(code, format!("{name}: neither a lock nor a manifest: {error}"))
    })?;
    if manifest.payloads.is_empty() && manifest.messages.is_empty() && manifest.enums.is_empty() {
        return Err(Error::invalid(format!("{name}: contains no schema: it is not a manifest")));
    }
    // prost skips unknown fields, which would make a comparison wrong.
    match manifest.encoded_len() == bytes.len() {
        true => Ok(Known::Manifest(manifest)),
        false => Err(Error::new(
            Code::Unimplemented,
            format!(
                "{name}: has fields that this build does not know in a manifest: a newer version of the \
                 library wrote it, or it is not a manifest"
            ),
        )),
    }
}

/// Returns the text if it begins like a lock, after the comments.
fn as_lock(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'))?;
    (first.split_whitespace().next() == Some("format")).then_some(text)
}

impl Known {
    /// The lock, if the file is one.
    pub(crate) fn lock(&self) -> Option<&Lock> {
        match self {
            Known::Lock(lock) => Some(lock),
            Known::Manifest(_) => None,
        }
    }

    /// The manifest, or the manifest of the newest versions in a lock.
    ///
    /// # Errors
    ///
    /// As [`Lock::manifest`], with the file's name.
    pub(crate) fn manifest(&self, path: &Path) -> Result<Manifest, Error> {
        match self {
            Known::Manifest(manifest) => Ok(manifest.clone()),
            Known::Lock(lock) => lock
                .manifest()
                .map_err(|error| Error::new(error.code(), format!("{}: {error}", name_of(path)))),
        }
    }
}
