//! Converts prost's bytes to canonical ones, so that both can be compared: adds the parts that prost
//! omits, and sorts the parts that prost orders differently.
//!
//! Canonical bytes are those of `prost::Message::encode` of the same message, except that:
//!
//! 1. prost omits the key of a map entry if it is the default (0, `false`, an empty string), and also the
//!    value (0, empty, a message equal to its default). A canonical entry has both.
//! 2. prost writes a `HashMap` in its own order, which differs in every run. Canonical entries are
//!    sorted by key, as in prost's `BTreeMap`: integers by value, strings by bytes.
//! 3. prost writes a oneof at the position of its lowest number. A canonical message has its fields in
//!    ascending order of the present numbers, so that a member can come after plain fields.
//! 4. prost omits -0.0 like 0.0, which loses the sign. Canonical bytes keep it; see
//!    `tests/canonical.rs`. The values here have no -0.0.
//!
//! A message without these has the same bytes in both.

use std::cmp::Ordering;

use prost::encoding::{decode_varint, encode_varint};
use snapshot_core::schema::{FieldShape, MessageDescriptor, ValueKind};

/// One field on the wire.
#[derive(Clone, Debug)]
pub struct RawField {
    pub number: u32,
    wire_type: u8,
    /// The bytes after the tag; for a length-delimited field, without the length.
    value: Vec<u8>,
}

impl RawField {
    /// The whole field, including its tag.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode_varint(u64::from(self.number) << 3 | u64::from(self.wire_type), &mut bytes);
        if self.wire_type == 2 {
            encode_varint(self.value.len() as u64, &mut bytes);
        }
        bytes.extend_from_slice(&self.value);
        bytes
    }
}

/// The fields of a well-formed message.
pub fn fields(mut bytes: &[u8]) -> Vec<RawField> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = decode_varint(&mut bytes).unwrap();
        let (number, wire_type) = ((tag >> 3) as u32, (tag & 7) as u8);
        let length = match wire_type {
            0 => {
                let mut ahead = bytes;
                decode_varint(&mut ahead).unwrap();
                bytes.len() - ahead.len()
            }
            1 => 8,
            2 => decode_varint(&mut bytes).unwrap() as usize,
            5 => 4,
            other => panic!("wire type {other} is not one that prost writes"),
        };
        let (value, rest) = bytes.split_at(length);
        fields.push(RawField { number, wire_type, value: value.to_vec() });
        bytes = rest;
    }
    fields
}

/// Converts the bytes of a message to canonical ones.
pub fn put_right(message: &MessageDescriptor, bytes: &[u8]) -> Vec<u8> {
    let mut fields = fields(bytes);
    for field in &mut fields {
        match shape(message, field.number) {
            FieldShape::Map(key, value) => {
                field.value = whole_entry(key, value, &field.value);
            }
            FieldShape::Singular(kind)
            | FieldShape::Optional(kind)
            | FieldShape::Repeated(kind) => {
                field.value = put_value_right(kind, &field.value);
            }
            _ => {}
        }
    }
    fields.sort_by(|a, b| {
        let by_key = || match shape(message, a.number) {
            FieldShape::Map(key, _) => by_key(key, &a.value, &b.value),
            _ => Ordering::Equal,
        };
        a.number.cmp(&b.number).then_with(by_key)
    });
    fields.iter().flat_map(RawField::to_bytes).collect()
}

/// The field with this number, or the member of a oneof.
pub fn shape(message: &MessageDescriptor, number: u32) -> FieldShape {
    let members = |field: &'static snapshot_core::schema::FieldDescriptor| match field.shape {
        FieldShape::Oneof(oneof) => oneof().members,
        _ => std::slice::from_ref(field),
    };
    let field = message.fields.iter().flat_map(members).find(|field| field.number == number);
    field.expect("prost writes no field that the schema does not have").shape
}

fn put_value_right(kind: ValueKind, value: &[u8]) -> Vec<u8> {
    match kind {
        ValueKind::Message(message) => put_right(message(), value),
        _ => value.to_vec(),
    }
}

/// Adds a missing key and value to an entry.
fn whole_entry(key: ValueKind, value: ValueKind, entry: &[u8]) -> Vec<u8> {
    let fields = fields(entry);
    let part = |number: u32, kind: ValueKind| {
        let found = fields.iter().find(|field| field.number == number);
        let (wire_type, default) = default_of(kind);
        let value = found.map_or(default, |field| put_value_right(kind, &field.value));
        RawField { number, wire_type, value }.to_bytes()
    };
    [part(1, key), part(2, value)].concat()
}

/// The wire type of a kind, and its default without a length.
fn default_of(kind: ValueKind) -> (u8, Vec<u8>) {
    use ValueKind::*;
    match kind {
        Double | Fixed64 | Sfixed64 => (1, vec![0; 8]),
        Float | Fixed32 | Sfixed32 => (5, vec![0; 4]),
        String | Bytes | Message(_) => (2, Vec::new()),
        Int32 | Int64 | Uint32 | Uint64 | Sint32 | Sint64 | Bool | Enum(_) => (0, vec![0]),
    }
}

fn by_key(key: ValueKind, a: &[u8], b: &[u8]) -> Ordering {
    let of = |entry: &[u8]| fields(entry).swap_remove(0).value;
    let (a, b) = (of(a), of(b));
    let number = |value: &[u8]| -> i128 {
        let varint = |mut value: &[u8]| decode_varint(&mut value).unwrap();
        let fixed32 = |value: &[u8]| u32::from_le_bytes(value.try_into().unwrap());
        let fixed64 = |value: &[u8]| u64::from_le_bytes(value.try_into().unwrap());
        let zigzag = |value: u64| (value >> 1) as i64 ^ -((value & 1) as i64);
        match key {
            ValueKind::Int32 | ValueKind::Int64 => (varint(value) as i64).into(),
            ValueKind::Uint32 | ValueKind::Uint64 | ValueKind::Bool => varint(value).into(),
            ValueKind::Sint32 | ValueKind::Sint64 => zigzag(varint(value)).into(),
            ValueKind::Fixed32 => fixed32(value).into(),
            ValueKind::Fixed64 => fixed64(value).into(),
            ValueKind::Sfixed32 => (fixed32(value) as i32).into(),
            ValueKind::Sfixed64 => (fixed64(value) as i64).into(),
            other => panic!("{other:?} is no key"),
        }
    };
    match key {
        ValueKind::String => a.cmp(&b),
        _ => number(&a).cmp(&number(&b)),
    }
}

/// Whether prost's bytes of the message are already canonical.
pub fn is_the_same_in_prost(message: &MessageDescriptor) -> bool {
    message.fields.iter().all(|field| match field.shape {
        FieldShape::Map(..) => false,
        FieldShape::Oneof(oneof) => {
            let last = oneof().members.last().map_or(0, |member| member.number);
            let is_around = |number: u32| field.number < number && number < last;
            !message.fields.iter().any(|other| is_around(other.number))
        }
        FieldShape::Singular(ValueKind::Message(inner))
        | FieldShape::Optional(ValueKind::Message(inner))
        | FieldShape::Repeated(ValueKind::Message(inner)) => {
            // The depth of a recursive message does not matter for whether it has maps.
            std::ptr::eq(inner(), message) || is_the_same_in_prost(inner())
        }
        _ => true,
    })
}
