//! Text, and types that are text on the wire: paths and single characters.

use std::cmp::Ordering;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::ascii::is_ascii;
use super::{Reader, Single, Wire, WireKey, Writer, form, prefix_of_bytes, size};
use crate::Error;
use crate::error::SHOWN;
use crate::schema::{ValueForm, kind};

macro_rules! strings {
    ($($string:ty)*) => {$(
        impl Single for $string {}

        impl Wire<kind::String> for $string {
            const LEAF: bool = true;

            #[inline]
            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                w.length_delimited(self.as_bytes());
                Ok(())
            }

            #[inline]
            fn put_tagged(&self, number: u32, w: &mut Writer) -> Result<(), Error> {
                w.bytes_field(number, self.as_bytes());
                Ok(())
            }

            #[inline]
            fn size(&self) -> usize {
                size::delimited(self.len())
            }

            #[inline]
            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                Ok(Self::from(r.text()?))
            }

            #[inline]
            fn of_default() -> Result<Self, Error> {
                Ok(Self::from(""))
            }

            #[inline]
            fn is_default(&self) -> bool {
                self.is_empty()
            }
        }

        impl WireKey<kind::String> for $string {
            #[inline]
            fn wire_cmp(&self, other: &Self) -> Ordering {
                self.as_bytes().cmp(other.as_bytes())
            }

            #[inline]
            fn wire_prefix(&self) -> u64 {
                prefix_of_bytes(self.as_bytes())
            }

            fn key_text(&self) -> String {
                self[..].to_owned()
            }
        }
    )*};
}

strings! { String Box<str> Arc<str> }

/// A path must be UTF-8 to be saved, whatever the system allows.
impl Wire<kind::String> for PathBuf {
    const LEAF: bool = true;

    #[inline]
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        w.length_delimited(utf8(self)?);
        Ok(())
    }

    #[inline]
    fn put_tagged(&self, number: u32, w: &mut Writer) -> Result<(), Error> {
        w.bytes_field(number, utf8(self)?);
        Ok(())
    }

    #[inline]
    fn size(&self) -> usize {
        size::delimited(self.as_os_str().len())
    }

    #[inline]
    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self::from(r.text()?))
    }

    #[inline]
    fn of_default() -> Result<Self, Error> {
        Ok(Self::new())
    }

    #[inline]
    fn is_default(&self) -> bool {
        self.as_os_str().is_empty()
    }
}

/// Returns the bytes of a path, which must be UTF-8. Most are ASCII, which is faster to test.
#[inline]
fn utf8(path: &PathBuf) -> Result<&[u8], Error> {
    let bytes = path.as_os_str().as_encoded_bytes();
    match is_ascii(bytes) || path.to_str().is_some() {
        true => Ok(bytes),
        false => Err(not_utf8(path)),
    }
}

#[cold]
#[inline(never)]
fn not_utf8(path: &PathBuf) -> Error {
    Error::invalid(format!("the path {path:?} is not UTF-8, but a proto string must be"))
}

impl Single for PathBuf {}

/// Ordered by its text. Rust compares paths by their components.
impl WireKey<kind::String> for PathBuf {
    #[inline]
    fn wire_cmp(&self, other: &Self) -> Ordering {
        self.as_os_str().as_encoded_bytes().cmp(other.as_os_str().as_encoded_bytes())
    }

    #[inline]
    fn wire_prefix(&self) -> u64 {
        prefix_of_bytes(self.as_os_str().as_encoded_bytes())
    }

    fn key_text(&self) -> String {
        self.display().to_string()
    }
}

/// Text as errors quote it, shortened.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(SHOWN) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => write!(f, "{:?}...", &self.0[..end]),
        }
    }
}

#[cold]
#[inline(never)]
pub(super) fn is_not(text: &str, what: &str) -> Error {
    Error::invalid(format!("{} is not {what}", Quoted(text)))
}

/// Creates the error of a text whose value would be written in another form.
#[cold]
#[inline(never)]
pub(crate) fn is_not_canonical(text: &str, value: &dyn fmt::Display) -> Error {
    Error::invalid(format!(
        "{} would be written back as {}: write it in that form, or read other forms with `with = \
         codec::lenient_text`",
        Quoted(text),
        Quoted(&value.to_string())
    ))
}

impl Single for char {}

/// A string of exactly one character.
impl Wire<kind::String> for char {
    const LEAF: bool = true;
    const FORM: ValueForm = ValueForm::named(form::CHAR);

    #[inline]
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        w.length_delimited(self.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    #[inline]
    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        let text = r.text()?;
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(is_not(text, "a single character")),
        }
    }

    #[inline]
    fn is_default(&self) -> bool {
        false
    }
}

impl WireKey<kind::String> for char {
    /// The order of the code points is the order of their UTF-8.
    #[inline]
    fn wire_cmp(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn key_text(&self) -> String {
        self.to_string()
    }
}

/// Its code point.
impl Wire<kind::Uint32> for char {
    const LEAF: bool = true;
    const FORM: ValueForm = ValueForm::integer(0, char::MAX as i128);

