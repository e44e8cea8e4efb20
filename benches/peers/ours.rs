//! The derive, called as by its users.

use snapshot_core::codec::{self, Writer};
use snapshot_core::{Error, State};

use crate::state::Sandbox;

/// Encodes the state.
///
/// # Errors
///
/// Never fails for the workload.
pub fn save(state: &Sandbox) -> Result<Vec<u8>, Error> {
    codec::to_bytes(state)
}

/// Encodes the state into a buffer that was used before, as `Frozen::save_into` does with the
/// memory of a `SaveBuffer`, for a state without controllers.
///
/// # Errors
///
/// Never fails for the workload.
pub fn save_into(state: &Sandbox, buffer: &mut Writer) -> Result<(), Error> {
    buffer.clear();
    state.put_fields(buffer)
}

/// Decodes a state, with all checks.
///
/// # Errors
///
/// Fails if the bytes are invalid.
pub fn restore(bytes: &[u8]) -> Result<Sandbox, Error> {
    codec::from_bytes(bytes)
}
