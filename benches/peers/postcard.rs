//! postcard on the native state: no field numbers, so no other version of the state can read it.

use postcard::Error;

use crate::state::Sandbox;

/// The state as bytes.
///
/// # Errors
///
/// A path that is not UTF-8.
pub fn save(state: &Sandbox) -> Result<Vec<u8>, Error> {
    postcard::to_stdvec(state)
}

/// The state from its bytes.
///
/// # Errors
///
/// What is wrong with the bytes.
pub fn restore(bytes: &[u8]) -> Result<Sandbox, Error> {
    postcard::from_bytes(bytes)
}
