//! Reading an older payload: strictly as the message that it was, then step by step to the state.

use std::fmt::Display;

use prost::Message;

use super::{Found, find, list, saved_versions, stamp};
use crate::codec::{self, Reader, check_strictly};
use crate::schema::MessageDescriptor;
use crate::{Error, Payload};

/// How much memory an older message may take for each of its bytes, as a prost struct.
const OLD_MESSAGE: usize = 16;

/// What an `upgrade` function can return that takes the message of the version before `TO`: the
/// message of version `TO`, the current message of the state `S`, or the state itself.
#[diagnostic::on_unimplemented(
    message = "an `upgrade` function to version {TO} of `{S}` cannot return `{Self}`",
    label = "must return the message of the next version, the current message, or the state itself",
    note = "it is called as `fn(OldMessage) -> Result<NewerMessage, E>`"
)]
pub trait Upgraded<S, const TO: u32>: Sized {
    /// Goes on to the state. `r` has read the payload that all this was made of.
    fn finish(self, r: &mut Reader<'_>) -> Result<S, Error>;
}

/// Reads a payload of version `TO - 1`, which is all that is left in `r`, as its message `Old` with
/// this descriptor.
pub fn upgrade<Old, S, Out, E, const TO: u32>(
    descriptor: &MessageDescriptor,
    r: &mut Reader<'_>,
    convert: impl FnOnce(Old) -> Result<Out, E>,
) -> Result<S, Error>
where
    Old: Message + Default,
    Out: Upgraded<S, TO>,
    E: Display + 'static,
{
    // prost passes over what it does not know.
    check_strictly(descriptor, &mut r.fork())?;
    // prost counts nothing; what it makes is seldom larger than this.
    r.charge(r.remaining().saturating_mul(OLD_MESSAGE))?;
    let old = Old::decode(r.take_rest()).map_err(|error| {
        Error::internal("prost does not read what was found to be right").with_source(error)
    })?;
    upgraded(convert(old), r)
}

/// What an `upgrade` function has made, on its way to the state.
pub fn upgraded<S, Out, E, const TO: u32>(
    result: Result<Out, E>,
    r: &mut Reader<'_>,
) -> Result<S, Error>
where
    Out: Upgraded<S, TO>,
    E: Display + 'static,
{
    let explain = |error: Error| {
        error.explained(&format!("the upgrade from version {} to {TO} fails: ", TO - 1))
    };
    result.map_err(|error| explain(crate::__private::refusal(error)))?.finish(r)
}

/// The state from the current message that an upgrade has made. It is read in version `least`, or in
/// the later one that it says.
pub fn read_upgraded<S: Payload>(
    message: &S::Message,
    least: u32,
    r: &mut Reader<'_>,
) -> Result<S, Error> {
    let bytes = message.encode_to_vec();
    let version = match find(&Reader::new(&bytes), S::VERSION_FIELD) {
        Found::Version(version, _) if version > u64::from(S::VERSION) => {
            let reads: Vec<u32> = saved_versions(&[], S::VERSION).collect();
            let reads = list(&reads);
            let reason = format!("the upgrade has made version {version} out of it, not {reads}");
            return Err(Error::internal(reason));
        }
        Found::Version(version, _) => least.max(version as u32),
        Found::Nothing | Found::Damage => least,
    };
    let bytes = stamp(&bytes, S::VERSION_FIELD, version)?;
    r.sharing(r.of_made(&bytes), |r| S::take_fields(r))
        .map_err(|error| error.explained("after the upgrade, "))
}

/// The state that an upgrade has made. Whatever is wrong with it would have been found in a payload.
pub fn check_upgraded<S: Payload>(state: S, r: &mut Reader<'_>) -> Result<S, Error> {
    let check = codec::to_bytes(&state)
        .and_then(|bytes| r.sharing(r.of_made(&bytes), |r| S::take_fields(r)));
    match check {
        Ok(_) => Ok(state),
        Err(error) => Err(error.explained("after the upgrade, ")),
    }
}
