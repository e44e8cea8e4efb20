//! A payload inside of an `Any`.

use crate::codec::{self, Reader, Writer};
use crate::error::Error;
use crate::state::Payload;

pub fn put_any<P: Payload>(payload: &P, w: &mut Writer) -> Result<(), Error> {
    codec::put_any(payload, w)
}

#[inline]
pub fn any_size<P: Payload>(payload: &P) -> usize {
    codec::delimited_size(codec::any_size(payload))
}

pub fn take_any<P: Payload>(r: &mut Reader<'_>) -> Result<P, Error> {
    codec::take_any(r)
}
