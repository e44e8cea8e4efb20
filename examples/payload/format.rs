//! The format of a file: its schema and its kind.

use snapshot_core::Error;
use snapshot_examples::{hcsshim, lcow::payload as lcow};

use crate::cli::Schema;

/// The format of the files. Without a kind, each file is an `Any` whose type URL selects the kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Format {
    Hcsshim(Option<hcsshim::Kind>),
    Lcow(Option<lcow::Kind>),
}

impl Format {
    /// Creates the format of this schema and kind; `any` stands for no kind.
    ///
    /// # Errors
    ///
    /// A kind that the schema does not have.
    pub(crate) fn new(schema: Schema, kind: &str) -> Result<Self, Error> {
        Ok(match (schema, kind) {
            (Schema::Hcsshim, "any") => Self::Hcsshim(None),
            (Schema::Hcsshim, kind) => Self::Hcsshim(Some(kind.parse()?)),
            (Schema::Lcow, "any") => Self::Lcow(None),
            (Schema::Lcow, kind) => Self::Lcow(Some(kind.parse()?)),
        })
    }

    /// Reads a payload and writes it back.
    ///
    /// # Errors
    ///
    /// One finding for each error in it.
    pub(crate) fn recode(self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        match self {
            Self::Hcsshim(None) => hcsshim::verify_any(bytes),
            Self::Hcsshim(Some(kind)) => hcsshim::verify(kind, bytes),
            Self::Lcow(None) => lcow::verify_any(bytes),
            Self::Lcow(Some(kind)) => lcow::verify(kind, bytes),
        }
    }

    /// Returns the full name of the message in a file.
    pub(crate) fn message_name(self) -> &'static str {
        let type_url = match self {
            Self::Hcsshim(None) | Self::Lcow(None) => return "google.protobuf.Any",
            Self::Hcsshim(Some(kind)) => kind.type_url(),
            Self::Lcow(Some(kind)) => kind.type_url(),
        };
        type_url.rsplit_once('/').map_or(type_url, |(_, name)| name)
    }
}
