//! `google.protobuf.Any`: payloads in place, never copied into a message of their own.

use super::memory::default_budget;
use super::{Quoted, Reader, Single, Wire, Writer, duplicate, expect_wire_type, size};
use crate::schema::kind::{self, WireType};
use crate::state::{is_type_url_of, take_payload, version_read};
use crate::{Error, Payload};

/// Field numbers of `google.protobuf.Any`.
const TYPE_URL: u32 = 1;
const VALUE: u32 = 2;

/// Puts a payload as the value of an `Any` field, with its length.
pub(crate) fn put_any<P: Payload>(payload: &P, w: &mut Writer) -> Result<(), Error> {
    let mark = w.position();
    w.deeper(2, |w| w.payload(P::TYPE_URL, |w| payload.put_fields(w)))?;
    close_any(mark, P::TYPE_URL, w);
    Ok(())
}

/// How many bytes the `Any` around a payload takes, without its own length.
#[inline]
pub(crate) fn any_size<P: Payload>(payload: &P) -> usize {
    let type_url = size::tag(TYPE_URL) + size::delimited(P::TYPE_URL.len());
    match payload.fields_size() {
        0 => type_url,
        length => type_url + size::tag(VALUE) + size::delimited(length),
    }
}

/// Makes an `Any` of the payload that was put after `mark`, as the value of a field.
pub(crate) fn close_any(mark: usize, type_url: &str, w: &mut Writer) {
    close_bare_any(mark, type_url, w);
    w.length_since(mark);
}

/// Makes an `Any` that stands alone of the payload that was put after `mark`.
pub(crate) fn close_bare_any(mark: usize, type_url: &str, w: &mut Writer) {
    if w.position() > mark {
        w.close_field(VALUE, mark);
    }
    if !type_url.is_empty() {
        w.bytes_field(TYPE_URL, type_url.as_bytes());
    }
}

/// Takes an `Any` field that must hold a `P`.
pub(crate) fn take_any<P: Payload>(r: &mut Reader<'_>) -> Result<P, Error> {
    take_any_as::<P, P>(r, take_payload)
}

/// The same, with the version that it was read as.
pub(crate) fn take_versioned_any<P: Payload>(r: &mut Reader<'_>) -> Result<(P, u32), Error> {
    take_any_as::<P, _>(r, |r| take_payload(r).map(|payload| (payload, version_read::<P>(r))))
}

#[inline]
fn take_any_as<P: Payload, T>(
    r: &mut Reader<'_>,
    take: impl FnOnce(&mut Reader<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    r.payload(|r| {
        r.message(|any| {
            if let Some(value) = any.attempt(|any| take_value(any, P::TYPE_URL)) {
                return any.within(value, take);
            }
            take_parts(any, |type_url, r| match is_type_url_of::<P>(type_url) {
                true => take(r),
                false => Err(wrong_type::<P>(type_url)),
            })
        })
    })
}

/// Takes this type URL and the value behind it, if there is nothing else, as nearly always.
fn take_value<'a>(any: &mut Reader<'a>, type_url: &str) -> Option<&'a [u8]> {
    let is_it = any.passes_tag(TYPE_URL, WireType::Len)
        && any.bytes().is_ok_and(|found| found == type_url.as_bytes())
        && any.passes_tag(VALUE, WireType::Len);
    let value = any.bytes().ok().filter(|_| is_it)?;
    (any.remaining() == 0).then_some(value)
}

#[cold]
pub(crate) fn wrong_type<P: Payload>(type_url: &str) -> Error {
    let found = Quoted(type_url);
    Error::invalid(match type_url {
        "" => format!("has no type URL, expected {:?}", P::TYPE_URL),
        _ => format!("has type URL {found}, expected {:?}", P::TYPE_URL),
    })
}

