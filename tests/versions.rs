//! Schema versions: reading older payloads, saving for older peers, and refusals.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "versions/chain.rs"]
mod chain;
#[path = "versions/downgrade.rs"]
mod downgrade;
#[path = "versions/manifest.rs"]
mod manifest;
#[path = "versions/migration.rs"]
mod migration;
#[path = "versions/since.rs"]
mod since;
#[path = "versions/states.rs"]
mod states;
#[path = "versions/strict.rs"]
mod strict;
