//! The messages with special forms in protobuf JSON.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::Value as Json;

use super::number::double;
use super::parse::{self, Node, Way, Wrong};
use crate::canonical;
use crate::tree::ANY;

/// The enum with the only value `null`.
pub(super) const NULL: &str = "google.protobuf.NullValue";

/// The form of a message in JSON.
pub(super) enum JsonForm {
    /// An object with its fields.
    Fields,
    /// The payload in an `Any`.
    Payload,
    /// The value of its only field.
    Wrapper(FieldDescriptor),
    /// A string: a time, a duration, a field mask.
    Text,
    /// The JSON that the message contains.
    Json,
}

impl JsonForm {
    pub(super) fn of(descriptor: &MessageDescriptor) -> Self {
        match descriptor.full_name() {
            ANY => Self::Payload,
            "google.protobuf.Timestamp"
            | "google.protobuf.Duration"
            | "google.protobuf.FieldMask" => Self::Text,
            "google.protobuf.Struct" | "google.protobuf.Value" | "google.protobuf.ListValue" => {
                Self::Json
            }
            "google.protobuf.BoolValue"
            | "google.protobuf.BytesValue"
            | "google.protobuf.DoubleValue"
            | "google.protobuf.FloatValue"
            | "google.protobuf.Int32Value"
            | "google.protobuf.Int64Value"
            | "google.protobuf.StringValue"
            | "google.protobuf.UInt32Value"
            | "google.protobuf.UInt64Value" => {
                descriptor.get_field(1).map_or(Self::Fields, Self::Wrapper)
            }
            _ => Self::Fields,
        }
    }
}

/// Whether `null` is a value of the field, and not its absence.
pub(super) fn has_null(field: &FieldDescriptor) -> bool {
    match field.kind() {
        _ if field.is_list() || field.is_map() => false,
        Kind::Message(message) => message.full_name() == "google.protobuf.Value",
        Kind::Enum(kind) => kind.full_name() == NULL,
        _ => false,
    }
}

/// Reads a message in the form of a string, or of the JSON that it contains.
///
/// # Errors
///
/// If the JSON has another form, or if a string would not come back unchanged.
pub(super) fn read(
    descriptor: MessageDescriptor,
    json: &Node,
    way: &Way<'_>,
) -> Result<DynamicMessage, Wrong> {
    let name = descriptor.full_name().to_owned();
    let plain = plain(json, way)?;
    let message = DynamicMessage::deserialize(descriptor, &plain)
        .map_err(|error| Wrong::new(json, way, format!("not a {name}: {error}")))?;
    if let parse::Value::Text(text) = &json.value
        && !name.ends_with("Value")
    {
        let again = serde_json::to_value(&message).ok();
        let again = again.as_ref().and_then(Json::as_str);
        if !again.is_some_and(|again| is_same(text, again)) {
            let written = again.map_or_else(String::new, |again| format!(": write {again:?}"));
            return Err(Wrong::new(json, way, format!("would not come back unchanged{written}")));
        }
    }
    Ok(message)
}

/// Whether two texts of times or durations are equal, except for trailing zeros of a fraction and the zone
/// of a time, which is written as UTC.
fn is_same(given: &str, again: &str) -> bool {
    fn trimmed(text: &str) -> Option<(&str, &str, &str)> {
        let (whole, rest) = match text.split_once('.') {
            Some((whole, rest)) => (whole, rest),
            None => {
                let end = text.find(['Z', 's']).unwrap_or(text.len());
                return Some((&text[..end], "", &text[end..]));
            }
        };
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        // A point without digits is not valid.
        (end > 0).then_some((whole, rest[..end].trim_end_matches('0'), &rest[end..]))
    }
    let zone = given.len() >= 6
        && given.as_bytes()[given.len() - 3] == b':'
        && given.contains('T')
        && !given.ends_with('Z');
    match zone {
        // The reader has already compared the instants, except for the seconds: it reads a leap second as
        // another one, and truncates a fraction. A zone shifts a time by whole minutes.
        true => {
            fn seconds<'a>(text: &'a str, zone: &str) -> Option<(&'a str, &'a str)> {
                let end = text.len().checked_sub(zone.len())?;
                let text = text.get("2020-01-01T00:00:".len()..end)?;
                let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
                Some((whole, fraction.trim_end_matches('0')))
            }
            seconds(given, "+00:00") == seconds(again, "Z")
        }
        false => given == again || trimmed(given).is_some_and(|a| trimmed(again) == Some(a)),
    }
}

/// Converts JSON for a message that contains JSON. Its numbers are `double`s.
fn plain(json: &Node, way: &Way<'_>) -> Result<Json, Wrong> {
    Ok(match &json.value {
        parse::Value::Null => Json::Null,
        parse::Value::Bool(it) => Json::Bool(*it),
        parse::Value::Text(text) => Json::String(text.clone()),
        parse::Value::Number(digits) => {
            let number = double(digits).map_err(|reason| Wrong::new(json, way, reason))?;
            Json::from(number)
        }
        parse::Value::List(elements) => {
            let elements = elements.iter().enumerate();
            let elements = elements.map(|(index, json)| plain(json, &way.index(index)));
            Json::Array(elements.collect::<Result<_, _>>()?)
        }
        parse::Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, json)| Ok((name.clone(), plain(json, &way.member(name))?)));
            Json::Object(members.collect::<Result<_, Wrong>>()?)
        }
    })
}

/// Returns the JSON of such a message, or `None` if it is nested deeper than `depth` or does not come back.
pub(super) fn write(message: &DynamicMessage, depth: u32) -> Option<Json> {
    use prost_reflect::ReflectMessage;
    let json = serde_json::to_value(message).ok()?;
    if nesting(&json) > depth {
        return None;
    }
    let again = DynamicMessage::deserialize(message.descriptor(), &json).ok()?;
    (canonical::encode(&again) == canonical::encode(message)).then_some(json)
}

fn nesting(json: &Json) -> u32 {
    match json {
        Json::Array(elements) => 1 + elements.iter().map(nesting).max().unwrap_or(0),
        Json::Object(members) => 1 + members.values().map(nesting).max().unwrap_or(0),
        _ => 0,
    }
}
