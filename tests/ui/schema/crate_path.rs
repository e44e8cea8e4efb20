//! The only entry of `#[snapshot(...)]` on a prost type is `crate`.

use snapshot_core::Schema;

#[derive(Schema)]
#[snapshot(krate = ::snapshot_core)]
pub struct Misspelled {}

#[derive(Schema)]
#[snapshot(crate = ::snapshot_core, crate = ::snapshot_core)]
pub struct Twice {}

#[derive(Schema)]
#[snapshot(crate = "snapshot_core")]
pub struct InQuotes {}

fn main() {}
