//! Finds the fields in which two messages of a type differ.

use crate::schema::ValueKind;

use super::places::{Places, number};
use super::report::hex;
use super::shape::FieldInfo;
use super::tree::{TreeMessage, Value};

/// A field with different values.
#[derive(Debug)]
pub(super) struct FieldDifference {
    /// The names by which a user can refer to the field, its path first.
    pub(super) names: [String; 2],
    pub(super) read: String,
    pub(super) written: String,
}

/// The innermost fields with different values.
pub(super) fn differences(
    places: &Places,
    read: &TreeMessage,
    written: &TreeMessage,
) -> Vec<FieldDifference> {
    let mut found = Vec::new();
    compare(places, read, written, &mut found);
    found
}

fn compare(
    places: &Places,
    read: &TreeMessage,
    written: &TreeMessage,
    found: &mut Vec<FieldDifference>,
) {
    for info in read.shape.fields() {
        let (a, b) = (read.values(info.number), written.values(info.number));
        let bytes =
            |values: &[Value]| -> Vec<Vec<u8>> { values.iter().map(Value::bytes).collect() };
        if bytes(&a) == bytes(&b) {
            continue;
        }
        let pairs: Vec<_> = a.iter().zip(&b).filter_map(both_messages).collect();
        if a.len() == b.len() && pairs.len() == a.len() {
            for (a, b) in pairs {
                compare(places, a, b, found);
            }
            continue;
        }
        found.push(FieldDifference {
            names: places.names(read.place, info.name),
            read: show(&a, &info),
            written: show(&b, &info),
        });
    }
}

fn both_messages<'a>((a, b): (&'a Value, &'a Value)) -> Option<(&'a TreeMessage, &'a TreeMessage)> {
    match (a, b) {
        (Value::Message(a), Value::Message(b)) if a.place == b.place => Some((a, b)),
        _ => None,
    }
}

/// Describes the values of a field.
pub(super) fn show(values: &[Value], info: &FieldInfo) -> String {
    match values {
        [] => "nothing".to_owned(),
        [value] => show_value(value, info),
        values => {
            let shown: Vec<_> =
                values.iter().take(6).map(|value| show_value(value, info)).collect();
            let more = if values.len() > 6 { ", ..." } else { "" };
            format!("[{}{more}]", shown.join(", "))
        }
    }
}

fn show_value(value: &Value, info: &FieldInfo) -> String {
    match (value, info.scalar()) {
        (Value::Bytes(bytes), _) => match std::str::from_utf8(bytes) {
            Ok(text) if text.len() <= 80 && !text.contains(char::is_control) => format!("{text:?}"),
            _ => hex(bytes),
        },
        (Value::Fixed64(bits), Some(ValueKind::Double)) => f64::from_bits(*bits).to_string(),
        (Value::Fixed32(bits), Some(ValueKind::Float)) => f32::from_bits(*bits).to_string(),
        (Value::Varint(_) | Value::Fixed64(_) | Value::Fixed32(_), Some(kind)) => {
            number(value, kind).to_string()
        }
        (Value::Message(message), _) => format!("a message ({})", hex(&message.encode())),
        (value, _) => hex(&value.bytes()),
    }
}
