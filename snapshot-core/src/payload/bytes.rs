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
    let put = state.put_fields(&mut writer);
    written(put, writer)
}

/// Returns the bytes, if all could be written.
// Not generic, so that it is compiled once for all states.
fn written(put: Result<(), Error>, writer: Writer) -> Result<Vec<u8>, Error> {
    put.map(|()| writer.into_vec())
}

/// Decodes a state struct from the bytes of its message, strictly.
///
/// # Errors
///
/// All problems of the bytes, each with its path and offset.
pub fn from_bytes<S: State>(bytes: &[u8]) -> Result<S, Error> {
    match S::take_fields(&mut Reader::new(bytes)) {
        Ok(state) => Ok(state),
        Err(error) => Err(error.at_root()),
    }
}
