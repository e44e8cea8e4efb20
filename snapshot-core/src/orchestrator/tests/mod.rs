//! The transaction as a whole, with controllers whose hooks do what a script says.

mod fixture;
mod happy;

pub(super) use fixture::*;
