//! Converts the digits of numbers to the numbers of a message without a change of the value.

use std::fmt::Display;

/// A decimal number: `0.DIGITS * 10^exponent`.
#[derive(Debug)]
struct Decimal {
    is_negative: bool,
    /// The digits without leading and trailing zeros; empty for zero.
    digits: String,
    exponent: i64,
    /// The number of written digits, including trailing zeros.
    written: usize,
}

/// Two texts of the same number are equal.
impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        let parts = |number: &Self| (number.is_negative, number.exponent);
        parts(self) == parts(other) && self.digits == other.digits
    }
}

impl Decimal {
    /// Reads a number in the syntax of JSON: no sign except a minus, no leading zeros.
    fn parse(text: &str) -> Option<Self> {
        let (is_negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if digits.is_empty() || !is_digits(digits) {
                    return None;
                }
                // An exponent beyond all representable numbers does not need to be exact.
                let beyond = if exponent.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
                (mantissa, exponent.parse().unwrap_or(beyond).clamp(i64::MIN / 4, i64::MAX / 4))
            }
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some((whole, fraction)) => (whole, fraction),
            None => (mantissa, ""),
        };
        let is_whole = whole == "0" || (!whole.is_empty() && !whole.starts_with('0'));
        if !is_whole || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let (written, zeros) = (digits.len(), all.len() - digits.len());
        let digits = digits.trim_end_matches('0').to_owned();
        let exponent = match digits.is_empty() {
            true => 0,
            false => exponent + whole.len() as i64 - zeros as i64,
        };
        Some(Self { is_negative, digits, exponent, written })
    }

    fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A whole number.
///
/// # Errors
///
/// The error of the number.
pub(super) fn integer<T: TryFrom<i128>>(text: &str, expected: &str) -> Result<T, String> {
    let number = Decimal::parse(text).ok_or_else(|| format!("expected {expected}"))?;
    if number.is_zero() {
        return match number.is_negative {
            true => Err("an integer cannot be -0: write 0".to_owned()),
            false => T::try_from(0).map_err(|_| format!("expected {expected}")),
        };
    }
    let too_large = || format!("{} does not fit: expected {expected}", shown(text));
    let length = number.digits.len() as i64;
    if number.exponent < length {
        return Err(format!("{} is not a whole number: expected {expected}", shown(text)));
    }
    // This is more than any integer of 64 bits has.
    if number.exponent > 30 {
        return Err(too_large());
    }
    let zeros = "0".repeat((number.exponent - length) as usize);
    let sign = if number.is_negative { "-" } else { "" };
    let whole: i128 = format!("{sign}{}{zeros}", number.digits).parse().map_err(|_| too_large())?;
    T::try_from(whole).map_err(|_| too_large())
}

/// A `double`.
///
/// # Errors
///
/// If the number is not valid, or would be rounded; the error has the rounded number.
pub(super) fn double(text: &str) -> Result<f64, String> {
    match special(text) {
        Some(number) => Ok(number),
        None => float(text, 17, "double", |number: f64, digits| format!("{number:.digits$e}")),
    }
}

/// A `float`.
///
/// # Errors
///
/// As [`double`].
pub(super) fn single(text: &str) -> Result<f32, String> {
    match special(text) {
        Some(number) => Ok(number as f32),
        None => float(text, 9, "float", |number: f32, digits| format!("{number:.digits$e}"))
            .or_else(|reason| match double(text) {
                // A program may have converted the number to a `double` and written that.
                Ok(wide) if f64::from(wide as f32).to_bits() == wide.to_bits() => Ok(wide as f32),
                _ => Err(reason),
            }),
    }
}

fn special(text: &str) -> Option<f64> {
    match text {
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        _ => None,
    }
}

/// The maximum number of digits of a binary number: those of the smallest `double`, and some more.
const DIGITS: usize = 800;

/// Accepts a number if it is the shortest text of its value, or if it has enough digits to distinguish all
/// values and agrees with its value in these digits. Programs write numbers in these forms.
fn float<T: std::str::FromStr + Display + std::fmt::LowerExp + Copy>(
    text: &str,
    enough: usize,
    kind: &str,
    rounded: impl Fn(T, usize) -> String,
) -> Result<T, String> {
    let expected = || "expected a number".to_owned();
    let number = Decimal::parse(text).ok_or_else(expected)?;
    let value: T = text.parse().map_err(|_| expected())?;
    let Some(shortest) = Decimal::parse(&format!("{value:e}")) else {
        return Err(format!("{} does not fit into a {kind}", shown(text)));
    };
    let length = number.written;
    let is_kept = number == shortest
        || (enough..DIGITS).contains(&length)
            && Decimal::parse(&rounded(value, length - 1)).as_ref() == Some(&number);
    match is_kept {
        true => Ok(value),
        false if shortest.is_zero() => Err(format!("{} is too small for a {kind}", shown(text))),
        false => Err(format!(
            "{} would be rounded to {value} in a {kind}: write a number that it can hold",
            shown(text)
        )),
    }
}

