//! Paths and other text of the operating system, as the bytes of the system.

use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::{Reader, Single, Wire, WireKey, Writer, prefix_of_bytes, size};
use crate::Error;
use crate::schema::kind;

/// Returns the bytes of a text of the system on the wire.
#[cfg(unix)]
fn bytes_of(text: &OsStr) -> Result<&[u8], Error> {
    Ok(std::os::unix::ffi::OsStrExt::as_bytes(text))
}

/// On other systems such a text is not a sequence of bytes, so only UTF-8 can be saved.
#[cfg(not(unix))]
fn bytes_of(text: &OsStr) -> Result<&[u8], Error> {
    text.to_str()
        .map(str::as_bytes)
        .ok_or_else(|| Error::invalid(format!("{text:?} is not UTF-8, but must be on this system")))
}

#[cfg(unix)]
fn text_of(bytes: &[u8]) -> Result<OsString, Error> {
    Ok(std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec()))
}

#[cfg(not(unix))]
fn text_of(bytes: &[u8]) -> Result<OsString, Error> {
    std::str::from_utf8(bytes)
        .map(OsString::from)
        .map_err(|_| Error::invalid("is not UTF-8, but a path must be on this system"))
}

impl Single for OsString {}

macro_rules! os_texts {
    ($($text:ty)*) => {$(
        /// The bytes of the text. On Unix they need not be UTF-8; on other systems they must be.
        impl Wire<kind::Bytes> for $text {
            const LEAF: bool = true;

            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                w.length_delimited(bytes_of(self.as_ref())?);
                Ok(())
            }

            fn size(&self) -> usize {
                size::delimited(AsRef::<OsStr>::as_ref(self).len())
            }

            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                text_of(r.bytes()?).map(Self::from)
            }

            fn of_default() -> Result<Self, Error> {
                Ok(Self::new())
            }

            fn is_default(&self) -> bool {
                AsRef::<OsStr>::as_ref(self).is_empty()
            }
        }

        /// Ordered by its bytes. Rust's order may differ.
        impl WireKey<kind::Bytes> for $text {
            fn wire_cmp(&self, other: &Self) -> Ordering {
                let [a, b]: [&OsStr; 2] = [self.as_ref(), other.as_ref()];
                a.as_encoded_bytes().cmp(b.as_encoded_bytes())
            }

            fn wire_prefix(&self) -> u64 {
                prefix_of_bytes(AsRef::<OsStr>::as_ref(self).as_encoded_bytes())
            }

            fn key_text(&self) -> String {
                AsRef::<OsStr>::as_ref(self).display().to_string()
            }
        }
    )*};
}

os_texts! { PathBuf OsString }

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::super::field_tests::round_trip;
    use super::*;
    use crate::schema::kind::{Bytes, Optional, Repeated, Singular};

    #[test]
    fn a_path_that_is_not_utf_8_comes_back_as_its_bytes() {
        let name = OsString::from_vec(b"/data/\xff".to_vec());
        round_trip::<Singular<Bytes>, PathBuf>(&PathBuf::from(&name), b"\x0a\x07/data/\xff");
        round_trip::<Singular<Bytes>, OsString>(&name, b"\x0a\x07/data/\xff");
        round_trip::<Singular<Bytes>, OsString>(&OsString::new(), b"");
        round_trip::<Optional<Bytes>, Option<PathBuf>>(&Some(PathBuf::new()), b"\x0a\0");
        round_trip::<Repeated<Bytes>, std::collections::BTreeSet<OsString>>(
            &[OsString::from("b"), OsString::from("a")].into(),
            b"\x0a\x01a\x0a\x01b",
        );
    }
}
