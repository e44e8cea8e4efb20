//! Attributes and shapes that an enumeration cannot have.

use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1 as pb;

#[derive(Snapshot)]
#[snapshot(enumeration = pb::Color)]
enum WithData {
    None,
    Red(u8),
    DarkBlue,
}

#[derive(Snapshot)]
#[snapshot(enumeration = pb::Color)]
enum Generic<T> {
    None,
    Red,
    DarkBlue,
}

#[derive(Snapshot)]
#[snapshot(enumeration = pb::Color)]
struct Struct {
    color: u8,
}

#[derive(Snapshot)]
#[snapshot(enumeration = pb::Color, stage = pb::Color)]
enum Both {
    None,
    Red,
    DarkBlue,
}

#[derive(Snapshot)]
#[snapshot(enumeration = pb::Color, version = 1, save_from(Red), validate = check)]
enum WithAttributes {
    None,
    Red,
    DarkBlue,
}

#[derive(Snapshot)]
#[snapshot(enum = pb::Color)]
enum ByAnotherName {
    None,
    Red,
    DarkBlue,
}

fn main() {}
