//! The derive, as its users call it.

use snapshot_core::codec::{self, Writer};
use snapshot_core::{Error, State};

use crate::state::Sandbox;

/// The state as bytes.
///
/// # Errors
///
/// None for the workload.
pub fn save(state: &Sandbox) -> Result<Vec<u8>, Error> {
    codec::to_bytes(state)
}

/// The state in a buffer that was used before: what `Frozen::save_into` does with the memory of a
/// `SaveBuffer`, for a state without controllers.
///
/// # Errors
///
/// None for the workload.
pub fn save_into(state: &Sandbox, buffer: &mut Writer) -> Result<(), Error> {
    buffer.clear();
    state.put_fields(buffer)
}

/// The state from its bytes, with all checks.
///
/// # Errors
///
/// What is wrong with the bytes.
pub fn restore(bytes: &[u8]) -> Result<Sandbox, Error> {
    codec::from_bytes(bytes)
}
