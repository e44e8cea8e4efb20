//! The contract kit on every state type of the examples and of the other tests.

// Helpers of tests fail as tests do; clippy knows only the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "contract/complete.rs"]
mod complete;
#[path = "contract/hcsshim.rs"]
mod hcsshim;
#[path = "contract/lcow.rs"]
mod lcow;
