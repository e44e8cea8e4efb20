//! The record of one session on one side.

use snapshot_core::codec::{self, from_bytes, to_bytes};
use snapshot_core::{Code, Error, Payload, Snapshot};

use crate::SessionId;
use crate::decision::Mark;
use crate::message::{Failure, v1};

/// A side of a session.
#[derive(Snapshot, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[snapshot(stage = v1::record::Role)]
pub enum Role {
    /// The side that gives the tree away.
    Source,
    /// The side that takes it over.
    Destination,
}

/// The record of one session on one side.
#[derive(Snapshot, Clone, Debug, PartialEq, Eq)]
#[snapshot(message = v1::Record, version = 1)]
pub struct Record {
    /// The session.
    #[snapshot(with = codec::display)]
    pub session: SessionId,
    /// The side of the session.
    pub role: Role,
    /// The progress of the session.
    #[snapshot(with = mark)]
    pub mark: Mark,
    /// The reason why the tree was not moved, if it was not.
    pub failure: Option<Failure>,
}

impl Record {
    /// Encodes the record as the content of a file: the payload of a snapshot, with a header and a
    /// digest. The tool `snapshot inspect` shows it.
    ///
    /// # Errors
    ///
    /// If a text is too long.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let any = prost_types::Any { type_url: Self::TYPE_URL.to_owned(), value: to_bytes(self)? };
        Ok(Snapshot::from_any(&any)?.as_bytes().to_vec())
    }

    /// Decodes the record of a session.
    ///
    /// # Errors
    ///
    /// If it is damaged, of another session, or of a newer build. It never counts as missing.
    pub fn decode(session: &SessionId, bytes: &[u8]) -> Result<Self, Error> {
        let decode = || {
            let snapshot = Snapshot::from_bytes(bytes.to_vec())?;
            if snapshot.type_url() != Self::TYPE_URL {
                return Err(Error::new(Code::DataLoss, "it is a snapshot of something else"));
            }
            let record: Self = from_bytes(snapshot.payload())?;
            match record.session == *session {
                true => Ok(record),
                false => {
                    let reason = format!("it is the record of session {}", record.session);
                    Err(Error::new(Code::DataLoss, reason))
                }
            }
        };
        decode().map_err(|error| {
            Error::new(
                error.code(),
                format!(
                    "the record of session {session} cannot be read: {error}. It may say that the tree \
                     was given away or taken over: look at the other side's record, and at where the \
                     tree runs, before you remove it"
                ),
            )
        })
    }
}

/// A mark as its protobuf enum.
#[derive(Snapshot, Clone, Copy)]
#[snapshot(stage = v1::record::Mark)]
enum WireMark {
    Begun,
    Given,
    Live,
    Aborted,
    Committed,
    Kept,
}

mod mark {
    use std::convert::Infallible;

    use super::{Mark, WireMark};

    pub(super) fn to_wire(mark: &Mark) -> Result<WireMark, Infallible> {
        Ok(match mark {
            Mark::Begun => WireMark::Begun,
            Mark::Given => WireMark::Given,
            Mark::Live => WireMark::Live,
            Mark::Aborted => WireMark::Aborted,
            Mark::Committed => WireMark::Committed,
            Mark::Kept => WireMark::Kept,
        })
    }

    pub(super) fn from_wire(mark: WireMark) -> Result<Mark, Infallible> {
        Ok(match mark {
            WireMark::Begun => Mark::Begun,
            WireMark::Given => Mark::Given,
            WireMark::Live => Mark::Live,
            WireMark::Aborted => Mark::Aborted,
            WireMark::Committed => Mark::Committed,
            WireMark::Kept => Mark::Kept,
        })
    }
}
