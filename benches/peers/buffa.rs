//! buffa, with the same conversions as the hand-written peer. Its messages are generated with sorted
//! maps, so that it writes the same bytes, and without unknown fields, which prost drops too.

#[path = "conversions.rs"]
mod conversions;

use buffa::{EnumValue, Enumeration, Message, MessageField, MessageName, ProtoBox};
use buffa_types::google::protobuf::Any;

pub use self::conversions::Error;
use self::conversions::{Result, error, restore_sandbox, save_sandbox};

use crate::state::Sandbox;

/// The messages. One module has a different name than in prost's code.
mod pb {
    pub(super) use super::generated::lcow::v1::plan9snapshot as plan9_snapshot;
    pub(super) use super::generated::lcow::v1::*;
}

type WireDuration = buffa_types::google::protobuf::Duration;

/// The code that `build.rs` generated.
#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/buffa.rs"));
}

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
    let message = pb::SandboxSnapshot::decode_from_slice(bytes).map_err(|e| error("sandbox", e))?;
    restore_sandbox(message)
}

fn to_any<M: Message + MessageName>(message: &M) -> Result<Any> {
    Any::try_pack(message, M::TYPE_URL).map_err(|e| error(M::TYPE_URL, e))
}

fn from_any<M: Message + MessageName>(any: &Any) -> Result<M> {
    match any.unpack_if(M::TYPE_URL) {
        Ok(Some(message)) => Ok(message),
        Ok(None) => Err(error(M::TYPE_URL, "is something else")),
        Err(e) => Err(error(M::TYPE_URL, e)),
    }
}

fn get<M: Default, P: ProtoBox<M>>(field: MessageField<M, P>) -> Option<M> {
    field.into_option()
}

fn set<M: Default, P: ProtoBox<M>>(message: Option<M>) -> MessageField<M, P> {
    message.into()
}

fn number<E: Enumeration>(stage: E) -> EnumValue<E> {
    stage.into()
}

fn stage<E: Enumeration>(number: EnumValue<E>) -> Result<E> {
    number.as_known().ok_or_else(|| error("stage", "is not known"))
}
