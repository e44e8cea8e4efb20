//! Saves any type with `Display` and `FromStr` as a proto `string`, and reads every form that it
//! parses: UUIDs in upper case, in braces or as a URN, and IPv6 addresses that are not the
//! shortest.
//!
//! ```ignore
//! #[snapshot(with = codec::lenient_text)]
//! address: std::net::IpAddr,
//! ```
//!
//! It is for text that another program wrote. The text is written back in the form of `Display`, so
//! a snapshot that passes through this build may change. Without the adapter, such a text is
//! refused.

use std::fmt::Display;
use std::str::FromStr;

use super::display;
use crate::Error;

/// Returns the text of a value, in its one form.
///
/// # Errors
///
/// As [`display::to_wire`].
pub fn to_wire<T: Display + FromStr + PartialEq>(value: &T) -> Result<String, Error> {
    display::to_wire(value)
}

/// Returns the value of a text in any form.
///
/// # Errors
///
/// If the type does not parse the text.
pub fn from_wire<T: FromStr<Err: Display>>(text: String) -> Result<T, Error> {
    display::parse(&text)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn every_form_is_read_and_one_is_written() {
        for text in ["::1", "0:0::1", "0000::0001"] {
            let address: IpAddr = from_wire(text.to_owned()).unwrap();
            assert_eq!(to_wire(&address).unwrap(), "::1");
        }
        let error = from_wire::<IpAddr>("localhost".to_owned()).unwrap_err().to_string();
        assert_eq!(error, "\"localhost\" is refused: invalid IP address syntax");
    }

    #[cfg(feature = "uuid")]
    #[test]
    fn every_form_of_a_uuid_is_read() {
        let canonical = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        for text in [
            canonical.to_owned(),
            canonical.to_uppercase(),
            canonical.replace('-', ""),
            format!("{{{canonical}}}"),
            format!("urn:uuid:{canonical}"),
        ] {
            let uuid: ::uuid::Uuid = from_wire(text).unwrap();
            assert_eq!(to_wire(&uuid).unwrap(), canonical);
        }
    }
}
