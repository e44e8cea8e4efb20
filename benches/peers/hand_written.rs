//! The peer that matters: prost, with the conversions between its messages and the native state
//! written by hand, and children in `prost_types::Any`, as shims do today. It writes the same bytes.

#[path = "conversions.rs"]
mod conversions;

use prost::{Message, Name};
use prost_types::Any;
use snapshot_proto::lcow::v1 as pb;

pub use self::conversions::Error;
use self::conversions::{Result, error, restore_sandbox, save_sandbox};
use crate::state::Sandbox;

type WireDuration = prost_types::Duration;

/// The state as bytes.
///
/// # Errors
///
/// A path that is not UTF-8.
pub fn save(state: &Sandbox) -> Result<Vec<u8>> {
    Ok(save_sandbox(state)?.encode_to_vec())
}

/// The state from its bytes.
///
/// # Errors
///
/// What is wrong with the bytes.
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
