//! serde_json on the native state.

use serde_json::Error;

use crate::state::Sandbox;

/// The state as bytes.
///
/// # Errors
///
/// A path that is not UTF-8.
pub fn save(state: &Sandbox) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(state)
}

/// The state from its bytes.
///
/// # Errors
///
/// What is wrong with the bytes.
pub fn restore(bytes: &[u8]) -> Result<Sandbox, Error> {
    serde_json::from_slice(bytes)
}
