//! Version 1 of a volume counted in MiB, version 2 counts in bytes.

// Helpers of tests fail as tests do; clippy knows only the test functions themselves.
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

/// What version 1 said, in the words of version 2.
fn to_bytes(old: pb::VolumeSnapshotV1) -> Result<pb::VolumeSnapshot, Error> {
    let size = u64::from(old.size_mib) << 20;
    Ok(pb::VolumeSnapshot { image: old.image, size, ..Default::default() })
}

/// The way back, for a destination that reads version 1 only. What it cannot say is an error.
fn to_mib(new: pb::VolumeSnapshot) -> Result<pb::VolumeSnapshotV1, String> {
    match u32::try_from(new.size >> 20) {
        Ok(size_mib) if new.size.is_multiple_of(1 << 20) => {
            Ok(pb::VolumeSnapshotV1 { image: new.image, size_mib, ..Default::default() })
        }
        _ => Err(format!("{} bytes are no whole MiB", new.size)),
    }
}

#[test]
fn both_ways_lose_nothing() {
    let volume = VolumeState { image: "/a".into(), size: 64 << 20 };
    let old = codec::to_bytes_as(&volume, 1).unwrap();
    assert_eq!(codec::from_bytes::<VolumeState>(&old).unwrap(), volume);
}

#[test]
fn what_the_older_version_cannot_say_is_refused() {
    let volume = VolumeState { image: "/a".into(), size: 1000 };
    let error = codec::to_bytes_as(&volume, 1).unwrap_err();
    assert!(error.to_string().ends_with("1000 bytes are no whole MiB"), "{error}");
}
