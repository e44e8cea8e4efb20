//! The contract kit on every state type of the examples and of the other tests.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "contract/complete.rs"]
mod complete;
#[path = "contract/hcsshim.rs"]
mod hcsshim;
#[path = "contract/lcow.rs"]
mod lcow;
