//! What `#[derive(Snapshot)]` makes of every attribute, against prost's encoding of the same.

#![allow(clippy::unwrap_used, reason = "what helpers find wrong fails the test too")]

mod bounds;
mod conversion;
mod damage;
mod fields;
mod hygiene;
mod newtype;
mod oneof;
mod order;
mod payload;
mod scsi;
mod stage;

use snapshot_core::codec::{from_bytes, to_bytes};
use snapshot_core::{Error, State};

/// The bytes of a message, as prost encodes it.
fn encoded(message: &impl prost::Message) -> Vec<u8> {
    message.encode_to_vec()
}

/// A state is saved as exactly the bytes that prost makes of `message`, and comes back from them.
#[track_caller]
fn assert_saved_as<S>(state: &S, message: &S::Message)
where
    S: State + PartialEq + std::fmt::Debug,
{
    let bytes = to_bytes(state).unwrap();
    assert_eq!(bytes, encoded(message), "the encodings differ");
    assert_eq!(&from_bytes::<S>(&bytes).unwrap(), state, "the state comes back changed");
}

/// The text of the error that a message is refused with.
#[track_caller]
fn refusal<S: State>(message: &impl prost::Message) -> String {
    match from_bytes::<S>(&encoded(message)) {
        Ok(_) => panic!("the message was accepted"),
        Err(error) => error.to_string(),
    }
}

/// The findings of an error, one text each.
fn findings(error: &Error) -> Vec<String> {
    error.findings().map(ToString::to_string).collect()
}
