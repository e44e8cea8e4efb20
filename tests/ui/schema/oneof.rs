//! Every mistake in one oneof is reported, each on its own token.

use std::collections::HashMap;

use snapshot_core::Schema;

#[derive(Schema)]
pub enum Choice {
    #[prost(uint32, tag = "1")]
    Right(u32),
    #[prost(uint32, tag = "1")]
    NumberTaken(u32),
    #[prost(uint32, optional, tag = "2")]
    Labelled(Option<u32>),
    #[prost(map = "uint32, uint32", tag = "3")]
    Map(HashMap<u32, u32>),
    #[prost(oneof = "Choice", tags = "4, 5")]
    Oneof(u32),
    #[prost(uint32, tag = "6")]
    Nothing,
    #[prost(uint32, tag = "7")]
    Two(u32, u32),
    NoAttribute(u32),
}

fn main() {}
