//! What `#[derive(Snapshot)]` makes of every attribute, against prost's encoding of the same.

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

/// The bytes of a message, as prost encodes it.
fn encoded(message: &impl prost::Message) -> Vec<u8> {
    message.encode_to_vec()
}

/// A state is saved as exactly the bytes that prost makes of `message`, and comes back from them; and
/// with it as a sample, its type keeps the contract.
#[track_caller]
fn assert_saved_as<S>(state: &S, message: &S::Message)
where
    S: State + PartialEq + std::fmt::Debug,
{
    assert_saved_as_but(state, message, &[]);
}

/// As [`assert_saved_as`], of a type whose fields `fixed` have one value ever.
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
