//! Failures of controllers during a migration: all of them are reported with their controllers, and the
//! other controllers continue.

#![allow(clippy::unwrap_used, reason = "what helpers find wrong fails the test too")]

mod code;
mod findings;
mod fixture;
mod locks;
mod panics;
