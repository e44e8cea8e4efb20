//! The canonical encoding of a message, which the library writes: fields in ascending order, without
//! defaults, map entries with key and value, maps sorted.
//!
//! It is written backwards, the last byte first, so that every length is known when it is written. The
//! work is linear in the number of bytes, at any depth of nesting.

use std::cmp::Ordering;

use bytes::Bytes;
use prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, Value};

use crate::fields::present;

/// Encodes a message without its unknown fields.
pub(crate) fn encode(message: &DynamicMessage) -> Vec<u8> {
    let mut out = Reversed::default();
    put_message(message, &mut out);
    out.0.reverse();
    out.0
}

/// Whether these bytes are the canonical encoding of the message that was read from them.
pub(crate) fn is_encoding_of(bytes: &Bytes, message: &DynamicMessage) -> bool {
    let mut compared = Comparison { bytes, end: bytes.len(), is_same: true };
    put_message(message, &mut compared);
    compared.is_same && compared.end == 0
}

/// The number of bytes of a field, including tags and lengths.
pub(crate) fn length_of(field: &FieldDescriptor, value: &Value) -> usize {
    let mut length = Length(0);
    put_field(field, value, &mut length);
    length.0
}

/// The target of an encoding, written from its end to its beginning.
trait Backwards {
    /// Puts these bytes before the existing ones.
    fn put(&mut self, bytes: &[u8]);

    /// The number of bytes.
    fn length(&self) -> usize;

    /// Whether further bytes are needed.
    fn is_open(&self) -> bool {
        true
    }
}

/// The bytes, the last one first.
#[derive(Default)]
struct Reversed(Vec<u8>);

impl Backwards for Reversed {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend(bytes.iter().rev());
    }

    fn length(&self) -> usize {
        self.0.len()
    }
}

struct Length(usize);

impl Backwards for Length {
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    fn length(&self) -> usize {
        self.0
    }
}

/// Compares an encoding with existing bytes.
struct Comparison<'a> {
    bytes: &'a [u8],
    /// The offset where the compared part begins.
    end: usize,
    is_same: bool,
}

impl Backwards for Comparison<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let Some(start) = self.end.checked_sub(bytes.len()) else {
            self.is_same = false;
            return;
        };
        let there = &self.bytes[start..self.end];
        // The nested payload was read from these bytes. Comparing it again for each payload around it
        // would take most of the time.
        self.is_same &= std::ptr::eq(there, bytes) || there == bytes;
        self.end = start;
    }

    fn length(&self) -> usize {
        self.bytes.len() - self.end
    }

    fn is_open(&self) -> bool {
        self.is_same
    }
}

fn put_message(message: &DynamicMessage, out: &mut impl Backwards) {
    for (field, value) in present(message).into_iter().rev() {
        if !out.is_open() {
            return;
        }
        put_field(&field, value, out);
    }
}

fn put_field(field: &FieldDescriptor, value: &Value, out: &mut impl Backwards) {
    let (number, kind) = (field.number(), field.kind());
    match value {
        Value::Map(entries) => {
            let Kind::Message(entry) = kind else { return };
            let (key_kind, value_kind) =
                (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
            for (key, value) in sorted(entries).into_iter().rev() {
                let end = out.length();
                put_value(2, &value_kind, value, out);
                put_value(1, &key_kind, &key.clone().into(), out);
                put_length(out.length() - end, out);
                put_key(number, WireType::LengthDelimited, out);
            }
        }
        Value::List(values) if field.is_packed() => {
            let end = out.length();
            values.iter().rev().for_each(|value| put_bare(&kind, value, out));
            if !values.is_empty() {
                put_length(out.length() - end, out);
                put_key(number, WireType::LengthDelimited, out);
            }
        }
        Value::List(values) => {
            values.iter().rev().for_each(|value| put_value(number, &kind, value, out));
        }
        value => put_value(number, &kind, value, out),
    }
}

fn put_value(number: u32, kind: &Kind, value: &Value, out: &mut impl Backwards) {
    put_bare(kind, value, out);
    put_key(number, wire_type(kind), out);
}

fn put_key(number: u32, wire_type: WireType, out: &mut impl Backwards) {
    let mut key = Vec::with_capacity(5);
    encode_key(number, wire_type, &mut key);
    out.put(&key);
}

fn put_length(length: usize, out: &mut impl Backwards) {
    put_varint(length as u64, out);
}

fn put_varint(number: u64, out: &mut impl Backwards) {
    let mut bytes = Vec::with_capacity(10);
    encode_varint(number, &mut bytes);
    out.put(&bytes);
}

fn wire_type(kind: &Kind) -> WireType {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => WireType::SixtyFourBit,
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => WireType::ThirtyTwoBit,
        Kind::String | Kind::Bytes | Kind::Message(_) => WireType::LengthDelimited,
        _ => WireType::Varint,
    }
}

fn put_bare(kind: &Kind, value: &Value, out: &mut impl Backwards) {
    match (kind, value) {
        (Kind::Sint32, Value::I32(n)) => put_varint(u64::from((n << 1 ^ n >> 31) as u32), out),
        (Kind::Sint64, Value::I64(n)) => put_varint((n << 1 ^ n >> 63) as u64, out),
        (Kind::Fixed32, Value::U32(n)) => out.put(&n.to_le_bytes()),
        (Kind::Fixed64, Value::U64(n)) => out.put(&n.to_le_bytes()),
        (Kind::Sfixed32, Value::I32(n)) => out.put(&n.to_le_bytes()),
        (Kind::Sfixed64, Value::I64(n)) => out.put(&n.to_le_bytes()),
        (_, Value::Bool(b)) => put_varint(u64::from(*b), out),
        // A negative number takes ten bytes.
        (_, Value::I32(n) | Value::EnumNumber(n)) => put_varint(i64::from(*n) as u64, out),
        (_, Value::I64(n)) => put_varint(*n as u64, out),
        (_, Value::U32(n)) => put_varint(u64::from(*n), out),
        (_, Value::U64(n)) => put_varint(*n, out),
        (_, Value::F32(n)) => out.put(&n.to_le_bytes()),
        (_, Value::F64(n)) => out.put(&n.to_le_bytes()),
        (_, Value::String(text)) => {
            out.put(text.as_bytes());
            put_length(text.len(), out);
        }
        (_, Value::Bytes(bytes)) => {
            out.put(bytes);
            put_length(bytes.len(), out);
        }
        (_, Value::Message(message)) => {
            let end = out.length();
            put_message(message, out);
            put_length(out.length() - end, out);
        }
        // Lists and maps are not values of a single element.
        (_, Value::List(_) | Value::Map(_)) => {}
    }
}

/// The entries of a map in canonical order: integers by value, strings by bytes.
pub(crate) fn sorted<'a>(
    entries: impl IntoIterator<Item = (&'a MapKey, &'a Value)>,
) -> Vec<(&'a MapKey, &'a Value)> {
    let mut entries: Vec<_> = entries.into_iter().collect();
    // All keys of a map have the same kind, so the derived order is right.
    entries.sort_by(|a, b| a.0.partial_cmp(b.0).unwrap_or(Ordering::Equal));
    entries
}
