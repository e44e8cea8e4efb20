//! Tests whether text is ASCII. Nearly all of it is, and needs no more checks.

const HIGH_BITS: u128 = u128::from_ne_bytes([0x80; 16]);

/// Returns whether all bytes are ASCII. For texts of about ten bytes it is faster than the standard
/// library.
#[inline]
pub(super) fn is_ascii(bytes: &[u8]) -> bool {
    // The last 16, 8 or 4 overlap with those before them.
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let mut bits = u128::from_ne_bytes(*first) | u128::from_ne_bytes(*last);
        if bytes.len() > 32 {
            for chunk in bytes.as_chunks().0 {
                bits |= u128::from_ne_bytes(*chunk);
            }
        }
        return bits & HIGH_BITS == 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u64::from_ne_bytes(*first) | u64::from_ne_bytes(*last)) & HIGH_BITS as u64 == 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u32::from_ne_bytes(*first) | u32::from_ne_bytes(*last)) & HIGH_BITS as u32 == 0;
    }
    bytes.iter().fold(0, |bits, byte| bits | byte) < 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_with_any_byte_at_any_place_is_as_the_standard_library_says() {
        for length in 0..70 {
            let mut bytes = vec![b'a'; length];
            assert!(is_ascii(&bytes));
            for place in 0..length {
                for byte in [0, 0x7f, 0x80, 0xff] {
                    bytes[place] = byte;
                    assert_eq!(is_ascii(&bytes), bytes.is_ascii(), "{byte} at {place} of {length}");
                }
                bytes[place] = b'a';
            }
        }
    }
}
