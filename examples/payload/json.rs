//! `payload json`: a file as protobuf JSON.

use std::io::{self, Write};
use std::path::Path;

use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value;
use snapshot_core::Escaped;
use snapshot_proto::FILE_DESCRIPTOR_SET;

use crate::format::Format;
use crate::input::{accept, refused};

/// Prints a file if it is valid. Returns whether it is.
pub(crate) fn run(format: Format, file: &Path) -> io::Result<bool> {
    let json = accept(format, file).and_then(|accepted| to_json(format, &accepted.bytes));
    match json {
        Ok(json) => {
            let mut out = io::stdout().lock();
            writeln!(out, "{}", escaped(&serde_json::to_string_pretty(&json)?))?;
            out.flush()?;
            Ok(true)
        }
        Err(reason) => {
            writeln!(io::stderr(), "{}", refused(file, &reason))?;
            Ok(false)
        }
    }
}

/// Returns the JSON of a valid payload. The members of objects are sorted by name, so that the same
/// bytes always give the same text.
fn to_json(format: Format, bytes: &[u8]) -> Result<Value, String> {
    let not_shown = |reason: String| format!("cannot be shown as JSON: {reason}");
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).map_err(|e| not_shown(e.to_string()))?;
    let name = format.message_name();
    let descriptor = pool
        .get_message_by_name(name)
        .ok_or_else(|| not_shown(format!("there is no message {name}")))?;
    let message =
        DynamicMessage::decode(descriptor, bytes).map_err(|e| not_shown(e.to_string()))?;
    serde_json::to_value(&message).map_err(|e| not_shown(e.to_string()))
}

/// Escapes characters that would control a terminal, as JSON allows. Outside of strings, JSON has only line ends.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '\n' => text.push(character),
            _ if Escaped::escapes(character) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_shows_no_character_that_a_terminal_acts_on_and_reads_the_same() {
        let value = serde_json::json!({ "\u{9b}\u{e0041}": ["a\n\u{202e}b\u{7f}", "größe"] });
        let text = escaped(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!text.chars().any(|c| c != '\n' && Escaped::escapes(c)), "{text:?}");
        assert!(text.contains("größe") && text.contains("\\u202e"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
