//! What a file is: whose payload, and of what kind.

use snapshot_core::Error;
use snapshot_examples::{hcsshim, lcow::payload as lcow};

use crate::cli::Schema;

/// How the files are read. Without a kind each is an `Any`, whose type URL tells the kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Format {
    Hcsshim(Option<hcsshim::Kind>),
    Lcow(Option<lcow::Kind>),
}

impl Format {
    /// The format of this schema and kind, `any` being none.
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
    /// Everything that is wrong with it.
    pub(crate) fn recode(self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        match self {
            Self::Hcsshim(None) => hcsshim::verify_any(bytes),
            Self::Hcsshim(Some(kind)) => hcsshim::verify(kind, bytes),
            Self::Lcow(None) => lcow::verify_any(bytes),
            Self::Lcow(Some(kind)) => lcow::verify(kind, bytes),
        }
    }

    /// The full name of the message that the bytes of a file are.
    pub(crate) fn message_name(self) -> &'static str {
        let type_url = match self {
            Self::Hcsshim(None) | Self::Lcow(None) => return "google.protobuf.Any",
            Self::Hcsshim(Some(kind)) => kind.type_url(),
            Self::Lcow(Some(kind)) => kind.type_url(),
        };
        type_url.rsplit_once('/').map_or(type_url, |(_, name)| name)
    }
}
