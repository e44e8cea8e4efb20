//! A message that prost gave no name: prost-build was not told to.

use snapshot_core::{Schema, Snapshot};

#[derive(Schema)]
#[derive(Clone, PartialEq, prost::Message)]
pub struct NamelessSnapshot {
    #[prost(uint32, tag = "1")]
    pub schema_version: u32,
}

#[derive(Snapshot)]
#[snapshot(message = NamelessSnapshot, version = 1)]
struct Nameless {}

fn main() {}
