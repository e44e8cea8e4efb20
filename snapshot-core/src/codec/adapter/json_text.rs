//! Saves any type with serde's traits as JSON in a proto `string` field. Otherwise it is like
//! [`json`](super::json).

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::json;
use crate::Error;

/// Returns the JSON of a value; empty for `null`.
///
/// # Errors
///
/// As [`json::to_wire`].
pub fn to_wire<T: Serialize + DeserializeOwned + PartialEq>(value: &T) -> Result<String, Error> {
    String::from_utf8(json::to_wire(value)?)
        .map_err(|error| Error::internal("serde_json wrote invalid UTF-8").with_source(error))
}

/// Returns the value of a JSON text; for an empty text, that of `null`.
///
/// # Errors
///
/// As [`json::from_wire`].
pub fn from_wire<T: Serialize + DeserializeOwned>(json: String) -> Result<T, Error> {
    json::from_wire(json.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_from_its_text() {
        let text = to_wire(&vec![Some(1), None]).unwrap();
        assert_eq!(text, "[1,null]");
        assert_eq!(from_wire::<Vec<Option<u8>>>(text).unwrap(), [Some(1), None]);
        assert_eq!(to_wire(&None::<u8>).unwrap(), "");
        assert_eq!(from_wire::<Option<u8>>(String::new()).unwrap(), None);
    }
}
