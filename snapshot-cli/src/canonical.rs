//! The one encoding of a message that the library writes: fields in ascending number, defaults left
//! out, map entries with key and value, maps sorted.

use std::cmp::Ordering;

use prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, Value};

/// The encoding. Unknown fields are left out.
pub(crate) fn encode(message: &DynamicMessage) -> Vec<u8> {
    let mut out = Vec::new();
    put_message(message, &mut out);
    out
}

/// How many bytes a field takes, tags and lengths included.
pub(crate) fn length_of(field: &FieldDescriptor, value: &Value) -> usize {
    let mut out = Vec::new();
    put_field(field, value, &mut out);
    out.len()
}

fn put_message(message: &DynamicMessage, out: &mut Vec<u8>) {
    // By number, and only those that are there.
    for (field, value) in message.fields() {
        put_field(&field, value, out);
    }
}

fn put_field(field: &FieldDescriptor, value: &Value, out: &mut Vec<u8>) {
    let (number, kind) = (field.number(), field.kind());
    match value {
        Value::Map(entries) => {
            let Kind::Message(entry) = kind else { return };
            let (key_kind, value_kind) =
                (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
            for (key, value) in sorted(entries) {
                let mut bytes = Vec::new();
                put_value(1, &key_kind, &key.clone().into(), &mut bytes);
                put_value(2, &value_kind, value, &mut bytes);
                put_delimited(number, &bytes, out);
            }
        }
        Value::List(values) if field.is_packed() => {
            let mut bytes = Vec::new();
            values.iter().for_each(|value| put_bare(&kind, value, &mut bytes));
            if !values.is_empty() {
                put_delimited(number, &bytes, out);
            }
        }
        Value::List(values) => {
            values.iter().for_each(|value| put_value(number, &kind, value, out));
        }
        value => put_value(number, &kind, value, out),
    }
}

fn put_value(number: u32, kind: &Kind, value: &Value, out: &mut Vec<u8>) {
    encode_key(number, wire_type(kind), out);
    put_bare(kind, value, out);
}

fn put_delimited(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn wire_type(kind: &Kind) -> WireType {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => WireType::SixtyFourBit,
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => WireType::ThirtyTwoBit,
        Kind::String | Kind::Bytes | Kind::Message(_) => WireType::LengthDelimited,
        _ => WireType::Varint,
    }
}

fn put_bare(kind: &Kind, value: &Value, out: &mut Vec<u8>) {
    let bytes = |bytes: &[u8], out: &mut Vec<u8>| {
        encode_varint(bytes.len() as u64, out);
        out.extend_from_slice(bytes);
    };
    match (kind, value) {
        (Kind::Sint32, Value::I32(n)) => encode_varint(u64::from((n << 1 ^ n >> 31) as u32), out),
        (Kind::Sint64, Value::I64(n)) => encode_varint((n << 1 ^ n >> 63) as u64, out),
        (Kind::Fixed32, Value::U32(n)) => out.extend_from_slice(&n.to_le_bytes()),
        (Kind::Fixed64, Value::U64(n)) => out.extend_from_slice(&n.to_le_bytes()),
        (Kind::Sfixed32, Value::I32(n)) => out.extend_from_slice(&n.to_le_bytes()),
        (Kind::Sfixed64, Value::I64(n)) => out.extend_from_slice(&n.to_le_bytes()),
        (_, Value::Bool(b)) => encode_varint(u64::from(*b), out),
        // Negative ones have ten bytes.
        (_, Value::I32(n) | Value::EnumNumber(n)) => encode_varint(i64::from(*n) as u64, out),
        (_, Value::I64(n)) => encode_varint(*n as u64, out),
        (_, Value::U32(n)) => encode_varint(u64::from(*n), out),
        (_, Value::U64(n)) => encode_varint(*n, out),
        (_, Value::F32(n)) => out.extend_from_slice(&n.to_le_bytes()),
        (_, Value::F64(n)) => out.extend_from_slice(&n.to_le_bytes()),
        (_, Value::String(text)) => bytes(text.as_bytes(), out),
        (_, Value::Bytes(found)) => bytes(found, out),
        (_, Value::Message(message)) => bytes(&encode(message), out),
        // Neither is a value of one element.
        (_, Value::List(_) | Value::Map(_)) => {}
    }
}

/// The entries of a map as they are written: integers by value, strings by bytes.
pub(crate) fn sorted<'a>(
    entries: impl IntoIterator<Item = (&'a MapKey, &'a Value)>,
) -> Vec<(&'a MapKey, &'a Value)> {
    let mut entries: Vec<_> = entries.into_iter().collect();
    // All keys of a map are of one kind, whose order is the derived one.
    entries.sort_by(|a, b| a.0.partial_cmp(b.0).unwrap_or(Ordering::Equal));
    entries
}
