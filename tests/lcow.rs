//! The LCOW sandbox of the examples package: payloads of another implementation, life without a
//! migration, and migrations that succeed and fail.

#[path = "lcow/goldens.rs"]
mod goldens;
#[path = "lcow/migration.rs"]
mod migration;
#[path = "lcow/operations.rs"]
mod operations;
