//! Variants that differ from the values of the proto enum.

use snapshot_core::Snapshot;
use snapshot_proto::fixture::v1 as pb;

#[derive(Snapshot)]
#[snapshot(enumeration = pb::Color)]
enum Extra {
    None,
    Red,
    DarkBlue,
    Green,
}

#[derive(Snapshot)]
#[snapshot(enumeration = pb::Color)]
enum Missing {
    None,
    Red,
}

#[derive(Snapshot)]
#[snapshot(enumeration = pb::Color)]
enum Numbers {
    #[default]
    Red = 1,
    None = 0,
    DarkBlue = 3,
}

#[derive(Snapshot)]
#[snapshot(enumeration = pb::Colour)]
enum Unknown {
    None,
}

fn main() {}
