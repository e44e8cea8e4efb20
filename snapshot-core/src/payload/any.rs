//! Payloads in an `Any`.

use super::{Payload, is_type_url_of, take_payload, version_read};
use crate::codec::{
    Quoted, Reader, Writer, any_size, close_any, close_bare_any, default_memory, delimited_size,
    read_bare_any, take_any_of,
};
use crate::error::Error;

/// Writes a payload as the value of an `Any` field, with its length.
///
/// # Errors
///
/// As [`to_bytes`](crate::codec::to_bytes).
#[doc(hidden)]
pub fn put_any<P: Payload>(payload: &P, w: &mut Writer) -> Result<(), Error> {
    let mark = w.position();
    w.deeper(2, |w| w.payload(P::TYPE_URL, |w| payload.put_fields(w)))?;
    close_any(mark, type_url_of::<P>(w), w);
    Ok(())
}

/// Returns the type URL that payloads of this type are saved under, which may be that of an earlier version.
pub(crate) fn type_url_of<P: Payload>(w: &Writer) -> &'static str {
    match P::OLDER.iter().any(|older| older.type_url.is_some()) {
        true => w.type_url_of(P::TYPE_URL),
        false => P::TYPE_URL,
    }
}

/// Returns the size in bytes of an `Any` field with a payload, as `State::fields_size` estimates it.
#[doc(hidden)]
pub fn any_field_size<P: Payload>(payload: &P) -> usize {
    delimited_size(any_size(P::TYPE_URL, payload.fields_size()))
}

/// Reads an `Any` field that must hold a `P`.
///
/// # Errors
///
/// As [`from_any_bytes`].
#[doc(hidden)]
pub fn take_any<P: Payload>(r: &mut Reader<'_>) -> Result<P, Error> {
    take_any_of(P::TYPE_URL, is_type_url_of::<P>, r, take_payload, wrong_type::<P>)
}

/// Reads an `Any` field that must hold a `P`. Returns the version in which it was read, too.
pub(crate) fn take_versioned_any<P: Payload>(r: &mut Reader<'_>) -> Result<(P, u32), Error> {
    let take = |r: &mut Reader<'_>| take_payload(r).map(|payload| (payload, version_read::<P>(r)));
    take_any_of(P::TYPE_URL, is_type_url_of::<P>, r, take, wrong_type::<P>)
}

/// Returns the error of an `Any` that holds something other than a `P`.
#[cold]
pub(crate) fn wrong_type<P: Payload>(type_url: &str) -> Error {
    let found = Quoted(type_url);
    Error::invalid(match type_url {
        "" => format!("has no type URL, expected {:?}", P::TYPE_URL),
        _ => format!("has type URL {found}, expected {:?}", P::TYPE_URL),
    })
}

/// Encodes a payload in an `Any` that stands alone, for a peer that expects no header.
///
/// # Errors
///
/// As [`to_bytes`](crate::codec::to_bytes).
pub fn to_any_bytes<P: Payload>(payload: &P) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::with_capacity(any_size(P::TYPE_URL, payload.fields_size()));
    writer.deeper(1, |w| payload.put_fields(w))?;
    close_bare_any(0, P::TYPE_URL, &mut writer);
    Ok(writer.into_vec())
}

/// Decodes the payload of an `Any` that stands alone, strictly.
///
/// # Errors
///
/// Another type URL, and all problems of the bytes; offsets are those of the `Any`.
pub fn from_any_bytes<P: Payload>(bytes: &[u8]) -> Result<P, Error> {
    read_bare_any(bytes, 0, default_memory(bytes.len()), |type_url, r| {
        match is_type_url_of::<P>(type_url) {
            true => take_payload(r),
            false => Err(wrong_type::<P>(type_url)),
        }
    })
    .map_err(Error::at_root)
}
