//! No silent change of meaning: what a value means is checked on both sides, and compared before a freeze.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "meaning/across_builds.rs"]
mod across_builds;
#[path = "meaning/left_out.rs"]
mod left_out;
#[path = "meaning/newer_variants.rs"]
mod newer_variants;
#[path = "meaning/pb.rs"]
mod pb;
#[path = "meaning/relations.rs"]
mod relations;
#[path = "meaning/shared.rs"]
mod shared;
