//! rkyv with the native state and its checks. Its format is a memory layout, which no other version of
//! the state can read.

use rkyv::rancor::Error;
use rkyv::util::AlignedVec;

use crate::state::Sandbox;

/// Encodes the state.
///
/// # Errors
///
/// Fails if a path is not UTF-8.
pub fn save(state: &Sandbox) -> Result<AlignedVec, Error> {
    rkyv::to_bytes(state)
}

/// Decodes a state.
///
/// # Errors
///
/// Fails if the bytes are invalid.
pub fn restore(bytes: &AlignedVec) -> Result<Sandbox, Error> {
    rkyv::from_bytes(bytes)
}
