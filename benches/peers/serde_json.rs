//! serde_json with the native state.

use serde_json::Error;

use crate::state::Sandbox;

/// Encodes the state.
///
/// # Errors
///
/// Fails if a path is not UTF-8.
pub fn save(state: &Sandbox) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(state)
}

/// Decodes a state.
///
/// # Errors
///
/// Fails if the bytes are invalid.
pub fn restore(bytes: &[u8]) -> Result<Sandbox, Error> {
    serde_json::from_slice(bytes)
}