fn shown(text: &str) -> String {
    match text.get(..40) {
        Some(beginning) if text.len() > 40 => format!("{beginning}..."),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_whole_number_can_have_any_form_of_json() {
        for (text, number) in
            [("0", 0), ("7", 7), ("-7", -7), ("7.0", 7), ("70e-1", 7), ("1e3", 1000), ("0.5E1", 5)]
        {
            assert_eq!(integer::<i64>(text, "x"), Ok(number), "{text}");
        }
        assert_eq!(integer::<u64>("18446744073709551615", "x"), Ok(u64::MAX));
        assert_eq!(integer::<i64>("-9223372036854775808", "x"), Ok(i64::MIN));
    }

    #[test]
    fn a_fraction_or_a_number_that_does_not_fit_is_refused() {
        for text in [
            "",
            "-",
            "+5",
            "0x10",
            "05",
            "1_000",
            " 5",
            "5 ",
            "-0",
            "-0.0",
            "1.5",
            "1e-1",
            "1.",
            ".5",
            "1e",
            "1e+",
            "NaN",
            "Infinity",
            "18446744073709551616",
            "1e400",
            "1e99999999999999999999",
        ] {
            assert!(integer::<u64>(text, "x").is_err(), "{text}");
        }
        assert!(integer::<u32>("4294967296", "x").is_err());
        assert!(integer::<u32>("-1", "x").is_err());
    }

    #[test]
    fn a_float_that_would_change_is_refused() {
        for text in
            ["1e300", "1e-60", "16777217", "1e400", "0.123456789", "-1e39", "+1", "inf", "nan"]
        {
            assert!(single(text).is_err(), "{text}");
        }
        for text in ["1e400", "-1e400", "1e-400", "9007199254740993", "3.14159265358979323846"] {
            assert!(double(text).is_err(), "{text}");
        }
        let long = format!("1.{}1", "0".repeat(100_000));
        assert!(double(&long).is_err());
        let told =
            "16777217 would be rounded to 16777216 in a float: write a number that it can hold";
        assert_eq!(single("16777217").unwrap_err(), told);
    }

    #[test]
    fn a_float_in_a_usual_form_is_kept() {
        for text in
            ["0", "-0", "0.1", "0.10", "1e-1", "16777216", "0.10000000149011612", "3.4028235e38"]
        {
            assert_eq!(single(text).map(f32::to_bits), Ok(text.parse::<f32>().unwrap().to_bits()));
        }
        for text in
            ["0.1", "0.10000000000000001", "1e300", "5e-324", "-0.0", "1.7976931348623157e308"]
        {
            assert_eq!(double(text).map(f64::to_bits), Ok(text.parse::<f64>().unwrap().to_bits()));
        }
        assert!(double("NaN").unwrap().is_nan());
        assert_eq!(single("-Infinity"), Ok(f32::NEG_INFINITY));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_float_is_read_as_it_is_written(bits: u32, wide: u64) {
            let (a, b) = (f32::from_bits(bits), f64::from_bits(wide));
            if a.is_finite() {
                for text in [format!("{a}"), format!("{a:e}"), format!("{a:.8e}"), f64::from(a).to_string()] {
                    prop_assert_eq!(single(&text).map(f32::to_bits), Ok(bits), "{}", text);
                }
            }
            if b.is_finite() {
                for text in [format!("{b}"), format!("{b:e}"), format!("{b:.16e}")] {
                    prop_assert_eq!(double(&text).map(f64::to_bits), Ok(wide), "{}", text);
                }
            }
        }

        #[test]
        fn every_integer_is_read_as_it_is_written(a: i64, b: u64, c: i32) {
            prop_assert_eq!(integer::<i64>(&a.to_string(), ""), Ok(a));
            prop_assert_eq!(integer::<u64>(&b.to_string(), ""), Ok(b));
            prop_assert_eq!(integer::<i32>(&c.to_string(), ""), Ok(c));
            prop_assert_eq!(integer::<i64>(&c.to_string(), ""), Ok(i64::from(c)));
        }
    }
}
