//! `google.protobuf.Any`: its value is written and read in place, and never copied into its own
//! message.

use super::{Reader, Single, Wire, Writer, duplicate, expect_wire_type, size};
use crate::error::Error;
use crate::schema::kind::{self, WireType};

/// Field numbers of `google.protobuf.Any`.
const TYPE_URL: u32 = 1;
const VALUE: u32 = 2;

/// Returns the size in bytes of the `Any` around a payload of this length, without its own length.
#[inline]
pub(crate) fn any_size(type_url: &str, payload: usize) -> usize {
    let type_url = size::tag(TYPE_URL) + size::delimited(type_url.len());
    match payload {
        0 => type_url,
        length => type_url + size::tag(VALUE) + size::delimited(length),
    }
}

/// Makes an `Any` of the payload that was written after `mark`, as the value of a field.
pub(crate) fn close_any(mark: usize, type_url: &str, w: &mut Writer) {
    close_bare_any(mark, type_url, w);
    w.length_since(mark);
}

/// Makes an `Any` that stands alone of the payload that was written after `mark`.
pub(crate) fn close_bare_any(mark: usize, type_url: &str, w: &mut Writer) {
    if w.position() > mark {
        w.close_field(VALUE, mark);
    }
    if !type_url.is_empty() {
        w.bytes_field(TYPE_URL, type_url.as_bytes());
    }
}

/// Reads an `Any` field that must have this type URL, or an equivalent one; `wrong` creates the
/// error for another type URL.
#[inline]
pub(crate) fn take_any_of<T>(
    type_url: &'static str,
    is_it: fn(&str) -> bool,
    r: &mut Reader<'_>,
    take: impl FnOnce(&mut Reader<'_>) -> Result<T, Error>,
    wrong: fn(&str) -> Error,
) -> Result<T, Error> {
    r.payload(|r| {
        r.message(|any| {
            if let Some(value) = any.attempt(|any| take_value(any, type_url)) {
                return any.within(value, take);
            }
            take_parts(any, |found, r| match is_it(found) {
                true => take(r),
                false => Err(wrong(found)),
            })
        })
    })
}

/// Reads this type URL and the value after it, if there is nothing else, as nearly always.
fn take_value<'a>(any: &mut Reader<'a>, type_url: &str) -> Option<&'a [u8]> {
    let is_it = any.passes_tag(TYPE_URL, WireType::Len)
        && any.bytes().is_ok_and(|found| found == type_url.as_bytes())
        && any.passes_tag(VALUE, WireType::Len);
    let value = any.bytes().ok().filter(|_| is_it)?;
    (any.remaining() == 0).then_some(value)
}

/// Reads an `Any` field; `take` reads the value by its type URL.
pub(crate) fn take_any_with<T>(
    r: &mut Reader<'_>,
    take: impl FnOnce(&str, &mut Reader<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    r.payload(|r| r.message(|any| take_parts(any, take)))
}

fn take_parts<'a, T>(
    any: &mut Reader<'a>,
    take: impl FnOnce(&str, &mut Reader<'a>) -> Result<T, Error>,
) -> Result<T, Error> {
    let (type_url, value) = parts(any)?;
    match value {
        Some(value) => any.sharing(value, |value| value.message(|value| take(type_url, value))),
        None => any.message_of_nothing(|value| take(type_url, value)),
    }
}

/// Returns the type URL, and a reader at the length of the value.
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

/// An `Any` that is carried unread and unchanged.
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

/// Returns the type URL and the value of the `Any` field that is next; `None` if it is malformed.
pub(crate) fn any_ahead<'a>(r: &Reader<'a>) -> Option<(&'a str, &'a [u8])> {
    let any = r.fork().bytes().ok()?;
    split_bare_any(any, 0).ok()
}

/// Reads an `Any` that stands alone: not a field, and without a length. `base` is its position in
/// the bytes of the user, for errors; `memory` is its budget.
pub(crate) fn read_bare_any<'a, T>(
    bytes: &'a [u8],
    base: usize,
    memory: u64,
    take: impl FnOnce(&str, &mut Reader<'a>) -> Result<T, Error>,
) -> Result<T, Error> {
    take_parts(&mut Reader::with_base(bytes, base).with_memory(memory), take)
}

/// Returns the type URL and the value of an `Any` that stands alone, as they are in its bytes; the
/// value is not decoded.
///
/// # Errors
///
/// If the bytes are not an `Any`: malformed, with an unknown field, or with a duplicate field.
pub fn split_any(bytes: &[u8]) -> Result<(&str, &[u8]), Error> {
    split_bare_any(bytes, 0)
}

/// Returns the type URL and the value of an `Any` that stands alone, as they are in its bytes.
pub(crate) fn split_bare_any(bytes: &[u8], base: usize) -> Result<(&str, &[u8]), Error> {
    let (type_url, value) = parts(&mut Reader::with_base(bytes, base))?;
    match value {
        Some(mut value) => Ok((type_url, value.bytes()?)),
        None => Ok((type_url, &[])),
    }
}
