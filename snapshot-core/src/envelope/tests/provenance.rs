//! The block beside the payload.

use std::time::{Duration, SystemTime};

use super::super::{Snapshot, WriteOptions};
use super::{any, snapshot};
use crate::{Code, Provenance};

fn provenance() -> Provenance {
    Provenance::new("sandbox-7/12", "shim", "1.2").unwrap()
}

fn stored() -> Vec<u8> {
    WriteOptions::new().provenance(provenance()).to_bytes(&snapshot()).unwrap()
}

/// The bytes of a snapshot of version 2 with this behind its header, and the right digest.
fn of_block(behind: &[u8]) -> Vec<u8> {
    let mut bytes = stored()[..24].to_vec();
    bytes[12..20].copy_from_slice(&(behind.len() as u64).to_le_bytes());
    let digest = super::super::digest::digest_of(&bytes[8..20], &[behind]);
    bytes[20..24].copy_from_slice(&digest.to_le_bytes());
    bytes.extend(behind);
    bytes
}

#[test]
fn the_bytes_of_version_2_are_those_of_the_documented_format() {
    let message = [
        &b"\x0a\x0csandbox-7/12\x12\x04shim\x1a\x031.2\x22\x06\x08\x80\xa8\xd6\xb9\x07"[..],
        // A field of a later build.
        b"\x3a\x01x",
    ]
    .concat();
    let provenance = Provenance::from_bytes(&message).unwrap();
    let any = snapshot().any_bytes().to_vec();
    let block = [&(message.len() as u32).to_le_bytes(), &message[..]].concat();
    let bytes = WriteOptions::new().provenance(provenance.clone()).to_bytes(&snapshot()).unwrap();
    assert_eq!(bytes, of_block(&[block, any].concat()));
    assert_eq!(bytes[8..10], [2, 0]);
    assert_eq!(Snapshot::from_bytes(bytes).unwrap().provenance(), Some(&provenance));
    assert_eq!(provenance.as_bytes(), message);
    assert_eq!((provenance.id(), provenance.program()), ("sandbox-7/12", "shim"));
    assert_eq!(provenance.build(), "1.2");
    let since = provenance.written_at().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(since, Duration::from_secs(2_000_000_000));
}

#[test]
fn a_provenance_is_no_part_of_the_snapshot() {
    let again = Snapshot::from_bytes(stored()).unwrap();
    assert_eq!(again, snapshot());
    assert_eq!(again.any_bytes(), snapshot().any_bytes());
    assert_eq!((again.type_url(), again.payload()), ("type.test/a.B", &b"\x08\x01"[..]));
    assert_eq!(again.clone().into_any(), any());
    assert_eq!(again.len(), again.as_bytes().len());
    assert!(snapshot().provenance().is_none());
    let other = Provenance::new("sandbox-7/13", "shim", "").unwrap();
    let bytes = WriteOptions::new().provenance(other).to_bytes(&again).unwrap();
    let other = Snapshot::from_bytes(bytes).unwrap();
    assert_eq!(other, again);
    assert_eq!(other.provenance().unwrap().id(), "sandbox-7/13");
}

#[test]
fn a_snapshot_that_was_read_is_written_with_its_provenance() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.snapshot");
    let again = Snapshot::from_bytes(stored()).unwrap();
    again.write_to_path(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), again.as_bytes());
    #[cfg(feature = "zstd")]
    {
        let compressed = WriteOptions::new().zstd(3).to_bytes(&again).unwrap();
        let expanded = Snapshot::from_bytes(compressed).unwrap();
        assert_eq!(expanded.as_bytes(), again.as_bytes());
    }
}

#[test]
fn a_text_that_cannot_be_shown_or_stored_is_refused() {
    let long = "x".repeat(257);
    for (id, program, build, reason) in [
        ("", "shim", "", "id: has 0 bytes, but must have 1 to 256"),
        ("1", "", "", "program: has 0 bytes, but must have 1 to 256"),
        ("1", "shim", long.as_str(), "build: has 257 bytes, but must have 0 to 256"),
        ("a\nb", "shim", "", "id: has a control character: remove it"),
    ] {
        let error = Provenance::new(id, program, build).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (Code::InvalidArgument, reason));
    }
    Provenance::new("x".repeat(256), "y".repeat(256), "z".repeat(256)).unwrap();
}

#[test]
fn a_block_that_no_build_writes_is_refused_with_its_field() {
    let any = snapshot().any_bytes().to_vec();
    let block =
        |message: &[u8]| of_block(&[&(message.len() as u32).to_le_bytes(), message, &any].concat());
    let huge = of_block(&[&u32::MAX.to_le_bytes(), &any[..]].concat());
    let long = block(&[0; 4097]);
    for (bytes, code, reason) in [
        (
            of_block(b"\x01\0"),
            Code::DataLoss,
            "the provenance: goes beyond the end: has 2 bytes left",
        ),
        (huge, Code::DataLoss, "the provenance: goes beyond the end: has 23 bytes left"),
        (long, Code::DataLoss, "the provenance: has 4097 bytes, but may have at most 4096"),
        (block(b"\x0a\x05x"), Code::DataLoss, "the provenance: cannot be read: "),
        (
            block(b""),
            Code::InvalidArgument,
            "the provenance.id: has 0 bytes, but must have 1 to 256",
        ),
        (
            block(b"\x0a\x01a\x12\x01b"),
            Code::InvalidArgument,
            "the provenance.written_at: must be set",
        ),
    ] {
        let error = Snapshot::from_bytes(bytes).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().starts_with(reason), "{error}");
    }
}
