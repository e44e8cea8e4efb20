//! A payload as protobuf JSON.

use base64::Engine;
use prost_reflect::{DynamicMessage, Kind, MapKey, ReflectMessage, Value};
use serde_json::{Map, Value as Json, json};

use super::{BASE64, BYTES, TYPE, from};
use crate::canonical;
use crate::schemas::Schemas;
use crate::show::key_text;
use crate::tree::ANY;

/// A payload, readable if that comes back byte for byte.
pub(super) fn payload(type_url: &str, bytes: &[u8], schemas: &Schemas, depth: u32) -> Json {
    readable(type_url, bytes, schemas, depth)
        .unwrap_or_else(|| json!({ TYPE: type_url, BYTES: BASE64.encode(bytes) }))
}

fn readable(type_url: &str, bytes: &[u8], schemas: &Schemas, depth: u32) -> Option<Json> {
    let descriptor = schemas.message(type_url)?;
    let message = DynamicMessage::decode(descriptor, bytes).ok()?;
    // Before the rest, which is work: unknown fields end here.
    if canonical::encode(&message) != bytes {
        return None;
    }
    let mut json = match is_well_known(&message) {
        true => Map::from_iter([("value".to_owned(), self::message(&message, schemas, depth)?)]),
        false => fields(&message, schemas, depth)?,
    };
    json.insert(TYPE.to_owned(), type_url.into());
    let json = Json::Object(json);
    // The payloads inside have proved it for themselves, but this is cheap beside a wrong answer.
    match from::payload(&json, schemas, "") {
        Ok((_, again)) if again == bytes => Some(json),
        _ => None,
    }
}

/// Whether protobuf JSON has a form of its own for it.
pub(super) fn is_well_known(message: &DynamicMessage) -> bool {
    message.descriptor().full_name().starts_with("google.protobuf.")
}

/// `None` if it cannot be said in JSON.
fn message(message: &DynamicMessage, schemas: &Schemas, depth: u32) -> Option<Json> {
    let depth = depth.checked_sub(1)?;
    if message.descriptor().full_name() == ANY {
        // What an Any has besides is not canonical, and ended above.
        let (type_url, value) = (message.get_field_by_number(1)?, message.get_field_by_number(2)?);
        return Some(payload(type_url.as_str()?, value.as_bytes()?, schemas, depth));
    }
    match is_well_known(message) {
        true => serde_json::to_value(message).ok(),
        false => fields(message, schemas, depth).map(Json::Object),
    }
}

fn fields(message: &DynamicMessage, schemas: &Schemas, depth: u32) -> Option<Map<String, Json>> {
    let mut json = Map::new();
    for (field, found) in message.fields() {
        let found = match found {
            Value::List(values) => {
                let depth = depth.checked_sub(1)?;
                let kind = field.kind();
                values.iter().map(|v| value(&kind, v, schemas, depth)).collect::<Option<_>>()?
            }
            Value::Map(entries) => {
                let depth = depth.checked_sub(1)?;
                let Kind::Message(entry) = field.kind() else { return None };
                let kind = entry.map_entry_value_field().kind();
                let entries = entries.iter().map(|(key, found): (&MapKey, _)| {
                    Some((key_text(key), value(&kind, found, schemas, depth)?))
                });
                Json::Object(entries.collect::<Option<_>>()?)
            }
            found => value(&field.kind(), found, schemas, depth)?,
        };
        json.insert(field.json_name().to_owned(), found);
    }
    Some(json)
}

fn value(kind: &Kind, found: &Value, schemas: &Schemas, depth: u32) -> Option<Json> {
    Some(match found {
        Value::Bool(b) => (*b).into(),
        Value::I32(n) => (*n).into(),
        Value::U32(n) => (*n).into(),
        // Protobuf JSON has them as text: JavaScript would round them.
        Value::I64(n) => n.to_string().into(),
        Value::U64(n) => n.to_string().into(),
        Value::F32(n) => float(f64::from(*n)),
        Value::F64(n) => float(*n),
        Value::String(text) => text.as_str().into(),
        Value::Bytes(bytes) => BASE64.encode(bytes).into(),
        Value::EnumNumber(n) => {
            let Kind::Enum(descriptor) = kind else { return None };
            descriptor.get_value(*n).map_or_else(|| (*n).into(), |value| value.name().into())
        }
        Value::Message(inner) => message(inner, schemas, depth)?,
        // Neither is one value.
        Value::List(_) | Value::Map(_) => return None,
    })
}

fn float(number: f64) -> Json {
    match number {
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        n if n.is_nan() => "NaN".into(),
        n => n.into(),
    }
}
