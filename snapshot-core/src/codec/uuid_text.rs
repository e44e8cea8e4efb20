//! Reads and writes the text of UUIDs, `67e55044-10b1-426f-9247-bb680e5fe0c8`, all digits at once.
//!
//! A sandbox is full of UUIDs; with the `uuid` crate they took a quarter of a save. There are two
//! implementations: one for x86-64, where every processor has these vector instructions, and one for
//! all others.

/// The length of the text.
pub(super) const LENGTH: usize = 36;

/// The 32 digits of a UUID, eight in a word, the first in its lowest byte. An array of bytes would
/// be written in pieces and loaded as a whole, for which the processor has to wait.
type Digits = [u64; 4];

const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The bytes 0 and 5 of a word.
const AT_0_AND_5: u64 = 0x0000_ff00_0000_00ff;
/// A hyphen in both.
const HYPHENS_AT_0_AND_5: u64 = 0x2d2d_2d2d_2d2d_2d2d & AT_0_AND_5;

/// Writes the text in lower case.
#[inline]
pub(super) fn encode(bytes: &[u8; 16], text: &mut [u8; LENGTH]) {
    let [first, second, third, fourth] = digits::of(bytes);
    for hyphen in HYPHENS {
        text[hyphen] = b'-';
    }
    text[..8].copy_from_slice(&first.to_le_bytes());
    text[9..13].copy_from_slice(&(second as u32).to_le_bytes());
    text[14..18].copy_from_slice(&((second >> 32) as u32).to_le_bytes());
    text[19..23].copy_from_slice(&(third as u32).to_le_bytes());
    text[24..28].copy_from_slice(&((third >> 32) as u32).to_le_bytes());
    text[28..].copy_from_slice(&fourth.to_le_bytes());
}

/// Reads the bytes of a text in lower case, the only form that [`encode`] writes. Returns whether
/// it is one.
#[inline]
pub(super) fn decode(text: &[u8; LENGTH], bytes: &mut [u8; 16]) -> bool {
    fn word<const N: usize>(text: &[u8; LENGTH], at: usize) -> u64 {
        let mut word = [0; 8];
        word[..N].copy_from_slice(&text[at..at + N]);
        u64::from_le_bytes(word)
    }
    let digits = [
        word::<8>(text, 0),
        word::<4>(text, 9) | word::<4>(text, 14) << 32,
        word::<4>(text, 19) | word::<4>(text, 24) << 32,
        word::<8>(text, 28),
    ];
    // Two of the hyphens are five apart, and so are the other two.
    let (second, third) = (word::<8>(text, 8), word::<8>(text, 18));
    let hyphens = ((second ^ HYPHENS_AT_0_AND_5) | (third ^ HYPHENS_AT_0_AND_5)) & AT_0_AND_5;
    digits::read(digits, bytes) && hyphens == 0
}

#[cfg(target_arch = "x86_64")]
use sse2 as digits;

#[cfg(not(target_arch = "x86_64"))]
use portable as digits;

