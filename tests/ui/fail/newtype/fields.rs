//! A newtype with two fields, with none, with attributes on its field.

use snapshot_core::Snapshot;

#[derive(Snapshot)]
#[snapshot(transparent)]
struct Two(String, u32);

#[derive(Snapshot)]
#[snapshot(transparent)]
struct Named {
    first: String,
    second: String,
}

#[derive(Snapshot)]
#[snapshot(transparent)]
struct Unit;

#[derive(Snapshot)]
#[snapshot(transparent)]
struct WithAttributes(#[snapshot(max = 64, skip)] String);

fn main() {}
