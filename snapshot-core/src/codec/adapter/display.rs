//! Saves any type with `Display` and `FromStr` as a proto `string`, in the one form that `Display`
//! writes. [`lenient_text`](super::lenient_text) also reads other forms.
//!
//! ```ignore
//! #[snapshot(with = codec::display)]
//! kernel: semver::Version,
//! ```

use std::fmt::{self, Display, Write};
use std::str::FromStr;

use crate::Error;
use crate::codec::{Quoted, is_not_canonical};

/// Returns the text of a value. The text is read back and compared with the value by `PartialEq`: a
/// type whose `Display` rounds has one text for several values.
///
/// # Errors
///
/// If the text cannot be read back, or is read back as another value or as one with another text.
pub fn to_wire<T: Display + FromStr + PartialEq>(value: &T) -> Result<String, Error> {
    let text = value.to_string();
    match text.parse::<T>() {
        Ok(twin) if twin == *value && is_text_of(&text, &twin) => Ok(text),
        _ => Err(not_read_back(&text)),
    }
}

/// Returns whether this is exactly the text that a value writes. The value is compared while it
/// writes, without a copy of its text.
fn is_text_of(text: &str, value: &impl Display) -> bool {
    /// The text that is still to be written.
    struct Expected<'t>(&'t str);

    impl Write for Expected<'_> {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
            Ok(())
        }
    }

    let mut expected = Expected(text);
    write!(expected, "{value}").is_ok() && expected.0.is_empty()
}

#[cold]
fn not_read_back(text: &str) -> Error {
    Error::invalid(format!("its text {} is read back as another value", Quoted(text)))
}

/// Returns the value of a text.
///
/// # Errors
///
/// If the type does not parse the text, or would write it in another form.
pub fn from_wire<T: Display + FromStr<Err: Display>>(text: String) -> Result<T, Error> {
    let value: T = parse(&text)?;
    match is_text_of(&text, &value) {
        true => Ok(value),
        false => Err(is_not_canonical(&text, &value)),
    }
}

/// Returns the value of a text in any form that the type parses.
pub(super) fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|error| Error::invalid(format!("{} is refused: {error}", Quoted(text))))
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[test]
    fn text_comes_back_as_the_value() {
        let text = to_wire(&-0.1f64).unwrap();
        assert_eq!(text, "-0.1");
        assert_eq!(from_wire::<f64>(text).unwrap(), -0.1);
    }

    #[test]
    fn what_does_not_parse_is_refused_with_the_reason() {
        let error = from_wire::<u8>("300".to_owned()).unwrap_err().to_string();
        assert_eq!(error, "\"300\" is refused: number too large to fit in target type");
        let error = from_wire::<u8>("9".repeat(1000)).unwrap_err().to_string();
        assert!(error.len() < 150, "the whole input is quoted: {error}");
    }

    #[test]
    fn a_text_that_would_be_written_differently_is_refused() {
        for (text, canonical) in [("+7", "7"), ("007", "7")] {
            let error = from_wire::<u8>(text.to_owned()).unwrap_err().to_string();
            let expected = format!("{text:?} would be written back as {canonical:?}: ");
            assert!(error.starts_with(&expected), "{error}");
        }
        assert!(from_wire::<bool>("true".to_owned()).unwrap());
    }

    #[test]
    fn a_text_that_goes_on_after_the_one_of_its_value_is_refused() {
        let error = from_wire::<f64>("1.50".to_owned()).unwrap_err().to_string();
        assert!(error.starts_with("\"1.50\" would be written back as \"1.5\": "), "{error}");
        assert_eq!(from_wire::<f64>("1.5".to_owned()).unwrap(), 1.5);
    }

    #[test]
    fn a_text_that_means_another_value_is_not_saved() {
        /// Its text has less than its value.
        #[derive(PartialEq)]
        struct Rounded(f64);
        impl Display for Rounded {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "about {:.0}", self.0)
            }
        }
        impl FromStr for Rounded {
            type Err = std::num::ParseFloatError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
        let error = to_wire(&Rounded(1.5)).unwrap_err().to_string();
        assert_eq!(error, "its text \"about 2\" is read back as another value");
    }

    #[test]
    fn a_value_that_shares_its_text_with_another_one_is_not_saved() {
        /// A percentage, shown without its fraction.
        #[derive(PartialEq)]
        struct Percent(f64);
        impl Display for Percent {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:.0}", self.0)
            }
        }
        impl FromStr for Percent {
            type Err = std::num::ParseFloatError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
        assert_eq!(to_wire(&Percent(40.0)).unwrap(), "40");
        let error = to_wire(&Percent(40.4)).unwrap_err().to_string();
        assert_eq!(error, "its text \"40\" is read back as another value");
    }
}
