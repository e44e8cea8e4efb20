//! Reads text. Nearly all of it is short and ASCII.

use super::Reader;
use crate::codec::ascii::is_ascii;
use crate::error::Error;

impl<'a> Reader<'a> {
    /// Reads length-delimited UTF-8.
    #[inline]
    pub fn text(&mut self) -> Result<&'a str, Error> {
        match self.short_ascii() {
            Some(text) => Ok(text),
            None => self.any_text(),
        }
    }

    /// Reads text of less than 128 bytes if it is ASCII, as nearly all is.
    #[inline(never)]
    fn short_ascii(&mut self) -> Option<&'a str> {
        let [length @ ..0x80, rest @ ..] = self.rest else { return None };
        let (bytes, rest) = rest.split_at_checked(usize::from(*length))?;
        let text = ascii_text(bytes)?;
        self.rest = rest;
        Some(text)
    }

    #[inline(never)]
    fn any_text(&mut self) -> Result<&'a str, Error> {
        let bytes = self.bytes()?;
        self.utf8(bytes)
    }

    /// Converts the bytes that were read last to text.
    #[inline]
    pub(crate) fn utf8(&self, bytes: &'a [u8]) -> Result<&'a str, Error> {
        match ascii_text(bytes) {
            Some(text) => Ok(text),
            None => self.utf8_beyond_ascii(bytes),
        }
    }

    #[inline(never)]
    fn utf8_beyond_ascii(&self, bytes: &'a [u8]) -> Result<&'a str, Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(error) => {
                let at = self.offset() - bytes.len() + error.valid_up_to();
                Err(self.malformed("is not valid UTF-8", at))
            }
        }
    }
}

/// Returns the bytes as text if they are ASCII.
#[inline]
#[allow(unsafe_code)]
pub(in crate::codec) fn ascii_text(bytes: &[u8]) -> Option<&str> {
    // Texts are short and nearly all ASCII, and `from_utf8` starts slowly. Without this, a restore
    // takes 16 % more instructions and 15 % more time (BENCHMARKS.md).
    //
    // SAFETY: ASCII is UTF-8.
    is_ascii(bytes).then(|| unsafe { std::str::from_utf8_unchecked(bytes) })
}
