//! rkyv on the native state, with its checks: a memory layout, which no other version of the state
//! can read.

use rkyv::rancor::Error;
use rkyv::util::AlignedVec;

use crate::state::Sandbox;

/// The state as bytes.
///
/// # Errors
///
/// A path that is not UTF-8.
pub fn save(state: &Sandbox) -> Result<AlignedVec, Error> {
    rkyv::to_bytes(state)
}

/// The state from its bytes.
///
/// # Errors
///
/// What is wrong with the bytes.
pub fn restore(bytes: &AlignedVec) -> Result<Sandbox, Error> {
    rkyv::from_bytes(bytes)
}
