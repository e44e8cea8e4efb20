//! Converts a payload to protobuf JSON.

use base64::Engine;
use bytes::Bytes;
use prost_reflect::{DynamicMessage, Kind, MapKey, ReflectMessage, Value};
use serde_json::{Map, Value as Json, json};

use super::well_known::{self, JsonForm};
use super::{BASE64, BYTES, TYPE};
use crate::canonical;
use crate::fields::{key_text, present};
use crate::schemas::Schemas;

/// Converts a payload, to readable JSON if that comes back byte for byte.
pub(super) fn payload(type_url: &str, bytes: &Bytes, schemas: &Schemas, depth: u32) -> Json {
    readable(type_url, bytes, schemas, depth)
        .unwrap_or_else(|| json!({ TYPE: type_url, BYTES: BASE64.encode(bytes) }))
}

/// Checks only this payload: the nested payloads were checked before.
fn readable(type_url: &str, bytes: &Bytes, schemas: &Schemas, depth: u32) -> Option<Json> {
    let descriptor = schemas.message(type_url)?;
    let message = DynamicMessage::decode(descriptor, bytes.clone()).ok()?;
    // Payloads with unknown fields or unusual encodings end here.
    if !canonical::is_encoding_of(bytes, &message) {
        return None;
    }
    let mut json = match JsonForm::of(&message.descriptor()) {
        JsonForm::Fields => fields(&message, schemas, depth)?,
        _ => Map::from_iter([("value".to_owned(), self::message(&message, schemas, depth)?)]),
    };
    json.insert(TYPE.to_owned(), type_url.into());
    Some(Json::Object(json))
}

/// Returns `None` if JSON cannot represent the message.
fn message(message: &DynamicMessage, schemas: &Schemas, depth: u32) -> Option<Json> {
    let depth = depth.checked_sub(1)?;
    match JsonForm::of(&message.descriptor()) {
        JsonForm::Fields => fields(message, schemas, depth).map(Json::Object),
        JsonForm::Payload => {
            // Any other field of an `Any` is not canonical, and ended above.
            let (type_url, value) =
                (message.get_field_by_number(1)?, message.get_field_by_number(2)?);
            Some(payload(type_url.as_str()?, value.as_bytes()?, schemas, depth))
        }
        JsonForm::Wrapper(field) => {
            value(&field.kind(), message.get_field(&field).as_ref(), schemas, depth)
        }
        JsonForm::Text | JsonForm::Json => well_known::write(message, depth),
    }
}

fn fields(message: &DynamicMessage, schemas: &Schemas, depth: u32) -> Option<Map<String, Json>> {
    let descriptor = message.descriptor();
    let mut json = Map::new();
    for (field, found) in present(message) {
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
        // The name must be unique to this field; a descriptor may be ambiguous.
        let name = field.json_name();
        if descriptor.get_field_by_json_name(name).as_ref() != Some(&field)
            || name == TYPE
            || name == BYTES
            || json.insert(name.to_owned(), found).is_some()
        {
            return None;
        }
    }
    Some(json)
}

fn value(kind: &Kind, found: &Value, schemas: &Schemas, depth: u32) -> Option<Json> {
    Some(match found {
        Value::Bool(b) => (*b).into(),
        Value::I32(n) => (*n).into(),
        Value::U32(n) => (*n).into(),
        // Protobuf JSON writes them as text, because JavaScript would round them.
        Value::I64(n) => n.to_string().into(),
        Value::U64(n) => n.to_string().into(),
        // JSON has one NaN.
        Value::F32(n) if n.is_nan() && n.to_bits() != f32::NAN.to_bits() => return None,
        Value::F64(n) if n.is_nan() && n.to_bits() != f64::NAN.to_bits() => return None,
        // The shortest text of the `float`; `f64::from` would make it longer.
        Value::F32(n) => float(n.to_string().parse().ok()?),
        Value::F64(n) => float(*n),
        Value::String(text) => text.as_str().into(),
        Value::Bytes(bytes) => BASE64.encode(bytes).into(),
        Value::EnumNumber(n) => {
            let Kind::Enum(descriptor) = kind else { return None };
            descriptor.get_value(*n).map_or_else(|| (*n).into(), |value| value.name().into())
        }
        Value::Message(inner) => message(inner, schemas, depth)?,
        // Lists and maps are not single values.
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
