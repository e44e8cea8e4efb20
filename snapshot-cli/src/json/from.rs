//! A payload from protobuf JSON.

use base64::Engine;
use bytes::Bytes;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};
use serde_json::{Map, Value as Json};
use snapshot_core::Error;

use super::{BASE64, BYTES, TYPE};
use crate::canonical;
use crate::schemas::Schemas;
use crate::tree::ANY;

/// The type URL and the bytes of a payload. `path` is where it stands.
///
/// # Errors
///
/// The first thing that is wrong, with its path.
pub(super) fn payload(
    json: &Json,
    schemas: &Schemas,
    path: &str,
) -> Result<(String, Vec<u8>), Error> {
    let object = object(json, path)?;
    let type_url = match object.get(TYPE) {
        Some(Json::String(type_url)) => type_url.clone(),
        _ => return Err(wrong(path, format!("has no \"{TYPE}\" with a type URL"))),
    };
    if let Some(bytes) = object.get(BYTES) {
        if object.len() > 2 {
            return Err(wrong(path, format!("has members beside \"{BYTES}\"")));
        }
        return Ok((type_url, base64(bytes, &format!("{path}.{BYTES}"))?));
    }
    let descriptor = schemas.message(&type_url).ok_or_else(|| {
        let reason = format!("type URL {type_url:?} is not known: give its --descriptors");
        wrong(path, reason)
    })?;
    let message = match descriptor.full_name().starts_with("google.protobuf.") {
        true => match object.get("value") {
            Some(value) => message(descriptor, value, schemas, path)?,
            None => return Err(wrong(path, "has no \"value\"")),
        },
        false => fields(descriptor, object, schemas, path)?,
    };
    Ok((type_url, canonical::encode(&message)))
}

/// Bytes in base64.
pub(super) fn base64(json: &Json, path: &str) -> Result<Vec<u8>, Error> {
    let text = json.as_str().ok_or_else(|| wrong(path, "expected base64 in a string"))?;
    BASE64.decode(text).map_err(|error| wrong(path, format!("not base64: {error}")))
}

fn message(
    descriptor: MessageDescriptor,
    json: &Json,
    schemas: &Schemas,
    path: &str,
) -> Result<DynamicMessage, Error> {
    if descriptor.full_name() == ANY {
        let (type_url, value) = payload(json, schemas, path)?;
        let mut any = DynamicMessage::new(descriptor);
        any.set_field_by_number(1, Value::String(type_url));
        any.set_field_by_number(2, Value::Bytes(value.into()));
        return Ok(any);
    }
    match descriptor.full_name().starts_with("google.protobuf.") {
        true => DynamicMessage::deserialize(descriptor, json)
            .map_err(|error| wrong(path, error.to_string())),
        false => fields(descriptor, object(json, path)?, schemas, path),
    }
}

fn fields(
    descriptor: MessageDescriptor,
    object: &Map<String, Json>,
    schemas: &Schemas,
    path: &str,
) -> Result<DynamicMessage, Error> {
    let mut message = DynamicMessage::new(descriptor.clone());
    for (name, json) in object.iter().filter(|(name, _)| *name != TYPE) {
        let path = format!("{path}.{name}");
        let by_name = || descriptor.get_field_by_name(name);
        let field = descriptor
            .get_field_by_json_name(name)
            .or_else(by_name)
            .ok_or_else(|| wrong(&path, format!("{} has no such field", descriptor.full_name())))?;
        if message.has_field(&field) {
            return Err(wrong(&path, "is there under its other name too"));
        }
        if !json.is_null() {
            let value = field_value(&field, json, schemas, &path)?;
            message.try_set_field(&field, value).map_err(|e| wrong(&path, e.to_string()))?;
        }
    }
    Ok(message)
}

