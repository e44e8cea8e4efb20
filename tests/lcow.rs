//! The LCOW sandbox of the examples package: payloads of another implementation, operations without a
//! migration, and migrations that succeed and fail.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "lcow/bijection.rs"]
mod bijection;
#[path = "lcow/codes.rs"]
mod codes;
#[path = "lcow/faults.rs"]
mod faults;
#[path = "lcow/fixture.rs"]
mod fixture;
#[path = "lcow/goldens.rs"]
mod goldens;
#[path = "lcow/import.rs"]
mod import;
#[path = "lcow/lists.rs"]
mod lists;
#[path = "lcow/migration.rs"]
mod migration;
#[path = "lcow/operations.rs"]
mod operations;
#[path = "lcow/payloads.rs"]
mod payloads;
#[path = "lcow/plan.rs"]
mod plan;
#[path = "lcow/prepare.rs"]
mod prepare;
