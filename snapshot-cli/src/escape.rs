//! Escapes text from files and from the command line for display, with the escape of the library.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use snapshot_core::Escaped;

/// Whether the character affects the display of a text.
pub(crate) fn acts(character: char) -> bool {
    Escaped::escapes(character)
}

/// Returns the text on one line, as [`Escaped`] displays it.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    match text.contains(acts) {
        true => Cow::Owned(Escaped(text).to_string()),
        false => Cow::Borrowed(text),
    }
}

/// Writes JSON for programs, with a line end. Characters that [affect the display](acts) become `\uXXXX`.
///
/// # Errors
///
/// Those of `out`.
pub(crate) fn write_json(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut *out, Escaping(PrettyFormatter::new()));
    value.serialize(&mut serializer)?;
    writeln!(out)
}

/// The usual form of JSON, with more characters escaped.
struct Escaping(PrettyFormatter<'static>);

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, character)) = rest.char_indices().find(|(_, c)| acts(*c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + character.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A character of each kind: C0, line end, DEL, C1, bidirectional, zero-width, separator, filler, tag.
    const ACTING: &str = "\u{1b}\n\u{7f}\u{9b}\u{202e}\u{200b}\u{2028}\u{3164}\u{e0041}";

    #[test]
    fn a_line_keeps_letters_and_escapes_characters_that_affect_the_display() {
        assert_eq!(line("größe 網 🚀 a\u{a0}b"), "größe 網 🚀 a\u{a0}b");
        assert_eq!(line("a\u{1b}[31mb\nc\u{202e}"), "a\\u{1b}[31mb\\nc\\u{202e}");
        assert!(!line(ACTING).chars().any(acts));
    }

    #[test]
    fn escaped_json_has_the_same_content() {
        let value = serde_json::json!({ ACTING: [ACTING, "größe", { "a": "\u{1b}x\u{202e}" }] });
        let mut out = Vec::new();
        write_json(&mut out, &value).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.chars().any(|c| acts(c) && c != '\n'), "{text:?}");
        assert!(text.contains("größe") && text.contains("\\u202e"), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read, value);
    }
}
