//! The contract kit on every state type of the examples and of the other tests.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A failed test should panic where it failed.

#[path = "contract/hcsshim.rs"]
mod hcsshim;
#[path = "contract/lcow.rs"]
mod lcow;
