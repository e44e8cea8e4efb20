//! Every truncation and every flipped bit, plain and compressed; and headers that claim too much.

use std::io::{self, Read};

use super::super::header::{HEADER_LENGTH, Header, Stored};
use super::super::{ReadOptions, Snapshot};
use super::snapshot;
use crate::{Code, Error};

/// A snapshot in every way that it can be stored in.
fn stored() -> Vec<Vec<u8>> {
    let plain = snapshot().into_bytes().to_vec();
    let provenance = crate::Provenance::new("7", "shim", "1").unwrap();
    let with_provenance = super::super::WriteOptions::new().provenance(provenance);
    let told = with_provenance.to_bytes(&snapshot()).unwrap();
    #[cfg(feature = "zstd")]
    let compressed = {
        let any = prost_types::Any { value: vec![7; 300], ..super::any() };
        let snapshot = Snapshot::from_any(&any).unwrap();
        let bytes = super::super::WriteOptions::new().zstd(3).to_bytes(&snapshot).unwrap();
        assert!(bytes.len() < 100);
        assert_eq!(Snapshot::from_bytes(bytes.clone()).unwrap(), snapshot);
        let told_too = with_provenance.zstd(3).to_bytes(&snapshot).unwrap();
        vec![plain, told, bytes, told_too]
    };
    #[cfg(not(feature = "zstd"))]
    let compressed = vec![plain, told];
    compressed
}

/// The answer of each way to read the same bytes.
fn read(bytes: &[u8]) -> [Result<Snapshot, Error>; 3] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.snapshot");
    std::fs::write(&path, bytes).unwrap();
    [
        Snapshot::from_bytes(bytes.to_vec()),
        Snapshot::read_from(bytes),
        Snapshot::read_from_path(&path),
    ]
}

#[test]
fn every_truncation_is_refused() {
    for bytes in stored() {
        assert!(read(&bytes).iter().all(Result::is_ok));
        for length in 0..bytes.len() {
            for result in read(&bytes[..length]) {
                let error = result.expect_err("a part is taken for the whole");
                assert_eq!(error.code(), Code::DataLoss, "{length}: {error}");
                let text = error.to_string();
                let told = if length < 8 { "not a snapshot" } else { "truncated" };
                assert!(text.contains(told), "{length}: {text}");
            }
        }
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    for bytes in stored() {
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            for result in read(&flipped) {
                let error = result.expect_err("a damaged snapshot is read");
                let text = error.to_string();
                match bit / 8 {
                    0..8 => assert!(
                        text.contains("not a snapshot") || text.contains("in transit"),
                        "{text}"
                    ),
                    8..10 => assert_eq!(error.code(), Code::Unimplemented, "{text}"),
                    12..20 => assert!(
                        ["truncated", "too many", "raise the limit", "damaged"]
                            .iter()
                            .any(|told| text.contains(told)),
                        "{text}"
                    ),
                    _ => assert!(text.contains("damaged"), "{text}"),
                }
            }
        }
    }
}

#[test]
fn what_comes_after_a_snapshot_stays_in_a_stream_and_is_refused_in_a_file() {
    for bytes in stored() {
        let longer = [&bytes[..], b"rest"].concat();
        let [memory, _, file] = read(&longer);
        for error in [memory.unwrap_err(), file.unwrap_err()] {
            assert!(error.to_string().contains("4 bytes too many"), "{error}");
        }
        let mut stream = &longer[..];
        Snapshot::read_from(&mut stream).unwrap();
        assert_eq!(stream, b"rest");
    }
}

/// A stream that ends after its bytes, and remembers how much of it was asked for at once.
struct Counting<'a> {
    bytes: &'a [u8],
    most: usize,
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.most = self.most.max(buffer.len());
        self.bytes.read(buffer)
    }
}

