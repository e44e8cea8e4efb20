//! Encoded bytes as a tree that can be changed and written again. The tree interprets only as much as an
//! edit needs, so that it can hold every varint, every length and every order that a reader may encounter.

use crate::schema::kind::WireType;

use super::shape::Shape;

/// A message.
#[derive(Clone, Debug)]
pub(super) struct TreeMessage {
    pub(super) shape: Shape,
    /// The place of the message in the type's schema, see [`Places`](super::places::Places).
    pub(super) place: usize,
    pub(super) fields: Vec<TreeField>,
}

/// One occurrence of a field.
#[derive(Clone, Debug)]
pub(super) struct TreeField {
    pub(super) number: u32,
    pub(super) value: Value,
    /// The offset of its tag.
    pub(super) offset: usize,
}

/// The value after a tag.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(Vec<u8>),
    Message(TreeMessage),
    /// Scalars after one tag and length.
    Packed(Vec<Value>),
    /// A group with content.
    Group,
    /// A tag with this invalid wire type, and nothing after it.
    NoWireType(u8),
}

impl TreeField {
    pub(super) fn new(number: u32, value: Value) -> Self {
        Self { number, value, offset: usize::MAX }
    }
}

impl TreeMessage {
    /// The bytes, without a length.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in &self.fields {
            field.encode(&mut bytes);
        }
        bytes
    }

    /// The message at the end of a way, which consists of indices of fields.
    pub(super) fn at(&mut self, way: &[usize]) -> Option<&mut TreeMessage> {
        let Some((&first, rest)) = way.split_first() else { return Some(self) };
        match &mut self.fields.get_mut(first)?.value {
            Value::Message(message) => message.at(rest),
            _ => None,
        }
    }

    /// The same message, immutable.
    pub(super) fn get(&self, way: &[usize]) -> Option<&TreeMessage> {
        let Some((&first, rest)) = way.split_first() else { return Some(self) };
        match &self.fields.get(first)?.value {
            Value::Message(message) => message.get(rest),
            _ => None,
        }
    }

    /// The bytes of a copy of the whole message in which one inner message is changed.
    pub(super) fn with(&mut self, way: &[usize], edit: impl FnOnce(&mut TreeMessage)) -> Vec<u8> {
        let Some(message) = self.at(way) else { return self.encode() };
        let before = message.fields.clone();
        edit(message);
        let bytes = self.encode();
        if let Some(message) = self.at(way) {
            message.fields = before;
        }
        bytes
    }

    /// The values of a field; packed values are separate.
    pub(super) fn values(&self, number: u32) -> Vec<Value> {
        let mut values = Vec::new();
        for field in self.fields.iter().filter(|field| field.number == number) {
            match &field.value {
                Value::Packed(packed) => values.extend_from_slice(packed),
                value => values.push(value.clone()),
            }
        }
        values
    }

    /// Replaces the values of a field, at the position of the first one or after the lower field numbers.
    pub(super) fn set(&mut self, number: u32, values: Vec<Value>, packed: bool) {
        let at = self.fields.iter().position(|field| field.number >= number);
        self.fields.retain(|field| field.number != number);
        let at = at.unwrap_or(self.fields.len()).min(self.fields.len());
        let values = match packed {
            true if values.is_empty() => Vec::new(),
            true => vec![Value::Packed(values)],
            false => values,
        };
        self.fields.splice(at..at, values.into_iter().map(|value| TreeField::new(number, value)));
    }
}

impl TreeField {
    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        let tag = |wire_type: u8| u64::from(self.number) << 3 | u64::from(wire_type);
        let of = |wire_type: WireType| tag(wire_type as u8);
        match &self.value {
            Value::Varint(_) => varint(of(WireType::Varint), bytes),
            Value::Fixed64(_) => varint(of(WireType::Fixed64), bytes),
            Value::Fixed32(_) => varint(of(WireType::Fixed32), bytes),
            Value::Bytes(_) | Value::Message(_) | Value::Packed(_) => {
                varint(of(WireType::Len), bytes);
            }
            Value::Group => {
                varint(tag(3), bytes);
                varint(1 << 3, bytes);
                varint(1, bytes);
                varint(tag(4), bytes);
            }
            Value::NoWireType(wire_type) => varint(tag(*wire_type), bytes),
        }
        self.value.encode(bytes);
    }
}

impl Value {
    /// The encoding of the value after the tag.
    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        match self {
            Value::Varint(value) => varint(*value, bytes),
            Value::Fixed64(value) => bytes.extend_from_slice(&value.to_le_bytes()),
            Value::Fixed32(value) => bytes.extend_from_slice(&value.to_le_bytes()),
            Value::Bytes(value) => delimited(value, bytes),
            Value::Message(message) => delimited(&message.encode(), bytes),
            Value::Packed(values) => {
                let mut packed = Vec::new();
                values.iter().for_each(|value| value.encode(&mut packed));
                delimited(&packed, bytes);
            }
            Value::Group | Value::NoWireType(_) => {}
        }
    }

    /// The bytes after the tag, in a new buffer.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        bytes
    }
}

fn delimited(value: &[u8], bytes: &mut Vec<u8>) {
    varint(value.len() as u64, bytes);
    bytes.extend_from_slice(value);
}

fn varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// The number of bytes of a length's varint.
pub(super) fn varint_length(value: usize) -> usize {
    let bits = usize::BITS - value.leading_zeros();
    bits.div_ceil(7).max(1) as usize
}
