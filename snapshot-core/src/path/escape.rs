//! The escapes of texts from snapshots and peers: for names as steps of a path, and for any displayed text.

use std::borrow::Cow;
use std::fmt;

/// Whether the character affects the display of a text: it moves the cursor, ends the line, changes the
/// direction of writing, or is invisible. A text with such a character can forge a log line, control a
/// terminal, or look like another text.
///
/// These are the control characters (general category `Cc`), the separators of lines and paragraphs
/// (`Zl`, `Zp`), the format characters (`Cf`: bidirectional controls, zero-width characters, tags), and
/// all other characters that a renderer should not draw (`Default_Ignorable_Code_Point`: variation
/// selectors, fillers). Unicode reserves the last two kinds in blocks; the list has whole blocks. U+FFFE
/// and U+FFFF are not characters, and XML refuses them.
pub(crate) fn changes_the_display(character: char) -> bool {
    match character {
        ' '..='~' => false,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => true,
        '\u{ad}'
        | '\u{34f}'
        | '\u{600}'..='\u{605}'
        | '\u{61c}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{890}'..='\u{891}'
        | '\u{8e2}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{fffe}'..='\u{ffff}'
        | '\u{110bd}'
        | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// Displays a text from a snapshot or a peer. Each character that affects the display is escaped as in a
/// Rust string literal, such as `\n` or `\u{202e}`. The text stays on its line and cannot control a
/// terminal.
///
/// [`Error`](crate::Error), [`ControllerId`](crate::ControllerId) and
/// [`FieldPath`](crate::FieldPath) already escape their texts. Use `Escaped` for other texts, such as a name
/// in a state.
///
/// ```
/// use snapshot_core::Escaped;
///
/// assert_eq!(Escaped("web\nERROR all is lost").to_string(), "web\\nERROR all is lost");
/// assert_eq!(Escaped("größe").to_string(), "größe");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a str);

impl Escaped<'_> {
    /// Whether this character is escaped, for formats with their own escapes, such as JSON.
    ///
    /// ```
    /// use snapshot_core::Escaped;
    ///
    /// assert!(Escaped::escapes('\n') && Escaped::escapes('\u{202e}'));
    /// assert!(!Escaped::escapes('ß'));
    /// ```
    #[must_use]
    pub fn escapes(character: char) -> bool {
        changes_the_display(character)
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((at, character)) =
            rest.char_indices().find(|&(_, character)| changes_the_display(character))
        {
            f.write_str(&rest[..at])?;
            match character {
                '\n' | '\r' | '\t' => write!(f, "{}", character.escape_default())?,
                _ => write!(f, "{}", character.escape_unicode())?,
            }
            rest = &rest[at + character.len_utf8()..];
        }
        f.write_str(rest)
    }
}

/// Escapes written JSON for display: each text that could control a terminal gets the escapes of JSON. The
/// characters between texts are unchanged; they contain no control characters except line feeds.
#[cfg(feature = "json")]
pub(crate) fn in_json(json: String) -> String {
    let is_escaped = |character: char| character != '\n' && changes_the_display(character);
    if !json.contains(is_escaped) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        match is_escaped(character) {
            true => {
                let mut units = [0; 2];
                let units = character.encode_utf16(&mut units).iter();
                escaped.extend(units.map(|unit| format!("\\u{unit:04x}")));
            }
            false => escaped.push(character),
        }
    }
    escaped
}

/// Escapes a key or name as one step of a path. The step contains no separator, is not empty, is not the
/// root's path, and can be displayed without further escapes.
pub(super) fn step(name: &str) -> Cow<'_, str> {
    match name {
        "" => Cow::Borrowed("\"\""),
        "." => Cow::Borrowed("%2E"),
        _ => escape(name, |character| {
            matches!(character, '%' | '/' | '"') || changes_the_display(character)
        }),
    }
}

/// Escapes a path for display, if it is not yet escaped, such as a hand-written path.
pub(super) fn path(path: &str) -> Cow<'_, str> {
    escape(path, changes_the_display)
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let Some(first) = text.find(&is_escaped) else { return Cow::Borrowed(text) };
    let (unchanged, rest) = text.split_at(first);
    let mut escaped = String::with_capacity(text.len() + 8);
    escaped.push_str(unchanged);
    for character in rest.chars() {
        if is_escaped(character) {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                let digit = |bits: u8| char::from(DIGITS[usize::from(bits & 15)]);
                escaped.extend(['%', digit(byte >> 4), digit(byte)]);
            }
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_step_whatever_is_in_it() {
        for (name, expected) in [
            ("web", "web"),
            ("", "\"\""),
            (".", "%2E"),
            ("..", ".."),
            ("a/b%c\"d", "a%2Fb%25c%22d"),
            ("web: ready\nvm: failed", "web: ready%0Avm: failed"),
            ("\x1b[2J", "%1B[2J"),
            ("\u{7f}\u{9b}", "%7F%C2%9B"),
            ("a\u{202e}b\u{200b}", "a%E2%80%AEb%E2%80%8B"),
            ("\u{2028}\u{e0041}", "%E2%80%A8%F3%A0%81%81"),
            ("größe 網", "größe 網"),
        ] {
            assert_eq!(step(name), expected, "{name:?}");
        }
    }

    #[test]
    fn an_escaped_path_stays_as_it_is() {
        for name in ["", ".", "a/b%c\"d", "\n", "\u{202e}", "web"] {
            let step = step(name);
            assert_eq!(path(&step), step);
        }
        assert_eq!(path("pods/a\nb"), "pods/a%0Ab");
    }

    #[test]
    fn a_text_that_is_shown_stays_on_its_line() {
        for (text, expected) in [
            ("", ""),
            ("as it is, 100 %", "as it is, 100 %"),
            ("a\nb\r\n\tc", r"a\nb\r\n\tc"),
            ("\x1b[2J\u{9b}", r"\u{1b}[2J\u{9b}"),
            ("\u{202e}é\u{200b}", r"\u{202e}é\u{200b}"),
        ] {
            assert_eq!(Escaped(text).to_string(), expected, "{text:?}");
        }
    }

    #[cfg(feature = "json")]
    #[test]
    fn json_is_escaped_as_json_allows() {
        let json = "{\n  \"a\": \"\u{9b}é\u{202e}\u{e0041}\\n\"\n}";
        let escaped = in_json(json.to_owned());
        assert_eq!(escaped, "{\n  \"a\": \"\\u009bé\\u202e\\udb40\\udc41\\n\"\n}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&escaped), read(json));
    }

    #[test]
    fn different_names_are_different_steps() {
        let names = ["", "\"\"", "%22%22", ".", "%2E", "%252E", "\n", "%0A", "%0a"];
        let steps: std::collections::BTreeSet<_> = names.iter().map(|name| step(name)).collect();
        assert_eq!(steps.len(), names.len());
        assert!(!steps.contains("."));
    }

    #[test]
    fn letters_of_all_scripts_are_shown_as_they_are() {
        for text in ["Ünïcödé", "рабочий", "服务器", "सर्वर", "خادم", "🚀", "a b", "a\u{a0}b"]
        {
            assert!(!text.chars().any(changes_the_display), "{text}");
        }
    }
}
