//! The fields of a message: the present ones, and those that its descriptor does not know.

use prost::encoding::WireType;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage, UnknownField, Value,
};

/// The fields on the wire, by ascending number.
///
/// prost-reflect treats a negative zero as the default. It is not the default: its bits differ, and it is
/// written.
pub(crate) fn present(message: &DynamicMessage) -> Vec<(FieldDescriptor, &Value)> {
    use std::borrow::Cow;
    let mut fields: Vec<_> = message.fields().collect();
    let descriptor = message.descriptor();
    let floats = descriptor.fields().filter(|field| {
        let is_float = matches!(field.kind(), Kind::Float | Kind::Double);
        is_float && !field.is_list() && !field.is_map() && !field.supports_presence()
    });
    for field in floats {
        // A missing value is an owned default.
        if let Cow::Borrowed(value) = message.get_field(&field)
            && is_negative_zero(value)
        {
            fields.push((field, value));
        }
    }
    fields.sort_by_key(|(field, _)| field.number());
    fields
}

pub(crate) fn is_negative_zero(value: &Value) -> bool {
    match value {
        Value::F32(n) => *n == 0.0 && n.is_sign_negative(),
        Value::F64(n) => *n == 0.0 && n.is_sign_negative(),
        _ => false,
    }
}

/// Returns the key of a map as text.
pub(crate) fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(b) => b.to_string(),
        MapKey::I32(n) => n.to_string(),
        MapKey::I64(n) => n.to_string(),
        MapKey::U32(n) => n.to_string(),
        MapKey::U64(n) => n.to_string(),
        MapKey::String(text) => text.clone(),
    }
}

/// A field that the descriptor does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub(crate) number: u32,
    pub(crate) wire_type: &'static str,
    /// The value on the wire, without tag and length.
    pub(crate) bytes: Vec<u8>,
    /// The number, if it is a varint.
    pub(crate) varint: Option<u64>,
}

/// The unknown fields of a message, by ascending number; fields with the same number keep their order.
pub(crate) fn unknown(message: &DynamicMessage) -> Vec<Unknown> {
    let mut fields: Vec<_> = message.unknown_fields().map(Unknown::of).collect();
    fields.sort_by_key(|field| field.number);
    fields
}

/// The number of unknown fields in a message and its nested messages. An `Any` counts as a message; its
/// payload does not.
pub(crate) fn count_unknown(message: &DynamicMessage) -> usize {
    let below = |value: &Value| value.as_message().map_or(0, count_unknown);
    let inner = message.fields().map(|(_, value)| match value {
        Value::List(values) => values.iter().map(below).sum(),
        Value::Map(entries) => entries.values().map(below).sum(),
        value => below(value),
    });
    message.unknown_fields().count() + inner.sum::<usize>()
}

impl Unknown {
    fn of(field: &UnknownField) -> Self {
        let mut encoded = Vec::with_capacity(field.encoded_len());
        field.encode(&mut encoded);
        // Skip the tag and the length, if any; both were just written.
        let mut rest = encoded.as_slice();
        let _ = prost::encoding::decode_key(&mut rest);
        let wire_type = match field.wire_type() {
            WireType::Varint => "varint",
            WireType::SixtyFourBit => "64 bits",
            WireType::ThirtyTwoBit => "32 bits",
            WireType::StartGroup | WireType::EndGroup => "group",
            WireType::LengthDelimited => {
                let _ = prost::encoding::decode_varint(&mut rest);
                "length-delimited"
            }
        };
        let varint = match field.wire_type() {
            WireType::Varint => prost::encoding::decode_varint(&mut { rest }).ok(),
            _ => None,
        };
        Self { number: field.number(), wire_type, bytes: rest.to_vec(), varint }
    }
}
