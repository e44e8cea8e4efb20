//! The text of UUIDs, `67e55044-10b1-426f-9247-bb680e5fe0c8`: 32 hexadecimal digits at a time.
//!
//! A sandbox is full of UUIDs, and they were a seventh of a save. Eight digits at a time, and all of
//! them without a branch, take a third of the instructions of the `uuid` crate's.

/// The length of the text.
pub(super) const LENGTH: usize = 36;

/// Where the four groups of digits between and around the hyphens start, with how many digits
/// stand before them.
const GROUPS: [(usize, usize, usize); 5] =
    [(0, 0, 8), (9, 8, 4), (14, 12, 4), (19, 16, 4), (24, 20, 12)];

const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Writes the text in lower case.
#[inline]
pub(super) fn encode(bytes: &[u8; 16], text: &mut [u8; LENGTH]) {
    for hyphen in HYPHENS {
        text[hyphen] = b'-';
    }
    for (at, from, count) in GROUPS {
        let digits = text[at..at + count].as_chunks_mut().0;
        for (digits, byte) in digits.iter_mut().zip(&bytes[from / 2..]) {
            *digits = DIGITS[usize::from(*byte)];
        }
    }
}

/// The two digits of every byte.
static DIGITS: [[u8; 2]; 256] = {
    let mut digits = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        digits[byte] = [b"0123456789abcdef"[byte >> 4], b"0123456789abcdef"[byte & 15]];
        byte += 1;
    }
    digits
};

/// Reads the bytes of a text in lower or upper case. Returns whether it is one.
#[inline(never)]
pub(super) fn decode(text: &[u8; LENGTH], bytes: &mut [u8; 16]) -> bool {
    let mut digits = [0; 32];
    for (at, from, count) in GROUPS {
        digits[from..from + count].copy_from_slice(&text[at..at + count]);
    }
    // All of them first: a branch for each would keep the loop from becoming vector code.
    let mut wrong = 0;
    for digit in &mut digits {
        let number = digit.wrapping_sub(b'0');
        let letter = (*digit | 0x20).wrapping_sub(b'a');
        let (is_number, is_letter) = (number < 10, letter < 6);
        wrong |= u8::from(!(is_number | is_letter));
        *digit = if is_number { number } else { letter.wrapping_add(10) };
    }
    for hyphen in HYPHENS {
        wrong |= text[hyphen] ^ b'-';
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    wrong == 0
}

#[cfg(test)]
mod tests {
    use ::uuid::Uuid;

    use super::*;

    fn decoded(text: &[u8; LENGTH]) -> Option<[u8; 16]> {
        let mut bytes = [0; 16];
        decode(text, &mut bytes).then_some(bytes)
    }

    #[test]
    fn the_text_is_that_of_the_uuid_crate() {
        for value in 0..=u8::MAX {
            for place in 0..16 {
                let mut bytes = [value.wrapping_mul(31); 16];
                bytes[place] = value;
                let text = Uuid::from_bytes(bytes).hyphenated().to_string();
                let mut encoded = [0; LENGTH];
                encode(&bytes, &mut encoded);
                assert_eq!(&encoded[..], text.as_bytes());
                for text in [text.to_uppercase(), text] {
                    assert_eq!(decoded(text.as_bytes().try_into().unwrap()), Some(bytes));
                }
            }
        }
    }

    #[test]
    fn every_byte_at_every_place_is_taken_or_refused_as_the_uuid_crate_does() {
        let right = *b"67e55044-10b1-426f-9247-bb680e5fe0C8";
        for place in 0..LENGTH {
            for byte in 0..=u8::MAX {
                let mut text = right;
                text[place] = byte;
                let expected = Uuid::try_parse_ascii(&text).ok().map(Uuid::into_bytes);
                assert_eq!(decoded(&text), expected, "{}", text.escape_ascii());
            }
        }
    }
}
