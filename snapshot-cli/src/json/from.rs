//! Reads a payload from protobuf JSON, and refuses JSON that the payload would not reproduce.

use std::collections::HashMap;

use base64::Engine;
use bytes::Bytes;
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MapKey, MessageDescriptor, Syntax, Value,
};

use super::number::{double, integer, single};
use super::parse::{self, Node, Way, Wrong};
use super::well_known::{self, JsonForm};
use super::{BASE64, BYTES, TYPE};
use crate::canonical;
use crate::schemas::Schemas;
use crate::show::quoted;

/// Returns the type URL and the bytes of a payload. `way` is its place in the JSON.
///
/// # Errors
///
/// The first problem, with its place.
pub(super) fn payload(
    json: &Node,
    schemas: &Schemas,
    way: &Way<'_>,
) -> Result<(String, Vec<u8>), Wrong> {
    let members = object(json, way)?;
    let member =
        |wanted: &str| members.iter().find(|(name, _)| name == wanted).map(|(_, node)| node);
    let type_url = match member(TYPE).map(|node| &node.value) {
        Some(parse::Value::Text(type_url)) => type_url.clone(),
        _ => return Err(Wrong::new(json, way, format!("has no \"{TYPE}\" with a type URL"))),
    };
    let only =
        |allowed: &str| match members.iter().find(|(name, _)| name != TYPE && name != allowed) {
            Some((name, node)) => {
                let reason =
                    format!("cannot be used with \"{allowed}\", which has the whole payload");
                Err(Wrong::new(node, &way.member(name), reason))
            }
            None => Ok(()),
        };
    if let Some(bytes) = member(BYTES) {
        only(BYTES)?;
        return Ok((type_url, base64(bytes, &way.member(BYTES))?));
    }
    let descriptor = schemas.message(&type_url).ok_or_else(|| {
        let type_url = quoted(&type_url);
        let reason = format!("type URL {type_url} is not known: add its --descriptors");
        Wrong::new(json, way, reason)
    })?;
    let message = match JsonForm::of(&descriptor) {
        JsonForm::Fields => fields(descriptor, members, schemas, way, true)?,
        _ => {
            let value = member("value").ok_or_else(|| Wrong::new(json, way, "has no \"value\""))?;
            only("value")?;
            message(descriptor, value, schemas, &way.member("value"))?
        }
    };
    Ok((type_url, canonical::encode(&message)))
}

/// Reads bytes in base64.
pub(super) fn base64(json: &Node, way: &Way<'_>) -> Result<Vec<u8>, Wrong> {
    let parse::Value::Text(text) = &json.value else {
        return Err(Wrong::new(json, way, "expected base64 in a string"));
    };
    BASE64.decode(text).map_err(|error| Wrong::new(json, way, format!("not base64: {error}")))
}

fn message(
    descriptor: MessageDescriptor,
    json: &Node,
    schemas: &Schemas,
    way: &Way<'_>,
) -> Result<DynamicMessage, Wrong> {
    match JsonForm::of(&descriptor) {
        JsonForm::Fields => fields(descriptor, object(json, way)?, schemas, way, false),
        JsonForm::Payload => {
            let (type_url, value) = payload(json, schemas, way)?;
            let mut any = DynamicMessage::new(descriptor);
            any.set_field_by_number(1, Value::String(type_url));
            any.set_field_by_number(2, Value::Bytes(value.into()));
            Ok(any)
        }
        JsonForm::Wrapper(field) => {
            let mut wrapper = DynamicMessage::new(descriptor);
            let value = value(&field.kind(), json, schemas, way)?;
            wrapper.set_field(&field, value);
            Ok(wrapper)
        }
        JsonForm::Text | JsonForm::Json => well_known::read(descriptor, json, way),
    }
}

fn fields(
    descriptor: MessageDescriptor,
    members: &[(String, Node)],
    schemas: &Schemas,
    way: &Way<'_>,
    is_payload: bool,
) -> Result<DynamicMessage, Wrong> {
    let mut message = DynamicMessage::new(descriptor.clone());
    // The used name of a field by its number, and the used member by the name of its oneof.
    let mut met: HashMap<u32, &str> = HashMap::new();
    let mut chosen: HashMap<String, &str> = HashMap::new();
    let members = members.iter().filter(|(name, _)| !(is_payload && name == TYPE));
    for (name, json) in members {
        let way = way.member(name);
        let by_name = || descriptor.get_field_by_name(name);
        let field = descriptor.get_field_by_json_name(name).or_else(by_name).ok_or_else(|| {
            Wrong::new(json, &way, format!("{} has no such field", descriptor.full_name()))
        })?;
        if let Some(other) = met.insert(field.number(), name) {
            let reason = format!("also occurs under its other name, {other}: remove one of them");
            return Err(Wrong::new(json, &way, reason));
        }
        if matches!(json.value, parse::Value::Null) && !well_known::has_null(&field) {
            continue;
        }
        if let Some(oneof) = field.containing_oneof()
            && let Some(other) = chosen.insert(oneof.name().to_owned(), name)
        {
            let reason = format!(
                "is in oneof {} with {other}, which is also present: remove one of them",
                oneof.name()
            );
            return Err(Wrong::new(json, &way, reason));
        }
        if field.is_group() {
            let reason =
                format!("is a group, which cannot be written: give the payload as \"{BYTES}\"");
            return Err(Wrong::new(json, &way, reason));
        }
        let value = field_value(&field, json, schemas, &way)?;
        let set = message.try_set_field(&field, value);
        set.map_err(|error| Wrong::new(json, &way, error))?;
    }
    Ok(message)
}

