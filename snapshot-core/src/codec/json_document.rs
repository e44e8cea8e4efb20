//! `Json<T>`: a JSON document that is carried unchanged and read as a `T`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{NeverDefault, Reader, Sealed, Single, Wire, Writer, form, size};
use crate::Error;
use crate::schema::{ValueForm, kind};

/// JSON text that can be read as a `T`, and survives save and restore byte for byte: the order of
/// its members, its white space, and members that `T` does not know.
///
/// Use it for documents that belong to another program, such as an OCI spec. Save a value that this
/// program made with [`codec::json`](super::json).
///
/// ```
/// # fn main() -> Result<(), snapshot_core::Error> {
/// use snapshot_core::codec::Json;
/// use std::collections::BTreeMap;
///
/// let document = Json::<BTreeMap<String, u32>>::new(r#"{ "b": 2, "a": 1 }"#)?;
/// assert_eq!(document.get()?["a"], 1);
/// assert_eq!(document.text(), r#"{ "b": 2, "a": 1 }"#);
/// assert!(Json::<BTreeMap<String, u32>>::new(r#"{ "b": -2 }"#).is_err());
/// # Ok(())
/// # }
/// ```
pub struct Json<T> {
    text: Box<str>,
    value: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Json<T> {
    /// Creates a document with this text.
    ///
    /// # Errors
    ///
    /// If the text is not JSON, has something after its end, or cannot be read as a `T`.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, Error> {
        let text = text.into();
        read::<T>(text.as_bytes()).map_err(not_readable)?;
        Ok(Self { text, value: PhantomData })
    }

    /// Creates the document that serde writes for a value.
    ///
    /// # Errors
    ///
    /// If serde cannot write the value, or cannot read it back.
    pub fn from_value(value: &T) -> Result<Self, Error>
    where
        T: Serialize,
    {
        Self::new(serde_json::to_string(value).map_err(not_writable)?)
    }

    /// Returns the value. Each call reads it from the text.
    ///
    /// # Errors
    ///
    /// Only if `T` does not read the same text in the same way twice.
    pub fn get(&self) -> Result<T, Error> {
        read(self.text.as_bytes()).map_err(not_readable)
    }
}

impl<T> Json<T> {
    /// Returns the text, unchanged.
    pub fn text(&self) -> &str {
        &self.text
    }
}

const OBJECT: usize = 640;
const ELEMENT: usize = 64;

/// Returns the memory that the values of a document may take while they are checked, as a tree of
/// `serde_json::Value`. An object takes a node of a B-tree even if it has one member.
fn memory_of(text: &str) -> usize {
    let bytes = text.bytes().map(|byte| match byte {
        b'{' => OBJECT,
        b'[' | b',' | b':' => ELEMENT,
        _ => 0,
    });
    text.len() + bytes.sum::<usize>()
}

/// Returns an upper bound of [`memory_of`] without looking at the text.
fn most_memory_of(text: &str) -> usize {
    text.len().saturating_mul(OBJECT + 1)
}

/// Reads a whole document.
pub(super) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(json)
}

#[cold]
#[inline(never)]
pub(super) fn not_readable(error: serde_json::Error) -> Error {
    let reason = match error.is_data() {
        true => format!("is JSON that does not fit the type: {}", in_part(&error)),
        false => format!("is not JSON: {}", in_part(&error)),
    };
    Error::invalid(reason).with_source(error)
}

/// Returns the reason, without its middle if it is long: it quotes the document, and ends with the
/// place.
fn in_part(error: &serde_json::Error) -> String {
    const BEGINNING: usize = 160;
    const END: usize = 120;
    let text = error.to_string();
    let beginning = text.char_indices().nth(BEGINNING);
    let end = text.char_indices().nth_back(END);
    match (beginning, end) {
        (Some((beginning, _)), Some((end, _))) if beginning < end => {
            format!("{}...{}", &text[..beginning], &text[end..])
        }
        _ => text,
    }
}

#[cold]
#[inline(never)]
pub(super) fn not_writable(error: serde_json::Error) -> Error {
    Error::invalid(format!("cannot be written as JSON: {error}")).with_source(error)
}

impl<T> Clone for Json<T> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), value: PhantomData }
    }
}

