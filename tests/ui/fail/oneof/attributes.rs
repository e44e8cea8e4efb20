//! Attributes on variants and members, names that are taken, members that are ignored in vain.

use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1::choice;

#[derive(Snapshot)]
#[snapshot(oneof = choice::Interleaved, ignore(High, Low))]
enum Interleaved {
    #[snapshot(transient)]
    Low(u32),
    Middle(#[snapshot(max = 3)] String),
    #[snapshot(rename = Middle)]
    Text(String),
}

#[derive(Snapshot)]
#[snapshot(oneof = choice::Interleaved, ignore(Low, Middle, Low))]
enum Twice {
    High(bool),
}

fn main() {}