/// Takes an `Any` field; `take` reads the value as its type URL says.
pub(crate) fn take_any_with<T>(
    r: &mut Reader<'_>,
    take: impl FnOnce(&str, &mut Reader<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    r.payload(|r| r.message(|any| take_parts(any, take)))
}

fn take_parts<T>(
    any: &mut Reader<'_>,
    take: impl FnOnce(&str, &mut Reader<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let (type_url, value) = parts(any)?;
    match value {
        Some(value) => any.sharing(value, |value| value.message(|value| take(type_url, value))),
        None => any.message_of_nothing(|value| take(type_url, value)),
    }
}

/// The type URL, and a reader that stands before the value's length.
fn parts<'a>(any: &mut Reader<'a>) -> Result<(&'a str, Option<Reader<'a>>), Error> {
    let mut type_url = None;
    let mut value = None;
    while let Some(tag) = any.tag()? {
        let offset = any.offset();
        match tag.number {
            TYPE_URL => {
                let result = expect_wire_type::<kind::String>(tag).and_then(|()| any.text());
                let text = result.map_err(|e| any.locate(e, offset).in_field("type_url"))?;
                if type_url.replace(text).is_some() {
                    return Err(any.locate(duplicate(), offset).in_field("type_url"));
                }
            }
            VALUE => {
                let at = any.fork();
                let result = expect_wire_type::<kind::Bytes>(tag).and_then(|()| any.bytes());
                result.map_err(|e| any.locate(e, offset).in_field("value"))?;
                if value.replace(at).is_some() {
                    return Err(any.locate(duplicate(), offset).in_field("value"));
                }
            }
            number => {
                let error = Error::invalid(format!("google.protobuf.Any has no field {number}"));
                return Err(any.locate(error, offset));
            }
        }
    }
    Ok((type_url.unwrap_or_default(), value))
}

impl Single for prost_types::Any {}

/// An `Any` that is carried as it is, unread.
impl Wire<kind::Any> for prost_types::Any {
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        let mark = w.position();
        w.deeper(1, |w| {
            w.raw(&self.value);
            Ok(())
        })?;
        close_any(mark, &self.type_url, w);
        Ok(())
    }

    fn size(&self) -> usize {
        self.type_url.len() + self.value.len()
    }

    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        r.message(|any| {
            let (type_url, value) = parts(any)?;
            let value = match value {
                Some(mut value) => value.bytes()?.to_vec(),
                None => Vec::new(),
            };
            Ok(Self { type_url: type_url.to_owned(), value })
        })
    }

    fn is_default(&self) -> bool {
        false
    }
}

/// Reads an `Any` that stands alone: not a field, without a length. `base` is where it starts in
/// the bytes that errors count in, `memory` how much memory it may take.
pub(crate) fn read_bare_any<T>(
    bytes: &[u8],
    base: usize,
    memory: u64,
    take: impl FnOnce(&str, &mut Reader<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    take_parts(&mut Reader::with_base(bytes, base).with_memory(memory), take)
}

/// Encodes a payload in an `Any` that stands alone, for a peer that speaks without a header.
///
/// # Errors
///
/// As [`to_bytes`](super::to_bytes).
pub fn to_any_bytes<P: Payload>(payload: &P) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::with_capacity(any_size(payload));
    writer.deeper(1, |w| payload.put_fields(w))?;
    close_bare_any(0, P::TYPE_URL, &mut writer);
    Ok(writer.into_vec())
}

/// Decodes the payload of an `Any` that stands alone, strictly.
///
/// # Errors
///
/// Another type URL, and everything that is wrong with the bytes; offsets are those of the `Any`.
pub fn from_any_bytes<P: Payload>(bytes: &[u8]) -> Result<P, Error> {
    read_bare_any(bytes, 0, default_budget(bytes.len()), |type_url, r| {
        match is_type_url_of::<P>(type_url) {
            true => take_payload(r),
            false => Err(wrong_type::<P>(type_url)),
        }
    })
    .map_err(Error::at_root)
}

/// The type URL and the value of an `Any` that stands alone, as they lie in its bytes; the value is
/// not decoded.
///
/// # Errors
///
/// Bytes that are no `Any`: malformed, with an unknown field, with a field twice.
pub fn split_any(bytes: &[u8]) -> Result<(&str, &[u8]), Error> {
    split_bare_any(bytes, 0)
}

/// The type URL and the value of an `Any` that stands alone, as they lie in its bytes.
pub(crate) fn split_bare_any(bytes: &[u8], base: usize) -> Result<(&str, &[u8]), Error> {
    let (type_url, value) = parts(&mut Reader::with_base(bytes, base))?;
    match value {
        Some(mut value) => Ok((type_url, value.bytes()?)),
        None => Ok((type_url, &[])),
    }
}
