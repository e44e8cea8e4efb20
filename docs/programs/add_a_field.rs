//! Release 3 of a volume adds a field, and works with hosts that do not have the field.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use snapshot_core::{Snapshot, codec};
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = pb::VolumeSnapshot, version = 3, accept(version = 2))]
struct VolumeState {
    image: String,
    size: u64,
    #[snapshot(since = 3, default = 1000)]
    operations_per_second: u32,
}

#[test]
fn an_older_payload_gets_the_default() {
    // Version 2, as the previous release saved it.
    let old = pb::VolumeSnapshot {
        schema_version: 2,
        image: "/a".into(),
        size: 4096,
        ..Default::default()
    };
    let volume = VolumeState::try_from(old).unwrap();
    assert_eq!(volume.operations_per_second, 1000);
}

#[test]
fn a_value_that_an_older_destination_would_lose_is_refused() {
    let mut volume = VolumeState { image: "/a".into(), size: 4096, operations_per_second: 1000 };
    assert!(codec::to_bytes_as(&volume, 2).is_ok());

    volume.operations_per_second = 5000;
    let error = codec::to_bytes_as(&volume, 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "operations_per_second: exists from version 3 on and is not at its default: it would be \
         lost in version 2"
    );
}

#[test]
fn a_volume_keeps_the_contract() {
    let volume = VolumeState { image: "/a".into(), size: 4096, operations_per_second: 7 };
    snapshot_core::testing::contract([volume]);
}
