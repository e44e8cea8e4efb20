//! Fields that a state does not map: ignored ones must be absent, discarded ones are dropped on purpose.

use prost::Message;
use snapshot_core::Snapshot;
use snapshot_core::codec::{from_bytes, to_bytes};

use crate::pb;

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = pb::Disk, version = 1, ignore(limit, place, boot_order))]
struct Ignoring {
    image: String,
}

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = pb::Disk, version = 1, ignore(boot_order), discard(limit, place))]
struct Discarding {
    image: String,
}

fn disk() -> pb::Disk {
    pb::Disk { schema_version: 1, image: "a".into(), ..pb::Disk::default() }
}

#[test]
fn a_value_of_an_ignored_field_is_refused_with_its_path_and_byte() {
    let error = |message: pb::Disk| {
        from_bytes::<Ignoring>(&message.encode_to_vec()).unwrap_err().to_string()
    };
    let cure =
        "has a value, but this build ignores the field: map it, or drop its value on purpose with";
    assert_eq!(
        error(pb::Disk { limit: 7, ..disk() }),
        format!("limit: {cure} `discard(limit)` (byte 5 of 7)")
    );
    // A member of a oneof is called by its own name.
    assert_eq!(
        error(pb::Disk { place: Some(pb::Place::Shelf("s".into())), ..disk() }),
        format!("shelf: {cure} `discard(place)` (byte 5 of 8)")
    );
    let both = error(pb::Disk { limit: 7, boot_order: vec!["a".into()], ..disk() });
    assert_eq!(both.lines().count(), 2, "{both}");
    assert!(both.contains("boot_order: has a value"), "{both}");
}

#[test]
fn a_default_that_is_written_out_is_no_value() {
    let mut bytes = disk().encode_to_vec();
    bytes.extend([0x18, 0]);
    assert_eq!(from_bytes::<Ignoring>(&bytes).unwrap(), Ignoring { image: "a".into() });
    // Of a oneof it is one.
    bytes.extend([0x20, 0]);
    assert!(
        from_bytes::<Ignoring>(&bytes).unwrap_err().to_string().starts_with("slot: has a value")
    );
}

#[test]
fn a_discarded_value_is_dropped_and_an_ignored_one_beside_it_is_not() {
    let full = pb::Disk { limit: 7, place: Some(pb::Place::Slot(3)), ..disk() };
    let read: Discarding = from_bytes(&full.encode_to_vec()).unwrap();
    assert_eq!(read, Discarding { image: "a".into() });
    assert_eq!(to_bytes(&read).unwrap(), disk().encode_to_vec());
    let more = pb::Disk { boot_order: vec!["a".into()], ..full };
    let error = from_bytes::<Discarding>(&more.encode_to_vec()).unwrap_err().to_string();
    assert!(error.starts_with("boot_order: has a value"), "{error}");
}

#[test]
fn both_keep_the_contract() {
    let images = ["a", "b"].map(String::from);
    snapshot_core::testing::contract(images.clone().map(|image| Ignoring { image }));
    snapshot_core::testing::contract(images.map(|image| Discarding { image }));
}
