//! How things are written for people.

use std::fmt::Write;

use prost_reflect::{EnumDescriptor, Kind, MapKey, Value};

/// How much of a text is shown.
const SHOWN: usize = 60;

/// The text with everything escaped that a terminal would act on.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push('\n'),
            // What turns the direction of writing is not shown as it is either.
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.extend(character.escape_unicode());
            }
            _ if character.is_control() => shown.extend(character.escape_default()),
            _ => shown.push(character),
        }
    }
    shown
}

/// On one line.
pub(crate) fn line(text: &str) -> String {
    printable(text).replace('\n', "\\n")
}

/// `1,234 B`, `12.3 KiB`, `4.5 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{} B", count(bytes)),
        10_000..10_485_760 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

/// A number with its thousands apart: `12,345`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A value of an enum as people call it: `DISK_STAGE_ATTACHED` of `DiskStage` is `Attached`.
pub(crate) fn enum_value(descriptor: &EnumDescriptor, number: i32) -> String {
    let Some(value) = descriptor.get_value(number) else { return number.to_string() };
    let mut prefix = String::new();
    for (place, character) in descriptor.name().chars().enumerate() {
        if place > 0 && character.is_ascii_uppercase() {
            prefix.push('_');
        }
        prefix.push(character.to_ascii_uppercase());
    }
    prefix.push('_');
    let name = value.name();
    let Some(rest) = name.strip_prefix(&prefix).filter(|rest| !rest.is_empty()) else {
        return name.to_owned();
    };
    let word = |word: &str| {
        let lower = word.to_ascii_lowercase();
        let mut characters = lower.chars();
        characters.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + characters.as_str()
        })
    };
    rest.split('_').map(word).collect()
}

/// The beginning of a text, in quotes.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => line(&format!("{text:?}")),
        Some((end, _)) => {
            let length = count(text.len() as u64);
            line(&format!("{:?}... ({length} bytes)", &text[..end]))
        }
    }
}

/// One value, in few words.
pub(crate) fn value(kind: &Kind, value: &Value) -> String {
    match (kind, value) {
        (_, Value::Bool(b)) => b.to_string(),
        (_, Value::I32(n)) => n.to_string(),
        (_, Value::I64(n)) => n.to_string(),
        (_, Value::U32(n)) => n.to_string(),
        (_, Value::U64(n)) => n.to_string(),
        (_, Value::F32(n)) => n.to_string(),
        (_, Value::F64(n)) => n.to_string(),
        (_, Value::String(text)) => quoted(text),
        (_, Value::Bytes(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.is_empty() && !text.contains(char::is_control) => quoted(text),
            _ => hex(bytes),
        },
        (Kind::Enum(descriptor), Value::EnumNumber(n)) => enum_value(descriptor, *n),
        (_, Value::EnumNumber(n)) => n.to_string(),
        (_, Value::Message(message)) => {
            let fields = message.fields().map(|(field, inner)| {
                format!("{}: {}", field.name(), self::value(&field.kind(), inner))
            });
            let text = fields.collect::<Vec<_>>().join(", ");
            format!("{{{}}}", shortened(&text))
        }
        (_, Value::List(values)) => plural(values.len(), "element", "elements"),
        (_, Value::Map(entries)) => plural(entries.len(), "entry", "entries"),
    }
}

fn shortened(text: &str) -> &str {
    text.char_indices().nth(2 * SHOWN).map_or(text, |(end, _)| &text[..end])
}

/// `1 entry`, `2 entries`.
pub(crate) fn plural(number: usize, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{} {many}", count(number as u64)),
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = plural(bytes.len(), "byte", "bytes");
    if bytes.is_empty() {
        return text;
    }
    text.push_str(" (");
    for byte in bytes.iter().take(SHOWN / 4) {
        // Writing into a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.push_str(if bytes.len() > SHOWN / 4 { "...)" } else { ")" });
    text
}

/// The key of a map in a path: `[3]`, `["web"]`.
pub(crate) fn key(key: &MapKey) -> String {
    match key {
        MapKey::Bool(b) => format!("[{b}]"),
        MapKey::I32(n) => format!("[{n}]"),
        MapKey::I64(n) => format!("[{n}]"),
        MapKey::U32(n) => format!("[{n}]"),
        MapKey::U64(n) => format!("[{n}]"),
        MapKey::String(text) => line(&format!("[{text:?}]")),
    }
}

/// The key of a map as text.
pub(crate) fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(b) => b.to_string(),
        MapKey::I32(n) => n.to_string(),
        MapKey::I64(n) => n.to_string(),
        MapKey::U32(n) => n.to_string(),
        MapKey::U64(n) => n.to_string(),
        MapKey::String(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_escaped() {
        assert_eq!(printable("a\u{1b}[31mb\nc\u{202e}"), "a\\u{1b}[31mb\nc\\u{202e}");
        assert_eq!(line("a\nb"), "a\\nb");
    }

    #[test]
    fn sizes_have_the_unit_that_fits() {
        let sizes = [0, 9_999, 10_240, 20 << 20].map(size);
        assert_eq!(sizes, ["0 B", "9,999 B", "10.0 KiB", "20.0 MiB"]);
    }
}
