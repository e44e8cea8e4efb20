//! hcsshim's payloads: those that Go encoded, those that must be refused, and those of the earlier
//! revision, which must not be confused with the current one.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "hcsshim/earlier.rs"]
mod earlier;
#[path = "hcsshim/goldens.rs"]
mod goldens;
#[path = "hcsshim/refusals.rs"]
mod refusals;
#[path = "hcsshim/sample.rs"]
mod sample;
