//! Runs the tool `snapshot` like a user, on real files.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod acme;
mod arguments;
mod diff;
mod generate;
mod hostile;
mod inspect;
mod json;
mod output;
mod program;
mod schema;
mod timeline;
mod verify;
