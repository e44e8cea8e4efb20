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

/// The text in lower case.
#[inline]
pub(super) fn encode(bytes: &[u8; 16]) -> [u8; LENGTH] {
    let mut digits = [0; 32];
    for (digits, bytes) in digits.as_chunks_mut::<8>().0.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *digits = eight_digits(u32::from_be_bytes(*bytes));
    }
    let mut text = [b'-'; LENGTH];
    for (at, from, count) in GROUPS {
        text[at..at + count].copy_from_slice(&digits[from..from + count]);
    }
    text
}

/// Eight digits at once, each in its byte of a `u64`.
#[inline(always)]
fn eight_digits(value: u32) -> [u8; 8] {
    // Halves, bytes, and at last the halves of bytes, move apart.
    let x = u64::from(value);
    let x = (x << 16 | x) & 0x0000_ffff_0000_ffff;
    let x = (x << 8 | x) & 0x00ff_00ff_00ff_00ff;
    let x = (x << 4 | x) & 0x0f0f_0f0f_0f0f_0f0f;
    // 1 in the bytes of 10 and more, which are letters.
    let letters = (x + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    let gap = u64::from(b'a' - b'0' - 10);
    (x + 0x3030_3030_3030_3030 + letters * gap).to_be_bytes()
}

/// The bytes of a text in lower or upper case; `None` if it is none.
#[inline]
pub(super) fn decode(text: &[u8; LENGTH]) -> Option<[u8; 16]> {
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
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    (wrong == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use ::uuid::Uuid;

    use super::*;

    #[test]
    fn the_text_is_that_of_the_uuid_crate() {
        for value in 0..=u8::MAX {
            for place in 0..16 {
                let mut bytes = [value.wrapping_mul(31); 16];
                bytes[place] = value;
                let text = Uuid::from_bytes(bytes).hyphenated().to_string();
                assert_eq!(&encode(&bytes)[..], text.as_bytes());
                for text in [text.to_uppercase(), text] {
                    assert_eq!(decode(text.as_bytes().try_into().unwrap()), Some(bytes));
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
                assert_eq!(decode(&text), expected, "{}", text.escape_ascii());
            }
        }
    }
}
