//! Saves any type with serde's traits as JSON in a proto `bytes` field.
//!
//! A value whose JSON is `null`, such as `None`, is saved as an empty field, so that absence has
//! one form on the wire.
//!
//! The encoding is canonical only if the JSON is the same every time: inside, prefer `BTreeMap` to
//! `HashMap`. serde_json writes NaN and the infinities as `null`: do not keep them in an `Option`,
//! where `null` would be read back as `None`.
//!
//! ```ignore
//! #[snapshot(with = codec::json)]
//! hcs_document: Option<HcsDocument>,
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::json_tree::JsonNode;
use crate::Error;
use crate::codec::json_document::{not_readable, not_writable, read};

/// Returns the JSON of a value; empty for `null`.
///
/// The JSON is read back and compared with the value by `PartialEq`: a NaN inside of an `Option`
/// and `Some(None)` are written as `null`, and a skipped member is not written at all.
///
/// # Errors
///
/// If serde cannot write the value, or does not read it back as an equal one.
pub fn to_wire<T: Serialize + DeserializeOwned + PartialEq>(value: &T) -> Result<Vec<u8>, Error> {
    let json = serde_json::to_vec(value).map_err(not_writable)?;
    // The destination would refuse it. Refusing it here is better, because the source still runs.
    let twin = read::<T>(&json).map_err(|error| {
        Error::invalid("its JSON cannot be read back: check for a NaN or an omitted member")
            .with_source(error)
    })?;
    if twin != *value {
        return Err(Error::invalid(
            "its JSON is read back as another value: check for a NaN, a `Some(None)` or an omitted \
             member",
        ));
    }
    Ok(if json == b"null" { Vec::new() } else { json })
}

/// Returns the value of a JSON text; for an empty text, that of `null`.
///
/// # Errors
///
/// If the text is not JSON, does not fit the type, or is `null`, which is saved as an empty field;
/// or if the type does not keep all of the document, for example a member that it does not know.
pub fn from_wire<T: Serialize + DeserializeOwned>(json: Vec<u8>) -> Result<T, Error> {
    if json.is_empty() {
        return read(b"null").map_err(|_| Error::invalid("is missing"));
    }
    let value = read(&json).map_err(not_readable)?;
    if json.trim_ascii() == b"null" {
        return Err(Error::invalid("is the JSON null, which is saved as an empty field"));
    }
    check_kept(&json, &value)?;
    Ok(value)
}

/// Checks that a value keeps everything in its document.
fn check_kept<T: Serialize>(json: &[u8], value: &T) -> Result<(), Error> {
    let written = serde_json::to_vec(value).map_err(not_writable)?;
    // Nearly always.
    if written == json {
        return Ok(());
    }
    let document: JsonNode = read(json).map_err(not_readable)?;
    document.check_kept(&read(&written).map_err(not_readable)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Limits = BTreeMap<String, f64>;

    fn refusal<T: Serialize + DeserializeOwned + std::fmt::Debug>(json: &str) -> String {
        from_wire::<T>(json.as_bytes().to_vec()).unwrap_err().to_string()
    }

    #[test]
    fn a_value_comes_back_with_its_floats_to_the_last_bit() {
        let limits = Limits::from([("cpu".to_owned(), 0.1 + 0.2), ("max".to_owned(), f64::MAX)]);
        let json = to_wire(&limits).unwrap();
        assert_eq!(from_wire::<Limits>(json).unwrap(), limits);
    }

    #[test]
    fn null_is_an_empty_field_and_nothing_else_is() {
        assert_eq!(to_wire(&None::<Limits>).unwrap(), b"");
        assert_eq!(from_wire::<Option<Limits>>(Vec::new()).unwrap(), None);
        assert_eq!(to_wire(&Some(Limits::new())).unwrap(), b"{}");
        assert_eq!(from_wire::<Option<Limits>>(b"{}".to_vec()).unwrap(), Some(Limits::new()));
        let expected = "is the JSON null, which is saved as an empty field";
        assert_eq!(refusal::<Option<Limits>>("null"), expected);
        assert_eq!(refusal::<Option<Limits>>(" null\n"), expected);
        assert_eq!(refusal::<Limits>(""), "is missing");
    }

    #[test]
    fn what_is_not_json_of_the_type_is_refused() {
        assert_eq!(
            refusal::<Limits>(r#"{"cpu": 1"#),
            "is not JSON: EOF while parsing an object at line 1 column 9"
        );
        assert_eq!(
            refusal::<Limits>(r#"{"cpu": 1} {}"#),
            "is not JSON: trailing characters at line 1 column 12"
        );
        assert_eq!(
            refusal::<Limits>(r#"{"cpu": "a"}"#),
            "is JSON that does not fit the type: invalid type: string \"a\", expected f64 at line \
             1 column 11"
        );
    }

    #[test]
    fn what_would_not_be_read_back_is_not_saved() {
        let error = to_wire(&Limits::from([("cpu".to_owned(), f64::NAN)])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "its JSON cannot be read back: check for a NaN or an omitted member"
        );
        assert!(std::error::Error::source(&error).is_some());
        let other = "its JSON is read back as another value: check for a NaN, a `Some(None)` or an \
                     omitted member";
        assert_eq!(to_wire(&Some(f64::NAN)).unwrap_err().to_string(), other);
        assert_eq!(to_wire(&Some(None::<u8>)).unwrap_err().to_string(), other);
        assert_eq!(to_wire(&Spec { limit: 1, cached: 7 }).unwrap_err().to_string(), other);
        assert!(to_wire(&Spec { limit: 1, cached: 0 }).is_ok());
    }

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    struct Spec {
        limit: u32,
        #[serde(skip)]
        cached: u32,
    }

    #[test]
    fn a_document_with_a_part_that_the_type_does_not_keep_is_refused() {
        let error = |json| refusal::<Spec>(json);
        let cure = "add it to the type, or carry the document unchanged as `codec::Json`";
        assert_eq!(
            error(r#"{"limit": 1, "share": 0.5}"#),
            format!("is JSON with \"/share\", which the type does not keep: {cure}")
        );
        assert!(error(r#"{"limit": 1, "limit": 1}"#).contains("duplicate field"));
        let twice = refusal::<BTreeMap<String, u8>>(r#"{"a": 1, "a": 2}"#);
        assert_eq!(
            twice,
            "is JSON that does not fit the type: member \"a\" occurs twice at line 1 column 16"
        );
        let read: Spec = from_wire(b"{ \"limit\" :1 , \"share\": null}\n".to_vec()).unwrap();
        assert_eq!(read, Spec { limit: 1, cached: 0 });
    }
}