fn field_value(
    field: &FieldDescriptor,
    json: &Node,
    schemas: &Schemas,
    way: &Way<'_>,
) -> Result<Value, Wrong> {
    if let (true, Kind::Message(entry)) = (field.is_map(), field.kind()) {
        let (keys, values) =
            (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
        let entries = object(json, way)?.iter().map(|(name, json)| {
            let way = way.key(name);
            let key = key(&keys, name).ok_or_else(|| {
                let kind = kind_name(&keys);
                Wrong::new(json, &way, format!("not a key of type {kind} in canonical form"))
            })?;
            Ok((key, value(&values, json, schemas, &way)?))
        });
        return entries.collect::<Result<_, Wrong>>().map(Value::Map);
    }
    if field.is_list() {
        let parse::Value::List(elements) = &json.value else {
            return Err(Wrong::new(json, way, "expected an array"));
        };
        let kind = field.kind();
        let elements = elements
            .iter()
            .enumerate()
            .map(|(index, json)| value(&kind, json, schemas, &way.index(index)));
        return elements.collect::<Result<_, _>>().map(Value::List);
    }
    value(&field.kind(), json, schemas, way)
}

/// Reads a key in its canonical form: with other forms, two members could be one entry.
fn key(kind: &Kind, text: &str) -> Option<MapKey> {
    let key = match kind {
        Kind::Bool => MapKey::Bool(text.parse().ok()?),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => MapKey::I32(text.parse().ok()?),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => MapKey::I64(text.parse().ok()?),
        Kind::Uint32 | Kind::Fixed32 => MapKey::U32(text.parse().ok()?),
        Kind::Uint64 | Kind::Fixed64 => MapKey::U64(text.parse().ok()?),
        Kind::String => MapKey::String(text.to_owned()),
        _ => return None,
    };
    (crate::fields::key_text(&key) == text).then_some(key)
}

fn kind_name(kind: &Kind) -> String {
    format!("{kind:?}").to_ascii_lowercase()
}

fn value(kind: &Kind, json: &Node, schemas: &Schemas, way: &Way<'_>) -> Result<Value, Wrong> {
    let expected = |what: &str| Wrong::new(json, way, format!("expected {what}"));
    let wrong = |reason: String| Wrong::new(json, way, reason);
    // A number, or a number as text.
    let digits = |what: &str| match &json.value {
        parse::Value::Number(digits) | parse::Value::Text(digits) => Ok(digits.as_str()),
        _ => Err(expected(what)),
    };
    Ok(match kind {
        Kind::Bool => match json.value {
            parse::Value::Bool(it) => Value::Bool(it),
            _ => return Err(expected("true or false")),
        },
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            let what = "a number of 32 bits";
            Value::I32(integer(digits(what)?, what).map_err(wrong)?)
        }
        Kind::Uint32 | Kind::Fixed32 => {
            let what = "a non-negative number of 32 bits";
            Value::U32(integer(digits(what)?, what).map_err(wrong)?)
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            let what = "a number of 64 bits";
            Value::I64(integer(digits(what)?, what).map_err(wrong)?)
        }
        Kind::Uint64 | Kind::Fixed64 => {
            let what = "a non-negative number of 64 bits";
            Value::U64(integer(digits(what)?, what).map_err(wrong)?)
        }
        Kind::Float => Value::F32(single(digits("a number")?).map_err(wrong)?),
        Kind::Double => Value::F64(double(digits("a number")?).map_err(wrong)?),
        Kind::String => match &json.value {
            parse::Value::Text(text) => Value::String(text.clone()),
            _ => return Err(expected("a string")),
        },
        Kind::Bytes => Value::Bytes(Bytes::from(base64(json, way)?)),
        Kind::Enum(descriptor) => Value::EnumNumber(enum_number(descriptor, json, way)?),
        Kind::Message(descriptor) => {
            Value::Message(message(descriptor.clone(), json, schemas, way)?)
        }
    })
}

fn enum_number(descriptor: &EnumDescriptor, json: &Node, way: &Way<'_>) -> Result<i32, Wrong> {
    let wrong = |reason: String| Wrong::new(json, way, reason);
    let name = descriptor.full_name();
    match &json.value {
        parse::Value::Text(text) => match descriptor.get_value_by_name(text) {
            Some(value) => Ok(value.number()),
            None => Err(wrong(format!("expected a value of {name}, by its name or its number"))),
        },
        parse::Value::Number(digits) => {
            let number = integer(digits, "the number of a value").map_err(wrong)?;
            // In proto2, a message has such a number among its unknown fields.
            let is_closed = descriptor.parent_file().syntax() == Syntax::Proto2;
            match is_closed && descriptor.get_value(number).is_none() {
                true => Err(wrong(format!("{number} is not a value of {name}"))),
                false => Ok(number),
            }
        }
        parse::Value::Null if name == well_known::NULL => Ok(0),
        _ => Err(wrong("expected the name of a value, or its number".to_owned())),
    }
}

fn object<'a>(json: &'a Node, way: &Way<'_>) -> Result<&'a [(String, Node)], Wrong> {
    match &json.value {
        parse::Value::Object(members) => Ok(members),
        _ => Err(Wrong::new(json, way, "expected an object")),
    }
}
