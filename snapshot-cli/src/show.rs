//! Formats values for people.

use std::borrow::Cow;
use std::fmt::Write;

use prost_reflect::{EnumDescriptor, Kind, MapKey, Value};

use crate::escape::{acts, line};
use crate::fields::{self, Unknown};

/// The maximum length of a displayed text.
const SHOWN: usize = 60;

/// The maximum number of characters of a displayed id.
const ID_SHOWN: usize = 240;

/// The maximum width of a column in a table; longer cells extend beyond it.
const WIDEST: usize = 120;

/// Formats an id on one line; shows only the beginning and the end of a long one.
pub(crate) fn id(id: &str) -> Cow<'_, str> {
    if id.len() <= ID_SHOWN {
        return line(id);
    }
    let half = ID_SHOWN / 2;
    let head = id.char_indices().nth(half).map_or(id, |(at, _)| &id[..at]);
    let tail = id.char_indices().rev().nth(half - 1).map_or(id, |(at, _)| &id[at..]);
    if head.len() + tail.len() >= id.len() {
        return line(id);
    }
    Cow::Owned(format!("{}...({} bytes)...{}", line(head), count(id.len() as u64), line(tail)))
}

/// The width of a column with these cells.
pub(crate) fn width<'a>(cells: impl IntoIterator<Item = &'a str>) -> usize {
    let widths = cells.into_iter().map(|cell| cell.chars().count());
    widths.max().unwrap_or(0).min(WIDEST)
}

/// The spaces that fill a cell up to the width of its column. `format!` cannot do this, because it panics
/// for a width above 65,535.
pub(crate) fn padding(cell: &str, width: usize) -> String {
    " ".repeat(width.min(WIDEST).saturating_sub(cell.chars().count()))
}

/// `1,234 B`, `12.3 KiB`, `4.5 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{} B", count(bytes)),
        10_000..10_485_760 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

/// A number with separated thousands: `12,345`.
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

/// The short name of an enum value: `DISK_STAGE_ATTACHED` of `DiskStage` is `Attached`.
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
        None => line(&format!("{text:?}")).into_owned(),
        Some((end, _)) => {
            let length = count(text.len() as u64);
            line(&format!("{:?}... ({length} bytes)", &text[..end])).into_owned()
        }
    }
}

/// A short form of one value.
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
            Ok(text) if !text.is_empty() && !text.contains(acts) => quoted(text),
            _ => hex(bytes),
        },
        (Kind::Enum(descriptor), Value::EnumNumber(n)) => enum_value(descriptor, *n),
        (_, Value::EnumNumber(n)) => n.to_string(),
        (_, Value::Message(message)) => {
            let mut text = String::new();
            let fields = fields::present(message).into_iter().map(|(field, inner)| {
                format!("{}: {}", line(field.name()), self::value(&field.kind(), inner))
            });
            let others = fields::unknown(message)
                .into_iter()
                .map(|field| format!("unknown field {}: {}", field.number, unknown(&field)));
            for field in fields.chain(others) {
                let comma = if text.is_empty() { "" } else { ", " };
                text.push_str(comma);
                text.push_str(&field);
                if text.chars().count() > 2 * SHOWN {
                    return format!("{{{}...}}", shortened(&text));
                }
            }
            format!("{{{text}}}")
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

/// The value of an unknown field: its wire type and its bytes.
pub(crate) fn unknown(field: &Unknown) -> String {
    let bytes = match (field.varint, std::str::from_utf8(&field.bytes)) {
        (Some(number), _) => return format!("{} {number}", field.wire_type),
        (None, Ok(text)) if !text.is_empty() && !text.contains(acts) => {
            format!("{} {}", hex(&field.bytes), quoted(text))
        }
        _ => hex(&field.bytes),
    };
    format!("{}, {bytes}", field.wire_type)
}

/// Adds bytes in hexadecimal digits.
pub(crate) fn put_hex(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = plural(bytes.len(), "byte", "bytes");
    if bytes.is_empty() {
        return text;
    }
    text.push_str(" (");
    put_hex(bytes.get(..SHOWN / 4).unwrap_or(bytes), &mut text);
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
        MapKey::String(text) => format!("[{}]", quoted(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_id_shows_its_beginning_and_its_end() {
        assert_eq!(id("vm/scsi"), "vm/scsi");
        let long = format!("pods/{}/containers/c1", "x".repeat(65_536));
        let shown = id(&long);
        assert!(shown.starts_with("pods/xxx") && shown.ends_with("x/containers/c1"), "{shown}");
        assert!(shown.contains("(65,555 bytes)") && shown.len() < 300, "{shown}");
    }

    #[test]
    fn a_cell_of_any_length_has_a_padding() {
        let long = "x".repeat(70_000);
        assert_eq!(padding("ab", width(["ab", "abcd"])), "  ");
        assert_eq!(padding(&long, width([long.as_str()])), "");
        assert_eq!(padding("ab", 70_000).len(), WIDEST - 2);
    }

    #[test]
    fn sizes_have_the_unit_that_fits() {
        let sizes = [0, 9_999, 10_240, 20 << 20].map(size);
        assert_eq!(sizes, ["0 B", "9,999 B", "10.0 KiB", "20.0 MiB"]);
    }
}