/// Converts both digits of 16 bytes in as many instructions as those of one byte.
#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi8, _mm_adds_epu8, _mm_and_si128, _mm_cmpgt_epi8, _mm_cvtsi128_si64,
        _mm_max_epu8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_packus_epi16,
        _mm_set_epi64x, _mm_set1_epi8, _mm_set1_epi16, _mm_slli_epi16, _mm_srli_epi16,
        _mm_sub_epi8, _mm_subs_epu8, _mm_unpackhi_epi8, _mm_unpackhi_epi64, _mm_unpacklo_epi8,
    };

    use super::Digits;

    #[inline]
    #[allow(unsafe_code)]
    pub(super) fn of(bytes: &[u8; 16]) -> Digits {
        // With the table below, a save takes 21 % more instructions and 26 % more time
        // (BENCHMARKS.md).
        //
        // SAFETY: SSE2 is a part of x86-64.
        unsafe { digits_of(bytes) }
    }

    #[inline]
    #[allow(unsafe_code)]
    pub(super) fn read(digits: Digits, bytes: &mut [u8; 16]) -> bool {
        // With the loop below, a restore takes 3 % more instructions and 3 % more time
        // (BENCHMARKS.md).
        //
        // SAFETY: SSE2 is a part of x86-64.
        unsafe { read_digits(digits, bytes) }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn load(low: u64, high: u64) -> __m128i {
        _mm_set_epi64x(high as i64, low as i64)
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn store(vector: __m128i) -> [u64; 2] {
        let high = _mm_unpackhi_epi64(vector, vector);
        [_mm_cvtsi128_si64(vector) as u64, _mm_cvtsi128_si64(high) as u64]
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn digits_of(bytes: &[u8; 16]) -> Digits {
        let bytes = u128::from_le_bytes(*bytes);
        let bytes = load(bytes as u64, (bytes >> 64) as u64);
        let half = _mm_set1_epi8(0xf);
        let high = _mm_and_si128(_mm_srli_epi16::<4>(bytes), half);
        let low = _mm_and_si128(bytes, half);
        let digits = |values| {
            let to_letters = _mm_set1_epi8((b'a' - b'9' - 1) as i8);
            let is_letter = _mm_cmpgt_epi8(values, _mm_set1_epi8(9));
            let numbers = _mm_add_epi8(values, _mm_set1_epi8(b'0' as i8));
            store(_mm_add_epi8(numbers, _mm_and_si128(is_letter, to_letters)))
        };
        let [first, second] = digits(_mm_unpacklo_epi8(high, low));
        let [third, fourth] = digits(_mm_unpackhi_epi8(high, low));
        [first, second, third, fourth]
    }

    /// Returns the values of 16 digits, 0 to 15; more for other characters.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn values(digits: __m128i) -> __m128i {
        let all = |byte| _mm_set1_epi8(byte as i8);
        // `9` becomes the greatest byte, so that after a saturating subtraction only it and the
        // nine before it are 0xf0 or more.
        let number = _mm_subs_epu8(_mm_add_epi8(digits, all(0xff - b'9')), all(6));
        let number = _mm_sub_epi8(number, all(0xf0));
        let letter = _mm_adds_epu8(_mm_sub_epi8(digits, all(b'a')), all(10));
        _mm_min_epu8(number, letter)
    }

    /// Combines the two halves of bytes, in 16 bits each.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn joined(values: __m128i) -> __m128i {
        // The first of two digits is the low byte and the high half.
        let bytes = _mm_or_si128(_mm_slli_epi16::<4>(values), _mm_srli_epi16::<8>(values));
        _mm_and_si128(bytes, _mm_set1_epi16(0xff))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn read_digits([first, second, third, fourth]: Digits, bytes: &mut [u8; 16]) -> bool {
        let low = values(load(first, second));
        let high = values(load(third, fourth));
        let [first, second] = store(_mm_packus_epi16(joined(low), joined(high)));
        *bytes = (u128::from(second) << 64 | u128::from(first)).to_le_bytes();
        let greatest = _mm_max_epu8(low, high);
        // Above 15 the highest bit is set.
        _mm_movemask_epi8(_mm_adds_epu8(greatest, _mm_set1_epi8(127 - 15))) == 0
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable {
    use super::Digits;

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

    #[inline]
    pub(super) fn of(bytes: &[u8; 16]) -> Digits {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
            let mut digits = [0; 8];
            for (digits, byte) in digits.as_chunks_mut().0.iter_mut().zip(bytes) {
                *digits = DIGITS[usize::from(*byte)];
            }
            *word = u64::from_le_bytes(digits);
        }
        words
    }

    #[inline]
    pub(super) fn read(words: Digits, bytes: &mut [u8; 16]) -> bool {
        let mut digits = [0; 32];
        for (digits, word) in digits.as_chunks_mut().0.iter_mut().zip(words) {
            *digits = word.to_le_bytes();
        }
        // All of them first: a branch for each would prevent vector code.
        let mut wrong = false;
        for digit in &mut digits {
            let number = digit.wrapping_sub(b'0');
            let letter = digit.wrapping_sub(b'a');
            let (is_number, is_letter) = (number < 10, letter < 6);
            wrong |= !(is_number | is_letter);
            *digit = if is_number { number } else { letter.wrapping_add(10) };
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks().0) {
            *byte = high << 4 | low;
        }
        !wrong
    }
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
                assert_eq!(portable::of(&bytes), digits::of(&bytes));
                assert_eq!(decoded(text.as_bytes().try_into().unwrap()), Some(bytes));
            }
        }
    }

    #[test]
    fn every_byte_at_every_place_is_taken_if_it_is_written_back_unchanged() {
        let right = *b"67e55044-10b1-426f-9247-bb680e5fe0c8";
        for place in 0..LENGTH {
            for byte in 0..=u8::MAX {
                let mut text = right;
                text[place] = byte;
                let expected = Uuid::try_parse_ascii(&text)
                    .ok()
                    .filter(|uuid| uuid.hyphenated().to_string().as_bytes() == text)
                    .map(Uuid::into_bytes);
                assert_eq!(decoded(&text), expected, "{}", text.escape_ascii());
            }
        }
    }

    #[test]
    fn digits_are_read_alike_on_every_processor() {
        for place in 0..32 {
            for byte in 0..=u8::MAX {
                let mut text = *b"67e5504410b1426f9247bb680e5fe0c8";
                text[place] = byte;
                let mut words = text.as_chunks().0.iter();
                let digits = [(); 4].map(|()| words.next().map_or(0, |it| u64::from_le_bytes(*it)));
                let (mut here, mut elsewhere) = ([0; 16], [0; 16]);
                let is_read = digits::read(digits, &mut here);
                assert_eq!(portable::read(digits, &mut elsewhere), is_read);
                assert!(!is_read || here == elsewhere, "{}", text.escape_ascii());
            }
        }
    }
}
