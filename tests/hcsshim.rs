//! hcsshim's payloads: those that Go encoded, everything that must be refused, and the revision that
//! must not be taken for the current one.

// Helpers of tests fail as tests do; clippy knows only the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "hcsshim/earlier.rs"]
mod earlier;
#[path = "hcsshim/goldens.rs"]
mod goldens;
#[path = "hcsshim/refusals.rs"]
mod refusals;
#[path = "hcsshim/sample.rs"]
mod sample;
