//! The laws of every state type. Each law is tried on the samples.

mod duplicate;
mod edit;
mod grow;
mod learn;
mod order;
mod prost;
mod refuse;
mod relate;
mod truncate;
mod undo;

pub(super) use duplicate::duplicates;
pub(super) use edit::edits;
pub(super) use grow::grow;
pub(super) use learn::learn;
pub(super) use order::any_order;
pub(super) use prost::as_prost;
pub(super) use refuse::{
    too_large_numbers, unknown_enum_numbers, unknown_fields, wrong_wire_types,
};
pub(super) use relate::unrelated_numbers;
pub(super) use truncate::truncations;
pub(super) use undo::undo;
