//! Texts that the compiler builds.

/// Returns the parts of the type URL of a message. Source: the default of prost's `Name::type_url`
/// with the domain of <https://protobuf.dev/reference/protobuf/google.protobuf/#any>.
pub const fn type_url_parts(package: &'static str, name: &'static str) -> [&'static str; 4] {
    let dot = if package.is_empty() { "" } else { "." };
    ["type.googleapis.com/", package, dot, name]
}

/// Returns the number of bytes in the parts together.
pub const fn length(parts: &[&str]) -> usize {
    let mut length = 0;
    let mut i = 0;
    while i < parts.len() {
        length += parts[i].len();
        i += 1;
    }
    length
}

/// Joins the parts.
pub const fn join<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    let mut i = 0;
    while i < parts.len() {
        let part = parts[i].as_bytes();
        let mut j = 0;
        while j < part.len() {
            bytes[at] = part[j];
            at += 1;
            j += 1;
        }
        i += 1;
    }
    bytes
}

/// Returns the text from [`join`].
pub const fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

/// Returns the part of a type URL that is the message's full name.
pub const fn after_slash(type_url: &'static str) -> &'static str {
    let mut at = type_url.len();
    while at > 0 && type_url.as_bytes()[at - 1] != b'/' {
        at -= 1;
    }
    type_url.split_at(at).1
}

/// A text that grows during a check, for a possible error.
pub(super) struct ErrorText {
    bytes: [u8; ErrorText::CAPACITY],
    length: usize,
}

impl ErrorText {
    /// A longer text is truncated, because nobody would read that many names.
    const CAPACITY: usize = 2048;

    pub(super) const fn new() -> Self {
        Self { bytes: [0; Self::CAPACITY], length: 0 }
    }

    #[must_use]
    pub(super) const fn and(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        // Whole texts only, so that no character is split.
        if self.length + text.len() > Self::CAPACITY {
            return self;
        }
        let mut i = 0;
        while i < text.len() {
            self.bytes[self.length] = text[i];
            self.length += 1;
            i += 1;
        }
        self
    }

    /// Adds the next element of a list of names.
    #[must_use]
    pub(super) const fn and_name(self, is_first: bool, name: &str) -> Self {
        self.and(if is_first { "`" } else { ", `" }).and(name).and("`")
    }

    /// Adds a name of a `.proto` file as prost names a variant: `pass_through` as `PassThrough`.
    #[must_use]
    pub(super) const fn and_camel_case(mut self, name: &str) -> Self {
        let mut rest = name.as_bytes();
        let mut starts = true;
        while let Some((&byte, after)) = rest.split_first() {
            if byte == b'_' {
                starts = true;
            } else if self.length < Self::CAPACITY {
                self.bytes[self.length] = if starts { byte.to_ascii_uppercase() } else { byte };
                self.length += 1;
                starts = false;
            }
            rest = after;
        }
        self
    }

    #[must_use]
    pub(super) const fn and_number(self, number: i128) -> Self {
        // The sign and the 39 digits of the largest number.
        let mut digits = [0; 40];
        let mut at = digits.len();
        let mut rest = number.unsigned_abs();
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if number < 0 {
            at -= 1;
            digits[at] = b'-';
        }
        self.and(text(digits.split_at(at).1))
    }

    pub(super) const fn as_str(&self) -> &str {
        text(self.bytes.split_at(self.length).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_url_is_joined_and_its_name_is_found_again() {
        const PARTS: [&str; 4] = type_url_parts("lcow.v1", "VmSnapshot");
        const BYTES: [u8; length(&PARTS)] = join(&PARTS);
        assert_eq!(text(&BYTES), "type.googleapis.com/lcow.v1.VmSnapshot");
        assert_eq!(after_slash(text(&BYTES)), "lcow.v1.VmSnapshot");
        assert_eq!(type_url_parts("", "Lone").concat(), "type.googleapis.com/Lone");
        assert_eq!(after_slash("no-slash"), "no-slash");
    }

    #[test]
    fn numbers_are_written_with_their_sign() {
        for number in [0, 7, -1, i128::MAX, i128::MIN] {
            assert_eq!(ErrorText::new().and_number(number).as_str(), number.to_string());
        }
    }

    #[test]
    fn a_proto_name_becomes_that_of_a_variant() {
        for (proto, variant) in [("pass_through", "PassThrough"), ("ipv4", "Ipv4"), ("", "")] {
            assert_eq!(ErrorText::new().and_camel_case(proto).as_str(), variant);
        }
    }

    #[test]
    fn a_text_that_does_not_fit_is_left_out_whole() {
        let long = "x".repeat(ErrorText::CAPACITY - 1);
        let message = ErrorText::new().and(&long).and("ä").and("y");
        assert_eq!(message.as_str(), format!("{long}y"));
    }
}
