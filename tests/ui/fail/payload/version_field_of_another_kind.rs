//! A `schema_version` that is not a `uint32`.

use snapshot_core::{Schema, Snapshot};

#[derive(Schema)]
#[derive(Clone, PartialEq, prost::Message)]
pub struct TextSnapshot {
    #[prost(string, tag = "1")]
    pub schema_version: String,
}

impl prost::Name for TextSnapshot {
    const NAME: &'static str = "TextSnapshot";
    const PACKAGE: &'static str = "test";
}

#[derive(Snapshot)]
#[snapshot(message = TextSnapshot, version = 1)]
struct Text {}

fn main() {}
