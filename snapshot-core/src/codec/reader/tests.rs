//! The errors of malformed bytes, and the values of valid ones.

use super::*;

fn reason(result: Result<impl std::fmt::Debug, Error>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn over_long_varints_are_refused() {
    for bytes in [&[0x80, 0x00][..], &[0xff, 0x80, 0x00], &[0x81, 0x80, 0x80, 0x00]] {
        let error = reason(Reader::new(bytes).varint());
        assert!(error.starts_with("varint is longer than it needs to be (byte 0 of"), "{error}");
    }
}

#[test]
fn a_varint_past_64_bits_is_refused_and_the_largest_is_taken() {
    let mut largest = [0xff; 10];
    largest[9] = 1;
    assert_eq!(Reader::new(&largest).varint().unwrap(), u64::MAX);
    largest[9] = 2;
    assert_eq!(
        reason(Reader::new(&largest).varint()),
        "varint does not fit 64 bits (byte 0 of 10)"
    );
    assert_eq!(
        reason(Reader::new(&[0xff; 11]).varint()),
        "varint does not fit 64 bits (byte 0 of 11)"
    );
}

#[test]
fn groups_and_unknown_wire_types_are_refused() {
    for (bytes, expected) in [
        ([0x0b], "groups are not supported (byte 0 of 1)"),
        ([0x0c], "groups are not supported (byte 0 of 1)"),
        ([0x0e], "unknown wire type (byte 0 of 1)"),
        ([0x0f], "unknown wire type (byte 0 of 1)"),
        ([0x00], "field number is not in 1 to 536870911 (byte 0 of 1)"),
    ] {
        assert_eq!(reason(Reader::new(&bytes).tag()), expected);
    }
}

#[test]
fn a_length_past_the_end_is_refused_whatever_its_size() {
    for length in [2, 1 << 31, u64::from(u32::MAX), 1 << 63, u64::MAX] {
        let mut bytes = Vec::new();
        prost::encoding::encode_varint(length, &mut bytes);
        bytes.push(0);
        let error = reason(Reader::new(&bytes).bytes());
        assert!(error.starts_with(&format!("needs {length} bytes, but has 1 left")), "{error}");
    }
}

#[test]
fn a_nested_length_may_not_leave_its_message() {
    // An outer message of 2 bytes that holds a length of 2.
    let bytes = [2, 2, 0, 0];
    let error = reason(Reader::new(&bytes).message(|reader| reader.bytes().map(drop)));
    assert_eq!(error, "needs 2 bytes, but has 1 left (byte 2 of 4)");
}

#[test]
fn nesting_stops_at_the_limit_without_recursing_further() {
    fn nest(reader: &mut Reader<'_>, depth: &mut u32) -> Result<(), Error> {
        *depth += 1;
        match reader.remaining() {
            0 => Ok(()),
            _ => reader.message(|reader| nest(reader, depth)),
        }
    }
    let mut bytes = Vec::new();
    for _ in 0..200 {
        let mut outer = Vec::new();
        prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
        outer.extend_from_slice(&bytes);
        bytes = outer;
    }
    let mut depth = 0;
    let error = reason(nest(&mut Reader::new(&bytes), &mut depth));
    assert!(error.starts_with("messages are nested too deep"), "{error}");
    assert_eq!(depth, Reader::DEPTH_LIMIT + 1);
}

#[test]
fn a_run_is_counted_to_its_end_and_no_further() {
    // From behind the first tag on.
    let run = |bytes: &[u8], number| Reader::new(bytes).count_ahead::<u8>(number);
    assert_eq!(run(b"", 1), 0);
    assert_eq!(run(b"\x01a\x0a\0\x12\0\x0a\0", 1), 2);
    assert_eq!(run(b"\x01a\x82\x01\0\x82\x01\x01a\x0a\0", 16), 3);
    // Then another wire type, another field, a length past the end.
    assert_eq!(run(b"\x01a\x08\x01", 1), 1);
    assert_eq!(run(b"\x01a\x12\0", 1), 1);
    assert_eq!(run(b"\x02a", 1), 0);
    assert_eq!(run(b"\x01a\x0a\x02b", 1), 1);
}

#[test]
fn the_default_reader_yields_the_default_of_every_kind() {
    assert_eq!(Reader::of_default().varint().unwrap(), 0);
    assert_eq!(Reader::of_default().text().unwrap(), "");
    assert_eq!(Reader::of_default().fixed32().unwrap(), 0);
    assert_eq!(Reader::of_default().fixed64().unwrap(), 0);
}

#[test]
fn a_varint_is_read_the_same_with_and_without_bytes_behind_it() {
    for shift in 0..64 {
        for value in [(1u64 << shift) - 1, 1 << shift, (1 << shift) + 1, u64::MAX >> shift] {
            let mut bytes = Vec::new();
            prost::encoding::encode_varint(value, &mut bytes);
            let length = bytes.len();
            assert_eq!(Reader::new(&bytes).varint().unwrap(), value);
            bytes.extend([0xff; 8]);
            let mut r = Reader::new(&bytes);
            assert_eq!((r.varint().unwrap(), r.offset()), (value, length));
            // The same with a group of zeros at its end is too long, or no varint at all.
            bytes[length - 1] |= 0x80;
            bytes.insert(length, 0);
            let error = reason(Reader::new(&bytes).varint());
            assert!(error.starts_with("varint "), "{value}: {error}");
        }
    }
}

#[test]
fn a_byte_that_is_not_utf8_is_found_at_every_place() {
    for length in 1..40 {
        for place in 0..length {
            let mut bytes = vec![b'a'; length + 1];
            bytes[0] = length as u8;
            bytes[place + 1] = 0xff;
            let error = reason(Reader::new(&bytes).text());
            let at = format!("is not valid UTF-8 (byte {} of {})", place + 1, length + 1);
            assert_eq!(error, at);
        }
        let mut bytes = vec![b'a'; length + 2];
        bytes[0] = length as u8 + 1;
        bytes[length..].copy_from_slice("ж".as_bytes());
        assert!(Reader::new(&bytes).text().is_ok());
    }
}
