//! postcard with the native state. It has no field numbers, so no other version of the state can read
//! its output.

use postcard::Error;

use crate::state::Sandbox;

/// Encodes the state.
///
/// # Errors
///
/// Fails if a path is not UTF-8.
pub fn save(state: &Sandbox) -> Result<Vec<u8>, Error> {
    postcard::to_stdvec(state)
}

/// Decodes a state.
///
/// # Errors
///
/// Fails if the bytes are invalid.
pub fn restore(bytes: &[u8]) -> Result<Sandbox, Error> {
    postcard::from_bytes(bytes)
}
