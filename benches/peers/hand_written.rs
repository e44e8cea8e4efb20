//! The most important peer: prost, with hand-written conversions between its messages and the native
//! state, and children in `prost_types::Any`, as in today's shims. It writes the same bytes as ours.

#[path = "conversions.rs"]
mod conversions;

use prost::{Message, Name};
use prost_types::Any;
use snapshot_proto::lcow::v1 as pb;

pub use self::conversions::Error;
use self::conversions::{Result, error, restore_sandbox, save_sandbox};
use crate::state::Sandbox;

type WireDuration = prost_types::Duration;

/// Encodes the state.
///
/// # Errors
///
/// Fails if a path is not UTF-8.
pub fn save(state: &Sandbox) -> Result<Vec<u8>> {
    Ok(save_sandbox(state)?.encode_to_vec())
}

/// Decodes a state.
///
/// # Errors
///
/// Fails if the bytes are invalid.
pub fn restore(bytes: &[u8]) -> Result<Sandbox> {
    let message = pb::SandboxSnapshot::decode(bytes).map_err(|e| error("sandbox", e))?;
    restore_sandbox(message)
}

fn to_any<M: Message + Name>(message: &M) -> Result<Any> {
    Any::from_msg(message).map_err(|e| error(M::NAME, e))
}

fn from_any<M: Message + Name + Default>(any: &Any) -> Result<M> {
    any.to_msg().map_err(|e| error(M::NAME, e))
}

fn get<M>(field: Option<M>) -> Option<M> {
    field
}

fn set<M>(message: Option<M>) -> Option<M> {
    message
}

fn number<E: Into<i32>>(stage: E) -> i32 {
    stage.into()
}

fn stage<E: TryFrom<i32, Error: std::fmt::Display>>(number: i32) -> Result<E> {
    E::try_from(number).map_err(|e| error("stage", e))
}
