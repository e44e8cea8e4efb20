//! Snapshots: the envelope, and the steps of a destination up to the construction of the controllers.

use prost_types::Any;
use snapshot_core::{Code, Error, Incoming, Payload, ReadOptions, Snapshot};
use snapshot_examples::lcow::{Sandbox, SandboxState};

use super::bound::{CONSTANT, bounded, peak};

/// The magic and the format version.
const BEGINNING: &[u8] = b"\x89SNP\r\n\x1a\n\x01\0\0\0";

/// Runs an input. The first byte selects the meaning of the rest: a snapshot, the body of one with a
/// valid header, or the payload of a sandbox. Returns whether it could be imported.
pub(crate) fn envelope(input: &[u8]) -> bool {
    let Some((first, bytes)) = input.split_first() else { return false };
    let bytes = match first % 3 {
        0 => bytes.to_vec(),
        1 => with_header(bytes),
        _ => {
            let any = Any { type_url: SandboxState::TYPE_URL.to_owned(), value: bytes.to_vec() };
            Snapshot::from_any(&any).expect("an Any with a type URL").as_bytes().to_vec()
        }
    };
    let opened = bounded(bytes.len(), || Snapshot::from_bytes(bytes.clone()));
    let Ok(snapshot) = opened else { return false };
    assert_eq!(snapshot.as_bytes(), bytes);
    is_carried_unchanged(&snapshot);
    arrives_in_pieces(&bytes, &snapshot);
    keeps_its_budget(&bytes, &snapshot);
    arrives(&snapshot)
}

/// Checks that a snapshot that arrives in pieces is the same.
fn arrives_in_pieces(bytes: &[u8], snapshot: &Snapshot) {
    let mut reader = ReadOptions::new().incremental();
    for piece in bytes.chunks(1 + bytes.len() / 3) {
        assert_eq!(reader.push(piece).expect("a part of a right snapshot"), piece.len());
    }
    assert_eq!(&reader.finish().expect("a right snapshot"), snapshot);
}

/// Checks that a read keeps its budget of memory, and reports only the budget if that is too small.
fn keeps_its_budget(bytes: &[u8], snapshot: &Snapshot) {
    let is_right = Incoming::from(snapshot.clone()).check::<Sandbox>().is_ok();
    for memory in [0, 1_000, 4 * bytes.len() as u64] {
        let options = ReadOptions::new().memory(memory);
        let (peak, result) = peak(|| {
            let snapshot = options.from_bytes(bytes.to_vec()).expect("read before");
            Incoming::from(snapshot).check::<Sandbox>().map(drop)
        });
        // The budget does not count the bytes themselves, text and bytes of the states, and errors.
        let most = memory + 8 * bytes.len() as u64 + CONSTANT;
        assert!(peak <= most, "{} bytes took {peak} of {memory}", bytes.len());
        match result {
            Ok(()) => assert!(is_right, "a smaller budget makes it right"),
            Err(error) if is_right => assert_eq!(error.code(), Code::ResourceExhausted, "{error}"),
            Err(_) => {}
        }
    }
}

/// Returns the header of a body, written from the format's documentation.
pub(crate) fn with_header(body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u64).to_le_bytes();
    let mut digest = crc32fast::Hasher::new();
    for part in [&BEGINNING[8..], &length, body] {
        digest.update(part);
    }
    [BEGINNING, &length, &digest.finalize().to_le_bytes(), body].concat()
}

/// Checks that a snapshot with a new header is the same.
fn is_carried_unchanged(snapshot: &Snapshot) {
    let any = snapshot.clone().into_any();
    assert_eq!((any.type_url.as_str(), &*any.value), (snapshot.type_url(), snapshot.payload()));
    if let Ok(again) = Snapshot::from_any(&any) {
        assert_eq!((again.type_url(), again.payload()), (snapshot.type_url(), snapshot.payload()));
        assert_eq!(Snapshot::from_bytes(again.as_bytes().to_vec()).expect("our own bytes"), again);
    } else {
        assert!(any.type_url.is_empty());
    }
}

/// Checks that a verification without building agrees with a build.
fn arrives(snapshot: &Snapshot) -> bool {
    let length = snapshot.len();
    let incoming = || Incoming::from(snapshot.clone());
    let told = |error: Error| error.to_string();
    let previewed = bounded(length, || incoming().preview().map_err(told));
    let checked = bounded(length, || incoming().check::<Sandbox>().map_err(told));
    if let Ok(checked) = &checked {
        let previewed = previewed.as_ref().expect("a sandbox is of a registered type");
        assert_eq!(previewed.controllers, checked.controllers);
        assert_eq!(checked.payload_length, snapshot.payload().len());
    }
    match bounded(length, || incoming().import::<Sandbox>().map_err(told)) {
        Ok(imported) => {
            assert!(checked.is_ok(), "built without having been verified");
            imported.abort();
            true
        }
        // The verification does not include errors that only a build finds.
        Err(error) => {
            if let Err(found) = checked {
                assert_eq!(error, found, "two answers to one question");
            }
            false
        }
    }
}
