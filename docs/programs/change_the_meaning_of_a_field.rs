//! Version 1 of a volume counted in MiB, version 2 counts in bytes.

// Test helpers may panic, but clippy allows it only in the test functions themselves.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use snapshot_core::{Error, Snapshot, codec};
use snapshot_proto::example::v1 as pb;

#[derive(Snapshot, Debug, PartialEq)]
#[snapshot(message = pb::VolumeSnapshot, version = 2, ignore(operations_per_second))]
#[snapshot(accept(version = 1, message = pb::VolumeSnapshotV1, upgrade = to_bytes, downgrade = to_mib))]
struct VolumeState {
    image: String,
    size: u64,
}

/// Converts a message of version 1 to version 2.
fn to_bytes(old: pb::VolumeSnapshotV1) -> Result<pb::VolumeSnapshot, Error> {
    let size = u64::from(old.size_mib) << 20;
    Ok(pb::VolumeSnapshot { image: old.image, size, ..Default::default() })
}

/// Converts back, for a destination that reads only version 1. A size that version 1 cannot express
/// is an error.
fn to_mib(new: pb::VolumeSnapshot) -> Result<pb::VolumeSnapshotV1, String> {
    match u32::try_from(new.size >> 20) {
        Ok(size_mib) if new.size.is_multiple_of(1 << 20) => {
            Ok(pb::VolumeSnapshotV1 { image: new.image, size_mib, ..Default::default() })
        }
        _ => Err(format!("{} bytes are not a whole number of MiB", new.size)),
    }
}

#[test]
fn both_directions_lose_nothing() {
    let volume = VolumeState { image: "/a".into(), size: 64 << 20 };
    let old = codec::to_bytes_as(&volume, 1).unwrap();
    assert_eq!(codec::from_bytes::<VolumeState>(&old).unwrap(), volume);
}

#[test]
fn a_size_that_the_older_version_cannot_express_is_refused() {
    let volume = VolumeState { image: "/a".into(), size: 1000 };
    let error = codec::to_bytes_as(&volume, 1).unwrap_err();
    assert!(error.to_string().ends_with("1000 bytes are not a whole number of MiB"), "{error}");
}
