//! Snapshots in pieces: of every size, cut off, and refused before they are there.

use super::super::header::HEADER_LENGTH;
use super::super::{IncrementalReader, ReadOptions, Snapshot, WriteOptions};
use super::{any, snapshot};
use crate::{Code, Error};

fn reader() -> IncrementalReader {
    ReadOptions::new().incremental()
}

/// A snapshot in every way that it can be stored in.
fn stored() -> Vec<(Snapshot, Vec<u8>)> {
    let long = prost_types::Any { value: vec![7; 300], ..any() };
    let long = Snapshot::from_any(&long).unwrap();
    #[cfg(feature = "zstd")]
    let options = [WriteOptions::new(), WriteOptions::new().zstd(3)];
    #[cfg(not(feature = "zstd"))]
    let options = [WriteOptions::new()];
    options.iter().map(|options| (long.clone(), options.to_bytes(&long).unwrap())).collect()
}

/// Pushes the bytes in pieces of this length, until one is refused.
fn push(reader: &mut IncrementalReader, bytes: &[u8], piece: usize) -> Result<(), Error> {
    bytes.chunks(piece).try_for_each(|piece| {
        assert_eq!(reader.push(piece)?, piece.len());
        Ok(())
    })
}

#[test]
fn pieces_of_every_length_give_the_snapshot() {
    for (snapshot, bytes) in stored() {
        for piece in 1..=bytes.len() {
            let mut reader = reader();
            push(&mut reader, &bytes, piece).unwrap();
            assert!(reader.is_complete());
            assert_eq!((reader.wants(), reader.expected()), (0, Some(bytes.len())));
            assert_eq!(reader.finish().unwrap(), snapshot);
        }
    }
}

#[test]
fn a_reader_says_how_many_bytes_it_wants_and_takes_no_more() {
    let (snapshot, bytes) = stored().remove(0);
    let mut reader = reader();
    assert_eq!((reader.wants(), reader.expected()), (HEADER_LENGTH, None));
    reader.push(&bytes[..10]).unwrap();
    assert_eq!((reader.wants(), reader.received()), (HEADER_LENGTH - 10, 10));
    reader.push(&bytes[10..30]).unwrap();
    assert_eq!((reader.wants(), reader.expected()), (bytes.len() - 30, Some(bytes.len())));
    // What follows on the connection is left to the caller, and refused if it is pushed as well.
    let rest = [&bytes[30..], b"next"].concat();
    assert_eq!(reader.push(&rest).unwrap(), rest.len() - 4);
    assert!(reader.is_complete());
    assert_eq!(reader.push(b"").unwrap(), 0);
    let again = reader.push(b"next").unwrap_err();
    let reason = format!("4 bytes too many after a body of {}", snapshot.any_bytes().len());
    assert_eq!((again.code(), again.to_string()), (Code::DataLoss, reason));
}

#[test]
fn an_end_before_the_end_says_what_is_missing() {
    let bytes = snapshot().into_bytes().to_vec();
    for (length, reason) in [
        (0, "not a snapshot: 0 bytes, but a header alone has 24"),
        (9, "truncated in the header, after 9 bytes"),
        (24, "truncated: the body has 0 of 19 bytes"),
        (42, "truncated: the body has 18 of 19 bytes"),
    ] {
        let mut reader = reader();
        push(&mut reader, &bytes[..length], 5).unwrap();
        assert!(!reader.is_complete());
        let error = reader.finish().unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (Code::DataLoss, reason));
    }
}

#[test]
fn what_is_wrong_with_a_header_is_refused_with_the_byte_that_shows_it() {
    let right = snapshot().into_bytes().to_vec();
    let with = |at: usize, bytes: &[u8]| {
        let mut wrong = right.clone();
        wrong[at..at + bytes.len()].copy_from_slice(bytes);
        wrong
    };
    let too_long = (256_u64 << 20) + 1;
    for (bytes, refused_at, code, reason) in [
        (with(0, b"P"), 1, Code::DataLoss, "not a snapshot: the magic number is missing"),
        (with(4, b"\n\x1a\n"), 5, Code::DataLoss, "line endings were changed in transit"),
        (with(8, &[3]), 10, Code::Unimplemented, "format version 3, but this build reads 1 and 2"),
        (
            with(10, &[9]),
            12,
            Code::Unimplemented,
            "stored with method 9, which this build does not",
        ),
        (
            with(12, &too_long.to_le_bytes()),
            24,
            Code::InvalidArgument,
            "the snapshot has 268435457",
        ),
    ] {
        let mut reader = reader();
        push(&mut reader, &bytes[..refused_at - 1], 1).unwrap();
        let error = reader.push(&bytes[refused_at - 1..refused_at]).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().starts_with(reason), "{error}");
        // It stays refused.
        assert_eq!(reader.push(b"x").unwrap_err().code(), Code::FailedPrecondition);
        assert_eq!(reader.finish().unwrap_err().code(), Code::FailedPrecondition);
    }
}

#[test]
fn damage_of_the_body_is_found_when_all_of_it_is_there() {
    let mut bytes = snapshot().into_bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let mut reader = reader();
    push(&mut reader, &bytes, 7).unwrap();
    let error = reader.finish().unwrap_err().to_string();
    assert!(error.starts_with("damaged"), "{error}");
}

#[test]
fn an_announced_length_takes_no_memory() {
    let mut bytes = snapshot().into_bytes().to_vec();
    bytes[12..20].copy_from_slice(&(200_u64 << 20).to_le_bytes());
    let info = allocation_counter::measure(|| {
        let mut reader = reader();
        push(&mut reader, &bytes, 10).unwrap();
        assert_eq!(reader.expected(), Some((200 << 20) + HEADER_LENGTH));
        push(&mut reader, &[0; 1000], 100).unwrap();
    });
    assert!(info.bytes_max < 4 << 10, "{} bytes", info.bytes_max);
}

#[test]
fn memory_grows_with_what_has_come() {
    let body = prost_types::Any { value: vec![0; 1 << 20], ..any() };
    let bytes = Snapshot::from_any(&body).unwrap().into_bytes();
    let mut reader = reader();
    let info = allocation_counter::measure(|| push(&mut reader, &bytes, 1000).unwrap());
    // While the buffer grows, the old one is there too.
    assert!(info.bytes_max <= 2 * bytes.len() as u64, "{} bytes", info.bytes_max);
}
