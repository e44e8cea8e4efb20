//! Files with the schemas of a build: manifests and locks.

use std::path::Path;

use prost::Message;
use snapshot_core::evolution::lock::Lock;
use snapshot_core::registry::Manifest;
use snapshot_core::{Code, Error};

use crate::cli::Options;
use crate::files::{name_of, read_bytes};

/// What a file holds.
#[derive(Debug)]
pub(crate) enum Known {
    Manifest(Manifest),
    Lock(Lock),
}

/// Reads a file: a lock is a text whose first word is `format`, and everything else a manifest.
///
/// # Errors
///
/// A file that cannot be read, or that is neither.
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
        return Err(Error::invalid(format!("{name}: has no schema in it: it is no manifest")));
    }
    // prost passes over what it does not know, and a comparison would then be wrong.
    match manifest.encoded_len() == bytes.len() {
        true => Ok(Known::Manifest(manifest)),
        false => Err(Error::new(
            Code::Unimplemented,
            format!(
                "{name}: says more than a manifest that this build knows: a newer version of the \
                 library wrote it, or something else"
            ),
        )),
    }
}

/// The text, if it begins as a lock does after its comments.
fn as_lock(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'))?;
    (first.split_whitespace().next() == Some("format")).then_some(text)
}

impl Known {
    /// The lock, if it is one.
    pub(crate) fn lock(&self) -> Option<&Lock> {
        match self {
            Known::Lock(lock) => Some(lock),
            Known::Manifest(_) => None,
        }
    }

    /// The manifest; of a lock that of its newest versions.
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
