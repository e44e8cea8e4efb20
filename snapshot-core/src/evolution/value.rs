//! One value on the wire, as it is judged and shown.

use std::fmt;

use super::version_schema::KindParts;
use crate::codec::{Quoted, Reader};
use crate::error::{Error, plural};
use crate::schema::ValueKind;
use crate::wire::v1::manifest::Field;

/// One value on the wire.
pub(super) enum Found<'a> {
    Int(i128),
    Float(f64),
    Bytes(&'a [u8]),
    /// A message, which is judged separately.
    Message,
    /// A payload with this type URL, which was judged by itself.
    Payload(String),
}

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Int(number) => number.fmt(f),
            Found::Float(number) => write!(f, "{number:?}"),
            Found::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Quoted(text).fmt(f),
                Err(_) => write!(f, "{} byte{}", bytes.len(), plural(bytes.len())),
            },
            Found::Message => f.write_str("a message"),
            Found::Payload(type_url) => write!(f, "a payload of type {}", Quoted(type_url)),
        }
    }
}

/// Reads a value that is not a message.
pub(super) fn scalar<'a>(kind: ValueKind, r: &mut Reader<'a>) -> Result<Found<'a>, Error> {
    Ok(match kind {
        ValueKind::Double => Found::Float(f64::from_bits(r.fixed64()?)),
        // Converted through its text, so that it compares with the bounds as they are written.
        ValueKind::Float => {
            let float = f32::from_bits(r.fixed32()?);
            Found::Float(float.to_string().parse().unwrap_or(float.into()))
        }
        ValueKind::Int32 | ValueKind::Int64 | ValueKind::Enum(_) => {
            Found::Int((r.varint()? as i64).into())
        }
        ValueKind::Uint32 | ValueKind::Uint64 | ValueKind::Bool => Found::Int(r.varint()?.into()),
        ValueKind::Sint32 | ValueKind::Sint64 => {
            let value = r.varint()?;
            Found::Int(((value >> 1) as i64 ^ -((value & 1) as i64)).into())
        }
        ValueKind::Fixed32 => Found::Int(r.fixed32()?.into()),
        ValueKind::Fixed64 => Found::Int(r.fixed64()?.into()),
        ValueKind::Sfixed32 => Found::Int((r.fixed32()? as i32).into()),
        ValueKind::Sfixed64 => Found::Int((r.fixed64()? as i64).into()),
        ValueKind::String | ValueKind::Bytes => Found::Bytes(r.bytes()?),
        ValueKind::Message(_) => {
            r.bytes()?;
            Found::Message
        }
    })
}

/// Returns the value of a field without presence that is not on the wire.
pub(super) fn default_of(kind: ValueKind) -> Option<Found<'static>> {
    match kind {
        ValueKind::Double | ValueKind::Float => Some(Found::Float(0.0)),
        ValueKind::String | ValueKind::Bytes => Some(Found::Bytes(&[])),
        ValueKind::Message(_) => None,
        _ => Some(Found::Int(0)),
    }
}

/// Returns the text for the value in a field's bytes, if it is one number or text.
pub(super) fn shown(field: &Field, bytes: &[u8]) -> Option<String> {
    let shape = KindParts::of(&field.kind);
    let kind = kind_of(shape.value).filter(|_| matches!(shape.label, "" | "optional"))?;
    let mut r = Reader::new(bytes);
    r.tag().ok()??;
    let found = scalar(kind, &mut r).ok()?;
    (r.remaining() == 0).then(|| found.to_string())
}

/// Returns the scalar kind with this name in a `.proto` file.
fn kind_of(name: &str) -> Option<ValueKind> {
    use ValueKind::*;
    let all = [
        Double, Float, Int32, Int64, Uint32, Uint64, Sint32, Sint64, Fixed32, Fixed64, Sfixed32,
        Sfixed64, Bool, String, Bytes,
    ];
    all.into_iter().find(|kind| kind.proto_name() == name)
}
