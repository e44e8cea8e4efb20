//! The tool `snapshot`, run as a user runs it, on real files.

// Helpers of tests fail as tests do; clippy knows only the test functions themselves.
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