#[test]
fn a_header_that_claims_two_gibibytes_costs_nothing() {
    let mut bytes = snapshot().into_bytes().to_vec();
    bytes[12..20].copy_from_slice(&(2_u64 << 30).to_le_bytes());
    let mut stream = Counting { bytes: &bytes, most: 0 };
    let error = Snapshot::read_from(&mut stream).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let reason =
        "the snapshot has 2147483648 bytes, but the reader accepts 268435456: raise the limit";
    assert_eq!(error.to_string(), reason);
    assert!(stream.most <= 64, "the body was asked for");

    let mut stream = Counting { bytes: &bytes, most: 0 };
    let error = ReadOptions::new().limit(u64::MAX).read_from(&mut stream).unwrap_err();
    assert_eq!(error.to_string(), "truncated: the body has 19 of 2147483648 bytes");
    assert!(stream.most <= 256 << 10, "{} bytes of memory for nothing", stream.most);
}

#[test]
fn a_limit_is_kept_to_the_byte() {
    let bytes = snapshot().into_bytes();
    let length = (bytes.len() - HEADER_LENGTH) as u64;
    ReadOptions::new().limit(length).read_from(&bytes[..]).unwrap();
    let error = ReadOptions::new().limit(length - 1).read_from(&bytes[..]).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let error = ReadOptions::new().limit(length - 1).from_bytes(bytes).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
}

#[test]
fn a_way_of_storing_of_later_builds_is_told_apart_from_damage() {
    let mut bytes = snapshot().into_bytes().to_vec();
    bytes[10] = 9;
    let error = Snapshot::from_bytes(bytes.clone()).unwrap_err();
    assert_eq!(error.code(), Code::DataLoss);
    let digest = super::super::digest::digest_of(&bytes[8..20], &[&bytes[24..]]);
    bytes[20..24].copy_from_slice(&digest.to_le_bytes());
    let error = Snapshot::from_bytes(bytes).unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    assert_eq!(error.to_string(), "stored with method 9, which this build does not know");
}

/// A compressed snapshot whose header is right, whatever its frame is.
fn of_frame(frame: &[u8]) -> Vec<u8> {
    [&Header::before(Stored::Zstd, &[], frame)[..], frame].concat()
}

#[cfg(not(feature = "zstd"))]
#[test]
fn without_the_feature_a_compressed_snapshot_says_what_to_build() {
    let error = Snapshot::from_bytes(of_frame(b"whatever")).unwrap_err();
    assert_eq!(error.code(), Code::Unimplemented);
    assert!(error.to_string().contains("the feature `zstd`"), "{error}");
}

#[cfg(feature = "zstd")]
#[test]
fn a_bomb_ends_at_the_limit() {
    let frame = zstd::bulk::compress(&vec![0; 64 << 20], 19).unwrap();
    assert!(frame.len() < 10_000);
    let bytes = of_frame(&frame);
    let options = ReadOptions::new().limit(1 << 20);
    for result in [options.from_bytes(bytes.clone()), options.read_from(&bytes[..])] {
        let error = result.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.to_string().contains("the reader accepts 1048576"), "{error}");
    }
    // While the last piece is added, the ones before it may be there twice.
    let info = allocation_counter::measure(|| drop(options.from_bytes(bytes)));
    assert!(info.bytes_max <= (2 << 20) + 1024, "{} bytes", info.bytes_max);
}

#[cfg(feature = "zstd")]
#[test]
fn a_frame_that_is_none_or_cut_off_or_asks_for_too_large_a_window_is_refused() {
    let body = snapshot().into_bytes()[HEADER_LENGTH..].to_vec();
    let frame = zstd::bulk::compress(&body, 3).unwrap();
    Snapshot::from_bytes(of_frame(&frame)).unwrap();
    // A frame header by hand: no single segment, a window of 2 GiB, an empty raw block.
    let huge = [&0xfd2f_b528_u32.to_le_bytes()[..], &[0, 21 << 3, 1, 0, 0]].concat();
    let twice = [&frame[..], &frame].concat();
    for frame in [&b""[..], b"no frame", &frame[..frame.len() - 1], &huge, &twice] {
        let error = Snapshot::from_bytes(of_frame(frame)).unwrap_err();
        assert_eq!(error.code(), Code::DataLoss, "{error}");
        assert!(error.to_string().contains("compressed body"), "{error}");
    }
}