fn field_value(
    field: &FieldDescriptor,
    json: &Json,
    schemas: &Schemas,
    path: &str,
) -> Result<Value, Error> {
    if let (true, Kind::Message(entry)) = (field.is_map(), field.kind()) {
        let (keys, values) =
            (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
        let entries = object(json, path)?.iter().map(|(name, json)| {
            let path = format!("{path}[{name:?}]");
            let key = key(&keys, name)
                .ok_or_else(|| wrong(&path, format!("not a key of type {keys:?}")))?;
            Ok((key, value(&values, json, schemas, &path)?))
        });
        return entries.collect::<Result<_, Error>>().map(Value::Map);
    }
    if field.is_list() {
        let elements = json.as_array().ok_or_else(|| wrong(path, "expected an array"))?;
        let kind = field.kind();
        let elements = elements
            .iter()
            .enumerate()
            .map(|(index, json)| value(&kind, json, schemas, &format!("{path}[{index}]")));
        return elements.collect::<Result<_, _>>().map(Value::List);
    }
    value(&field.kind(), json, schemas, path)
}

fn key(kind: &Kind, text: &str) -> Option<MapKey> {
    Some(match kind {
        Kind::Bool => MapKey::Bool(text.parse().ok()?),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => MapKey::I32(text.parse().ok()?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => MapKey::I64(text.parse().ok()?),
        Kind::Uint32 | Kind::Fixed32 => MapKey::U32(text.parse().ok()?),
        Kind::Uint64 | Kind::Fixed64 => MapKey::U64(text.parse().ok()?),
        Kind::String => MapKey::String(text.to_owned()),
        _ => return None,
    })
}

fn value(kind: &Kind, json: &Json, schemas: &Schemas, path: &str) -> Result<Value, Error> {
    let expected = |what: &str| wrong(path, format!("expected {what}"));
    Ok(match kind {
        Kind::Bool => Value::Bool(json.as_bool().ok_or_else(|| expected("true or false"))?),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            Value::I32(number(json).ok_or_else(|| expected("a number of 32 bits"))?)
        }
        Kind::Uint32 | Kind::Fixed32 => {
            Value::U32(number(json).ok_or_else(|| expected("a number of 32 bits, not negative"))?)
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            Value::I64(number(json).ok_or_else(|| expected("a number of 64 bits"))?)
        }
        Kind::Uint64 | Kind::Fixed64 => {
            Value::U64(number(json).ok_or_else(|| expected("a number of 64 bits, not negative"))?)
        }
        Kind::Float => Value::F32(float(json).ok_or_else(|| expected("a number"))? as f32),
        Kind::Double => Value::F64(float(json).ok_or_else(|| expected("a number"))?),
        Kind::String => {
            Value::String(json.as_str().ok_or_else(|| expected("a string"))?.to_owned())
        }
        Kind::Bytes => Value::Bytes(Bytes::from(base64(json, path)?)),
        Kind::Enum(descriptor) => Value::EnumNumber(match json {
            Json::String(name) => match descriptor.get_value_by_name(name) {
                Some(value) => value.number(),
                None => {
                    return Err(expected(&format!("a value of {}", descriptor.full_name())));
                }
            },
            json => number(json).ok_or_else(|| expected("the name of a value, or its number"))?,
        }),
        Kind::Message(descriptor) => {
            Value::Message(message(descriptor.clone(), json, schemas, path)?)
        }
    })
}

/// A whole number, as such or as text.
fn number<T: TryFrom<i128>>(json: &Json) -> Option<T> {
    let number: i128 = match json {
        Json::String(text) => text.parse().ok()?,
        Json::Number(number) => match number.as_u64() {
            Some(number) => number.into(),
            None => number.as_i64()?.into(),
        },
        _ => return None,
    };
    T::try_from(number).ok()
}

fn float(json: &Json) -> Option<f64> {
    match json {
        Json::String(text) => match text.as_str() {
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            "NaN" => Some(f64::NAN),
            text => text.parse().ok(),
        },
        json => json.as_f64(),
    }
}

fn object<'a>(json: &'a Json, path: &str) -> Result<&'a Map<String, Json>, Error> {
    json.as_object().ok_or_else(|| wrong(path, "expected an object"))
}

fn wrong(path: &str, reason: impl AsRef<str>) -> Error {
    Error::invalid(format!("{path}: {}", reason.as_ref()))
}
