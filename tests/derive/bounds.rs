//! `max` and `range`, on save and on restore.

use std::collections::BTreeMap;

use snapshot_core::Snapshot;
use snapshot_core::codec::{from_bytes, to_bytes};
use snapshot_core::testing::contract;
use snapshot_proto::fixture::v1 as pb;
use snapshot_proto::lcow::v1 as lcow;

use super::{assert_saved_as, encoded, findings, refusal};

const MOST: usize = 2;

#[derive(Debug, Default, PartialEq, Snapshot)]
#[snapshot(
    message = pb::OptionalScalars,
    ignore(double, float, int32, int64, uint64, sint32, sint64, fixed32, fixed64, sfixed32,
           sfixed64, bool, message, mode)
)]
struct Bounded {
    #[snapshot(range = 1..=8)]
    uint32: Option<u8>,
    #[snapshot(max = 4)]
    string: Option<String>,
    #[snapshot(max = MOST + 1)]
    bytes: Option<Vec<u8>>,
}

fn message(uint32: u32, string: &str, bytes: &[u8]) -> pb::OptionalScalars {
    pb::OptionalScalars {
        uint32: Some(uint32),
        string: Some(string.into()),
        bytes: Some(bytes.into()),
        ..Default::default()
    }
}

#[test]
fn values_at_the_bounds_pass() {
    for (number, text, bytes) in [(1, "", &[][..]), (8, "äö", &[1, 2, 3])] {
        let message = message(number, text, bytes);
        assert_saved_as(&Bounded::try_from(message.clone()).unwrap(), &message);
    }
    assert_saved_as(&Bounded::default(), &pb::OptionalScalars::default());
}

#[test]
fn all_values_out_of_bounds_are_reported_together_on_restore() {
    let error = from_bytes::<Bounded>(&encoded(&message(9, "five!", &[0; 4]))).unwrap_err();
    assert_eq!(
        findings(&error),
        [
            "uint32: is 9, which is not in 1..=8 (byte 0 of 15)",
            "string: has 5 bytes, but the maximum is 4 (byte 2 of 15)",
            "bytes: has 4 elements, but the maximum is 3 (byte 9 of 15)",
        ]
    );
}

#[test]
fn a_value_out_of_bounds_is_not_saved() {
    let save = |state: Bounded| to_bytes(&state).unwrap_err().to_string();
    assert_eq!(
        save(Bounded { uint32: Some(0), ..Default::default() }),
        "uint32: is 0, which is not in 1..=8"
    );
    assert_eq!(
        save(Bounded { string: Some("five!".into()), ..Default::default() }),
        "string: has 5 bytes, but the maximum is 4"
    );
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = lcow::ScsiSnapshot, version = 3, ignore(reservations))]
struct Few {
    #[snapshot(range = 0..5)]
    num_controllers: u32,
    #[snapshot(max = 1)]
    disks: BTreeMap<u32, Empty>,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = lcow::scsi_snapshot::DiskState, ignore(config, state, mounts))]
struct Empty {}

#[test]
fn a_collection_is_bounded_by_its_elements() {
    let disk = lcow::scsi_snapshot::DiskState::default();
    let message = lcow::ScsiSnapshot {
        schema_version: 3,
        num_controllers: 5,
        disks: [(1, disk.clone()), (2, disk)].into(),
        ..Default::default()
    };
    assert_eq!(
        refusal::<Few>(&message),
        "num_controllers: is 5, which is not in 0..5 (byte 2 of 12)\n\
         disks: has 2 elements, but the maximum is 1 (byte 4 of 12)"
    );
    contract([Few { num_controllers: 4, disks: [(1, Empty {})].into() }]);
}
