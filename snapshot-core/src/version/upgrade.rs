//! Reads an older payload: strictly as the message of its version, then upgraded step by step.

use std::fmt::Display;

use prost::Message;

use super::{FoundVersion, find, list, saved_versions, stamp};
use crate::codec::{Reader, charge_for_prost, check_strictly};
use crate::error::Error;
use crate::payload::{Payload, to_bytes};
use crate::schema::MessageDescriptor;

/// How much is kept for each byte of an older message while the state is read: the bytes of the newer
/// message, and these with another version.
const KEPT_BYTES: usize = 2;

/// The result of an `upgrade` function that takes the message of the version before `TO`: the message
/// of version `TO`, the current message of the state `S`, or the state itself.
#[diagnostic::on_unimplemented(
    message = "an `upgrade` function to version {TO} of `{S}` cannot return `{Self}`",
    label = "must return the message of the next version, the current message, or the state itself",
    note = "it is called as `fn(OldMessage) -> Result<NewerMessage, E>`"
)]
pub trait Upgraded<S, const TO: u32>: Sized {
    /// Completes the upgrade to the state. `r` is the reader of the original payload.
    fn finish(self, r: &mut Reader<'_>) -> Result<S, Error>;
}

/// Reads a payload of version `TO - 1`, the rest of `r`, as the message `Old` with this descriptor,
/// and upgrades it.
pub fn upgrade<Old, S, Out, E, const TO: u32>(
    descriptor: &'static MessageDescriptor,
    r: &mut Reader<'_>,
    convert: impl FnOnce(Old) -> Result<Out, E>,
) -> Result<S, Error>
where
    Old: Message + Default,
    Out: Upgraded<S, TO>,
    E: Display + 'static,
{
    // prost skips unknown fields.
    check_strictly(descriptor, &mut r.fork())?;
    // prost itself counts nothing.
    let kept = r.remaining().saturating_mul(KEPT_BYTES);
    let charged = charge_for_prost(descriptor, r)?;
    let old = Old::decode(r.take_rest()).map_err(|error| {
        Error::internal("prost cannot decode a message that passed the strict check")
            .with_source(error)
    })?;
    let converted = convert(old);
    // From here on only the bytes of the newer message are kept, and the memory of the state is counted while
    // it is read. So the budget counts one message at a time if older payloads contain each other.
    r.refund(charged.saturating_sub(kept));
    upgraded(converted, r)
}

/// Completes an upgrade with the result of an `upgrade` function, its error explained.
pub fn upgraded<S, Out, E, const TO: u32>(
    result: Result<Out, E>,
    r: &mut Reader<'_>,
) -> Result<S, Error>
where
    Out: Upgraded<S, TO>,
    E: Display + 'static,
{
    let explain = |error: Error| {
        error.explained(&format!("the upgrade from version {} to {TO} failed: ", TO - 1))
    };
    result.map_err(|error| explain(crate::__private::validation::refusal(error)))?.finish(r)
}

/// Reads the state from the current message that an upgrade returned: in version `least`, or in the
/// later version that the message contains.
pub fn read_upgraded<S: Payload>(
    message: S::Message,
    least: u32,
    r: &mut Reader<'_>,
) -> Result<S, Error> {
    let bytes = message.encode_to_vec();
    drop(message);
    let version = match find(&Reader::new(&bytes), S::VERSION_FIELD) {
        FoundVersion::Version(version, _) if version > u64::from(S::VERSION) => {
            let reads: Vec<u32> = saved_versions(&[], S::VERSION).collect();
            let reads = list(&reads);
            let reason =
                format!("the upgrade returned version {version}, but this build reads {reads}");
            return Err(Error::internal(reason));
        }
        FoundVersion::Version(version, _) => least.max(version as u32),
        FoundVersion::Nothing | FoundVersion::Damage => least,
    };
    let bytes = stamp(&bytes, S::VERSION_FIELD, version)?;
    r.sharing(r.of_made(&bytes), |r| S::take_fields(r))
        .map_err(|error| error.explained("after the upgrade, "))
}

/// Checks the state that an upgrade returned as strictly as one that was read from a payload.
pub fn check_upgraded<S: Payload>(state: S, r: &mut Reader<'_>) -> Result<S, Error> {
    let check =
        to_bytes(&state).and_then(|bytes| r.sharing(r.of_made(&bytes), |r| S::take_fields(r)));
    match check {
        Ok(_) => Ok(state),
        Err(error) => Err(error.explained("after the upgrade, ")),
    }
}
