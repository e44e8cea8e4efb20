//! Reads a payload in any scope.

use super::Payload;
use crate::codec::{ReadScope, Reader};
use crate::error::Error;
use crate::panics::caught;
use crate::schema::Schema;

/// Reads a payload. The path that callers add to an error becomes the controller's id.
pub(crate) fn take_payload<P: Payload>(r: &mut Reader<'_>) -> Result<P, Error> {
    // Modified in place, because a payload is large to move.
    let mut taken = match r.scope() {
        None => read::<P>(r),
        Some(scope) => read_in_scope(r, scope),
    };
    if taken.is_err() {
        taken = taken.map_err(|error| error.in_payload(P::MESSAGE_NAME));
    }
    taken
}

/// Reads a payload. All callers share this one function.
#[inline(never)]
fn read<P: Payload>(r: &mut Reader<'_>) -> Result<P, Error> {
    P::take_fields(r)
}

/// Reads a payload as its scope demands.
#[cold]
#[inline(never)]
fn read_in_scope<P: Payload>(r: &mut Reader<'_>, scope: &dyn ReadScope) -> Result<P, Error> {
    scope.payload(P::TYPE_URL, P::Message::DESCRIPTOR);
    let taken = match scope.looks_closely() {
        false => read::<P>(r),
        true => read_closely(r),
    };
    let payload = taken?;
    match scope.checks_stages() {
        true => check_stage(&payload).map(|()| payload),
        false => Ok(payload),
    }
}

/// Reads a payload and catches the panics of its adapters and checks, so that the errors of other
/// payloads are found too.
fn read_closely<P: Payload>(r: &mut Reader<'_>) -> Result<P, Error> {
    let begun = r.fork();
    let mut has_returned = false;
    let taken = caught(|| {
        let taken = read::<P>(r);
        has_returned = true;
        taken
    });
    if !has_returned {
        // A caller that continues finds the end of the payload itself.
        *r = begun;
    }
    taken
}

fn check_stage<P: Payload>(payload: &P) -> Result<(), Error> {
    let error = match P::STAGE_RULES.map(|rules| rules.check(payload.stage_number())) {
        None | Some(Ok(())) => return Ok(()),
        Some(Err(error)) => error,
    };
    Err(match payload.own_name() {
        Some(name) => error.with_name(&name),
        None => error,
    })
}

/// Returns the schema version of the payload that `r` has just read.
#[doc(hidden)]
pub fn version_read<P: Payload>(r: &Reader<'_>) -> u32 {
    r.origin_version().min(P::VERSION)
}

/// Returns the error of a value that is neither present nor refused, which never happens.
#[doc(hidden)]
#[cold]
pub fn lost_error() -> Error {
    Error::internal("a field was neither read nor refused")
}
