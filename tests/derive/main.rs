//! The result of `#[derive(Snapshot)]` for every attribute, compared with prost's encoding.

#![allow(clippy::unwrap_used, reason = "what helpers find wrong fails the test too")]

mod bounds;
mod conversion;
mod damage;
mod fields;
mod hygiene;
mod kept;
mod newtype;
mod oneof;
mod order;
mod payload;
mod scsi;
mod stage;

use snapshot_core::codec::{from_bytes, to_bytes};
use snapshot_core::testing::Contract;
use snapshot_core::{Error, State};

/// Encodes a message with prost.
fn encoded(message: &impl prost::Message) -> Vec<u8> {
    message.encode_to_vec()
}

/// Asserts that a state is saved as exactly the bytes of `message` in prost's encoding, and is restored
/// from them, and that its type keeps the contract with this sample.
#[track_caller]
fn assert_saved_as<S>(state: &S, message: &S::Message)
where
    S: State + PartialEq + std::fmt::Debug,
{
    assert_saved_as_but(state, message, &[]);
}

/// The same as [`assert_saved_as`] for a type with only one value in the fields `fixed`.
#[track_caller]
fn assert_saved_as_but<S>(state: &S, message: &S::Message, fixed: &[&str])
where
    S: State + PartialEq + std::fmt::Debug,
{
    let bytes = to_bytes(state).unwrap();
    assert_eq!(bytes, encoded(message), "the encodings differ");
    let restored = from_bytes::<S>(&bytes).unwrap();
    assert_eq!(&restored, state, "the state comes back changed");
    let contract = Contract::new().samples([restored]).compare(PartialEq::eq);
    fixed.iter().fold(contract, |contract, field| contract.fixed(*field)).run();
}

/// The text of the error that refuses a message.
#[track_caller]
fn refusal<S: State>(message: &impl prost::Message) -> String {
    match from_bytes::<S>(&encoded(message)) {
        Ok(_) => panic!("the message was accepted"),
        Err(error) => error.to_string(),
    }
}

/// The text of each finding of an error.
fn findings(error: &Error) -> Vec<String> {
    error.findings().map(ToString::to_string).collect()
}
