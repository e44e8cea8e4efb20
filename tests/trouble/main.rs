//! What goes wrong with controllers on the way: all of it is reported, each with its controller, and
//! whatever can go on does.

#![allow(clippy::unwrap_used, reason = "what helpers find wrong fails the test too")]

mod findings;
mod fixture;
mod locks;
mod panics;
