//! All problems of a message are reported together, each with its path and offset.

use std::collections::BTreeMap;

use snapshot_core::codec::{from_bytes, to_bytes};
use snapshot_core::{Error, Snapshot};
use snapshot_proto::lcow::v1::scsi_snapshot as pb;

use super::{encoded, findings};

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::DiskState)]
struct Disk {
    config: Config,
    state: Stage,
    mounts: BTreeMap<u64, Mount>,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::DiskConfig)]
struct Config {
    host_path: String,
    read_only: bool,
    r#type: String,
    evd_type: String,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(stage = pb::DiskStage)]
enum Stage {
    Reserved,
    Attached,
    Ejected,
    Detached,
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::MountState, ignore(state), validate = mounted)]
struct Mount {
    config: Option<MountConfig>,
    ref_count: u8,
    guest_path: String,
}

fn mounted(mount: &Mount) -> Result<(), String> {
    match (mount.ref_count, mount.guest_path.as_str()) {
        (0, path @ "/") => Err(format!("{path} is mounted by nobody")),
        _ => Ok(()),
    }
}

#[derive(Debug, PartialEq, Snapshot)]
#[snapshot(message = pb::MountConfig, ignore(read_only, encrypted, ensure_filesystem, block_dev))]
struct MountConfig {
    options: Vec<String>,
    filesystem: String,
}

fn disk() -> pb::DiskState {
    pb::DiskState {
        config: Some(pb::DiskConfig { host_path: "a".into(), ..Default::default() }),
        state: 1,
        mounts: [(
            7,
            pb::MountState { ref_count: 2, guest_path: "/m".into(), ..Default::default() },
        )]
        .into(),
    }
}

fn read(bytes: &[u8]) -> Result<Disk, Error> {
    from_bytes(bytes)
}

#[test]
fn all_errors_of_a_message_and_of_those_inside_come_at_once() {
    let mut bytes = Vec::new();
    // state: an unknown value.
    bytes.extend([0x10, 9]);
    // config: text that is not UTF-8, an unknown field, and a tag that ends too early.
    bytes.extend([0x0a, 6, 0x0a, 1, 0xff, 0x30, 1, 0x80]);
    let error = read(&bytes).unwrap_err();
    assert_eq!(
        findings(&error),
        [
            "state: 9 is not a value of DiskStage, which has Reserved (0), Attached (1), Ejected \
             (2), Detached (3) (byte 0 of 10)",
            "config.host_path: is not valid UTF-8 (byte 6 of 10)",
            "config: unknown field 6 (varint) in lcow.v1.ScsiSnapshot.DiskConfig (byte 7 of 10)",
            "config: ends within a varint (byte 9 of 10)",
        ]
    );
}

#[test]
fn a_field_with_an_error_is_not_also_reported_as_missing() {
    // Only config, with the wrong wire type.
    let error = read(&[0x08, 1]).unwrap_err();
    assert_eq!(
        findings(&error),
        ["config: has wire type varint, expected length-delimited (byte 0 of 2)"]
    );
    assert_eq!(findings(&read(&[]).unwrap_err()), ["config: is missing"]);
}

#[test]
fn fields_after_a_truncation_are_not_reported_as_missing() {
    // state, then a length past the end.
    let error = read(&[0x10, 1, 0x0a, 9, 1]).unwrap_err();
    assert_eq!(findings(&error), ["config: needs 9 bytes, but has 1 left (byte 4 of 5)"]);
    let error = read(&[0x10, 1, 0x0b]).unwrap_err();
    assert_eq!(findings(&error), ["groups are not supported (byte 2 of 3)"]);
}

#[test]
fn a_duplicate_field_is_refused_and_the_read_continues() {
    let mut bytes = encoded(&disk());
    let length = bytes.len();
    bytes.extend([0x10, 1, 0x10, 9]);
    let error = read(&bytes).unwrap_err();
    let texts = findings(&error);
    assert_eq!(texts.len(), 2, "{error}");
    assert_eq!(texts[0], format!("state: occurs twice (byte {length} of {})", bytes.len()));
}

#[test]
fn paths_lead_through_maps_and_lists() {
    let mut broken = disk();
    let mount = broken.mounts.get_mut(&7).unwrap();
    mount.ref_count = 256;
    let error = read(&encoded(&broken)).unwrap_err().to_string();
    assert!(error.starts_with("mounts[\"7\"].ref_count: "), "{error}");

    let config =
        pb::MountConfig { options: vec!["ok".into(), "\u{1}\u{1}".into()], ..Default::default() };
    let mut broken = disk();
    broken.mounts.get_mut(&7).unwrap().config = Some(config);
    let mut bytes = encoded(&broken);
    let at = bytes.windows(2).position(|pair| pair == [1, 1]).unwrap();
    bytes[at] = 0xff;
    let error = read(&bytes).unwrap_err().to_string();
    let total = bytes.len();
    assert_eq!(
        error,
        format!("mounts[\"7\"].config.options[1]: is not valid UTF-8 (byte {at} of {total})")
    );
}

#[test]
fn validate_sees_the_whole_struct_and_its_error_has_the_path() {
    let mut broken = disk();
    let mount = broken.mounts.get_mut(&7).unwrap();
    (mount.ref_count, mount.guest_path) = (0, "/".into());
    let error = read(&encoded(&broken)).unwrap_err().to_string();
    assert!(error.starts_with("mounts[\"7\"]: / is mounted by nobody"), "{error}");
}

#[test]
fn every_truncation_is_refused_or_read_as_a_shorter_message() {
    let bytes = encoded(&disk());
    for length in 0..bytes.len() {
        if let Ok(state) = read(&bytes[..length]) {
            // A message can end after any field: the restored state must have exactly the present fields.
            assert_eq!(to_bytes(&state).unwrap(), &bytes[..length]);
        }
    }
}

#[test]
fn more_errors_than_the_limit_are_counted() {
    let bytes: Vec<u8> = std::iter::repeat_n([0x38, 1], 1000).flatten().collect();
    let error = read(&bytes).unwrap_err();
    assert_eq!(error.findings().count(), Error::LIMIT);
    // 1000 unknown fields and the missing config.
    assert_eq!(error.dropped(), 1001 - Error::LIMIT);
}

#[test]
fn the_type_keeps_the_contract() {
    let mounts = pb::MountState {
        config: Some(pb::MountConfig { options: vec!["ro".into()], ..Default::default() }),
        ref_count: 1,
        ..Default::default()
    };
    let mut nested = disk();
    nested.mounts.insert(8, mounts);
    let samples = [disk(), nested].map(|disk| Disk::try_from(disk).unwrap());
    snapshot_core::testing::contract(samples);
}
