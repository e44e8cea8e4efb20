//! Checks the occurrences of a field: the right wire type, once, and at least once if required.

use super::Tag;
use crate::error::Error;
use crate::schema::kind::Kind;

#[cold]
#[inline(never)]
pub(super) fn wrong_wire_type(tag: Tag, expected: &'static str) -> Error {
    Error::invalid(format!("has wire type {}, expected {expected}", tag.wire_type.as_str()))
}

#[cold]
#[inline(never)]
pub(super) fn duplicate() -> Error {
    Error::invalid("occurs twice")
}

#[cold]
#[inline(never)]
pub(super) fn missing() -> Error {
    Error::invalid("is missing")
}

/// Refuses a value with another wire type than that of its kind.
#[inline]
pub(crate) fn expect_wire_type<K: Kind>(tag: Tag) -> Result<(), Error> {
    if tag.wire_type == K::WIRE_TYPE {
        Ok(())
    } else {
        Err(wrong_wire_type(tag, K::WIRE_TYPE.as_str()))
    }
}