impl<T> fmt::Debug for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Json").field(&self.text).finish()
    }
}

impl<T> fmt::Display for Json<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Compares the text: two documents that differ in white space differ.
impl<T> PartialEq for Json<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<T> Eq for Json<T> {}

impl<T> Hash for Json<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

#[diagnostic::do_not_recommend]
impl<T> Sealed for Json<T> {}

impl<T> Single for Json<T> {}
/// No JSON text is empty.
impl<T> NeverDefault for Json<T> {}

macro_rules! json_kinds {
    ($($kind:ident)*) => {$(
        impl<T: DeserializeOwned> Wire<kind::$kind> for Json<T> {
            const LEAF: bool = true;
            const FORM: ValueForm = ValueForm::named(form::JSON);

            fn put(&self, w: &mut Writer) -> Result<(), Error> {
                w.length_delimited(self.text.as_bytes());
                Ok(())
            }

            fn size(&self) -> usize {
                size::delimited(self.text.len())
            }

            fn take(r: &mut Reader<'_>) -> Result<Self, Error> {
                let text = r.text()?;
                // Nearly always there is room for the largest document of this length.
                let memory = match r.memory_left() > most_memory_of(text) as u64 {
                    true => 0,
                    false => memory_of(text),
                };
                r.charge(memory)?;
                let document = Self::new(text);
                // The value is dropped after the check.
                r.refund(memory);
                document
            }

            fn is_default(&self) -> bool {
                false
            }
        }
    )*};
}

json_kinds! { Bytes String }

#[cfg(test)]
mod tests {
    use super::super::field_tests::{refusal, round_trip};
    use super::*;
    use crate::schema::kind::{Bytes, Singular};

    #[derive(serde::Deserialize, serde::Serialize)]
    struct Spec {
        version: u32,
    }

    const FOREIGN: &str = " {\"z\" : [1.0, 1e2],\n\t\"version\": 7, \"a\":\"\\u00e9\" }\n";

    #[test]
    fn foreign_text_survives_byte_for_byte() {
        let document = Json::<Spec>::new(FOREIGN).unwrap();
        assert_eq!(document.get().unwrap().version, 7);
        let mut bytes = vec![0x0a, FOREIGN.len() as u8];
        bytes.extend_from_slice(FOREIGN.as_bytes());
        round_trip::<Singular<Bytes>, _>(&document, &bytes);
        round_trip::<Singular<kind::String>, _>(&Some(document), &bytes);
        round_trip::<Singular<Bytes>, Option<Json<Spec>>>(&None, &[]);
    }

    #[test]
    fn a_value_becomes_a_document() {
        let document = Json::from_value(&Spec { version: 3 }).unwrap();
        assert_eq!(document.text(), r#"{"version":3}"#);
        let error = Json::from_value(&vec![f64::INFINITY]).unwrap_err().to_string();
        assert!(
            error.starts_with("is JSON that does not fit the type: invalid type: null"),
            "{error}"
        );
    }

    #[test]
    fn text_that_is_not_json_of_the_type_is_refused_on_restore() {
        assert_eq!(
            refusal::<Singular<Bytes>, Json<Spec>>(b"\x0a\x02{}"),
            "is JSON that does not fit the type: missing field `version` at line 1 column 2 (byte \
             1 of 4)"
        );
        let text = format!("\"{}\"", "a".repeat(10_000));
        let error = Json::<Vec<u8>>::new(text).unwrap_err().to_string();
        let expected = "is JSON that does not fit the type: invalid type: string \"aaa";
        assert!(error.starts_with(expected) && error.len() < 400, "{error}");
        assert!(error.ends_with("aaa\", expected a sequence at line 1 column 10002"), "{error}");
        assert_eq!(
            refusal::<Singular<Bytes>, Json<Vec<u8>>>(b"\x0a\x03[]]"),
            "is not JSON: trailing characters at line 1 column 3 (byte 1 of 5)"
        );
        assert_eq!(
            refusal::<Singular<Bytes>, Json<Vec<u8>>>(b"\x0a\x05[\"\xff\"]"),
            "is not valid UTF-8 (byte 4 of 7)"
        );
        assert_eq!(refusal::<Singular<Bytes>, Json<Vec<u8>>>(b""), "is missing");
    }
}
