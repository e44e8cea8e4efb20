//! An enum that is no lifecycle stage, in every place, and skipped where it is not saved.

use std::collections::BTreeMap;

use snapshot_core::{Snapshot, codec};
use snapshot_proto::fixture::v1 as pb;

#[derive(Snapshot, Clone, Copy, Debug, PartialEq, Eq)]
#[snapshot(enumeration = pb::Signed)]
#[repr(i32)]
enum Offset {
    Min = i32::MIN,
    #[snapshot(rename = MinusOne)]
    Below = -1,
    Zero = 0,
    PlusOne = 1,
}

#[derive(Snapshot, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[snapshot(enumeration = pb::Color)]
enum Color {
    #[default]
    None,
    Red,
    DarkBlue,
}

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = pb::Enums, ignore(sparse, level, inner_level, inner))]
struct Enums {
    signed: Offset,
    maybe: Option<Offset>,
    list: Vec<Offset>,
    by_number: BTreeMap<i32, Offset>,
    color: Color,
    // A stage here would have to say what it comes back as.
    #[snapshot(skip)]
    shown: Color,
}

fn main() {
    let enums = Enums {
        signed: Offset::Min,
        maybe: Some(Offset::Zero),
        list: vec![Offset::Below, Offset::PlusOne],
        by_number: [(-1, Offset::Below)].into(),
        color: Color::DarkBlue,
        shown: Color::None,
    };
    let bytes = codec::to_bytes(&enums).unwrap();
    assert_eq!(codec::from_bytes::<Enums>(&bytes).unwrap(), enums);
    let _ = Color::Red;
}