    #[inline]
    fn put(&self, w: &mut Writer) -> Result<(), Error> {
        w.varint(u64::from(u32::from(*self)));
        Ok(())
    }

    #[inline]
    fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
        let number = <u32 as Wire<kind::Uint32>>::take(r)?;
        match Self::from_u32(number) {
            Some(value) => Ok(value),
            None => Err(no_code_point(number)),
        }
    }

    #[inline]
    fn is_default(&self) -> bool {
        *self == '\0'
    }
}

#[cold]
#[inline(never)]
fn no_code_point(number: u32) -> Error {
    Error::invalid(format!("{number:#x} is not a Unicode scalar value"))
}

impl WireKey<kind::Uint32> for char {
    #[inline]
    fn wire_cmp(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn key_text(&self) -> String {
        u32::from(*self).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::super::field_tests::{refusal, round_trip, take, text_field as field};
    use super::*;
    use crate::schema::kind::{Optional, Singular};

    type Text = Singular<kind::String>;

    #[test]
    fn every_string_is_as_prost_writes_it() {
        for text in ["a", "\0", "жук", "\u{10ffff}", &"x".repeat(128)] {
            round_trip::<Text, String>(&text.to_owned(), &field(text));
            round_trip::<Text, Box<str>>(&Box::from(text), &field(text));
            round_trip::<Text, Arc<str>>(&Arc::from(text), &field(text));
            round_trip::<Text, PathBuf>(&PathBuf::from(text), &field(text));
        }
        round_trip::<Text, String>(&String::new(), &[]);
        round_trip::<Text, PathBuf>(&PathBuf::new(), &[]);
        round_trip::<Optional<kind::String>, Option<Box<str>>>(&Some(Box::from("")), &[0x0a, 0]);
    }

    #[test]
    fn text_that_is_not_utf8_is_refused_at_its_byte() {
        let error = refusal::<Text, String>(b"\x0a\x04ab\xffc");
        assert_eq!(error, "is not valid UTF-8 (byte 4 of 6)");
        let error = refusal::<Text, PathBuf>(b"\x0a\x02\xc3\x28");
        assert_eq!(error, "is not valid UTF-8 (byte 2 of 4)");
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_utf8_is_not_saved() {
        use std::os::unix::ffi::OsStringExt;

        use super::super::field_tests::put_refusal;

        let path = PathBuf::from(std::ffi::OsString::from_vec(b"/a/\xff".to_vec()));
        assert_eq!(
            put_refusal::<Text, PathBuf>(&path),
            r#"the path "/a/\xFF" is not UTF-8, but a proto string must be"#
        );
    }

    #[test]
    fn a_path_survives_byte_for_byte() {
        for text in ["/a//b/./c/", "../x", "C:\\x"] {
            let path: PathBuf = take::<Text, _>(&field(text)).unwrap();
            assert_eq!(path.to_str(), Some(text));
        }
    }

    #[test]
    fn a_char_is_a_string_of_one_or_its_code_point() {
        for value in ['a', '\0', 'ж', '\u{10ffff}'] {
            round_trip::<Text, char>(&value, &field(&value.to_string()));
        }
        assert_eq!(
            refusal::<Text, char>(&field("")),
            "\"\" is not a single character (byte 1 of 2)"
        );
        assert_eq!(
            refusal::<Text, char>(&field("ab")),
            "\"ab\" is not a single character (byte 1 of 4)"
        );
        assert_eq!(refusal::<Text, char>(&[]), "is missing");
        round_trip::<Singular<kind::Uint32>, char>(&'a', &[0x08, 97]);
        round_trip::<Singular<kind::Uint32>, char>(&'\0', &[]);
        assert_eq!(
            refusal::<Singular<kind::Uint32>, char>(&[0x08, 0x80, 0xb0, 0x03]),
            "0xd800 is not a Unicode scalar value (byte 1 of 4)"
        );
    }

    #[test]
    fn prefixes_are_in_the_order_of_the_texts() {
        let mut texts = ["", "\0", "a", "a\0", "aaaaaaa", "aaaaaaaa", "aaaaaaaab", "b", "ж"];
        let prefixes = texts.map(|text| WireKey::<kind::String>::wire_prefix(&text.to_owned()));
        assert!(prefixes.is_sorted(), "{prefixes:x?}");
        assert!(prefixes[2] < prefixes[4] && prefixes[6] < prefixes[7]);
        texts.reverse();
        texts.sort_by(|a, b| WireKey::<kind::String>::wire_cmp(&(*a).to_owned(), &(*b).to_owned()));
        assert!(texts.is_sorted());
    }

    #[test]
    fn paths_are_ordered_as_their_text() {
        // By components, Rust's order is the opposite.
        let (a, b) = (PathBuf::from("a/b"), PathBuf::from("a-b"));
        assert!(a < b);
        assert!(WireKey::<kind::String>::wire_cmp(&a, &b).is_gt());
    }
}
