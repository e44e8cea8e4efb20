//! A state as the bytes of its message.

use super::State;
use crate::codec::{Reader, Writer};
use crate::error::Error;

/// Encodes a state struct as its message: canonical, so that equal states give equal bytes.
///
/// # Errors
///
/// A value that the message cannot hold: a transient stage, a number outside its `range`, a path
/// that is not UTF-8, a value that an adapter refuses.
pub fn to_bytes<S: State>(state: &S) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::with_capacity(state.fields_size());
    state.put_fields(&mut writer)?;
    Ok(writer.into_vec())
}

/// Decodes a state struct from the bytes of its message, strictly.
///
/// # Errors
///
/// All problems of the bytes, each with its path and offset.
pub fn from_bytes<S: State>(bytes: &[u8]) -> Result<S, Error> {
    S::take_fields(&mut Reader::new(bytes)).map_err(Error::at_root)
}
