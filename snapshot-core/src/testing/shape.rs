//! The schema in a form for the kit: every field of a message by its number, including members of
//! oneofs and the two fields of a map entry.

use crate::schema::kind::WireType;
use crate::schema::{FieldDescriptor, FieldShape, MessageDescriptor, ValueKind};

/// The shape of a message on the wire.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Message(&'static MessageDescriptor),
    /// An entry of a map.
    Entry(ValueKind, ValueKind),
}

/// How often a field occurs, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// At most once, and not with its default.
    Implicit,
    /// At most once.
    Explicit,
    /// Once: key and value of a map entry.
    Always,
    /// A tag for each element.
    Repeated,
    /// One tag for all elements.
    Packed,
    /// An entry for each element.
    Map,
}

/// One field of a message or a map entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldInfo {
    pub(super) number: u32,
    pub(super) name: &'static str,
    pub(super) presence: Presence,
    pub(super) value: FieldValue,
    /// The lowest number of the oneof that it is a member of.
    pub(super) oneof: Option<u32>,
}

/// The type of one value of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum FieldValue {
    Kind(ValueKind),
    Entry(ValueKind, ValueKind),
}

impl FieldInfo {
    pub(super) fn is_singular(&self) -> bool {
        matches!(self.presence, Presence::Implicit | Presence::Explicit | Presence::Always)
    }

    pub(super) fn wire_type(&self) -> WireType {
        match self.value {
            FieldValue::Kind(kind) => wire_type(kind),
            FieldValue::Entry(..) => WireType::Len,
        }
    }

    /// The shape of its values, if they are messages.
    pub(super) fn shape(&self) -> Option<Shape> {
        match self.value {
            FieldValue::Kind(ValueKind::Message(message)) => Some(Shape::Message(message())),
            FieldValue::Entry(key, value) => Some(Shape::Entry(key, value)),
            FieldValue::Kind(_) => None,
        }
    }

    /// The kind of its values, if they are not messages.
    pub(super) fn scalar(&self) -> Option<ValueKind> {
        match self.value {
            FieldValue::Kind(ValueKind::Message(_)) | FieldValue::Entry(..) => None,
            FieldValue::Kind(kind) => Some(kind),
        }
    }
}

impl Shape {
    /// The full name of the message. An entry has none.
    pub(super) fn name(self) -> String {
        match self {
            Shape::Message(message) => (message.full_name)(),
            Shape::Entry(..) => String::new(),
        }
    }

    pub(super) fn is_any(self) -> bool {
        matches!(self, Shape::Message(message) if (message.full_name)() == "google.protobuf.Any")
    }

    /// All fields, including each member of a oneof. Omits fields without a description.
    pub(super) fn fields(self) -> Vec<FieldInfo> {
        match self {
            Shape::Entry(key, value) => [(1, "key", key), (2, "value", value)]
                .map(|(number, name, kind)| FieldInfo {
                    number,
                    name,
                    presence: Presence::Always,
                    value: FieldValue::Kind(kind),
                    oneof: None,
                })
                .to_vec(),
            Shape::Message(message) => message
                .fields
                .iter()
                .flat_map(|field| match field.shape {
                    FieldShape::Oneof(oneof) => oneof()
                        .members
                        .iter()
                        .filter_map(|member| info(member, Some(field.number)))
                        .collect(),
                    _ => Vec::from_iter(info(field, None)),
                })
                .collect(),
        }
    }

    /// The field with this number.
    pub(super) fn field(self, number: u32) -> Option<FieldInfo> {
        self.fields().into_iter().find(|field| field.number == number)
    }

    /// Numbers without a field: the lowest, the one after the last, and the maximum.
    pub(super) fn free_numbers(self) -> Vec<u32> {
        let taken: Vec<u32> = match self {
            Shape::Entry(..) => vec![1, 2],
            Shape::Message(message) => message
                .fields
                .iter()
                .flat_map(|field| match field.shape {
                    FieldShape::Oneof(oneof) => oneof().members.iter().map(|m| m.number).collect(),
                    _ => vec![field.number],
                })
                .collect(),
        };
        let last = taken.iter().copied().max().unwrap_or(0);
        let lowest = (1..).find(|number| !taken.contains(number));
        let mut free: Vec<u32> = lowest.into_iter().chain([last + 1, 0x1fff_ffff]).collect();
        free.retain(|number| !taken.contains(number) && *number <= 0x1fff_ffff);
        free.dedup();
        free
    }
}

fn info(field: &FieldDescriptor, oneof: Option<u32>) -> Option<FieldInfo> {
    let kind = FieldValue::Kind;
    let (presence, value) = match field.shape {
        FieldShape::Singular(value) => (Presence::Implicit, kind(value)),
        FieldShape::Optional(value) => (Presence::Explicit, kind(value)),
        FieldShape::Repeated(value) => (Presence::Repeated, kind(value)),
        FieldShape::Packed(value) => (Presence::Packed, kind(value)),
        FieldShape::Map(key, value) => (Presence::Map, FieldValue::Entry(key, value)),
        FieldShape::Oneof(_) | FieldShape::Opaque => return None,
    };
    Some(FieldInfo { number: field.number, name: field.name, presence, value, oneof })
}

/// The wire type of a value of the kind.
pub(super) fn wire_type(kind: ValueKind) -> WireType {
    use ValueKind::*;
    match kind {
        Double | Fixed64 | Sfixed64 => WireType::Fixed64,
        Float | Fixed32 | Sfixed32 => WireType::Fixed32,
        String | Bytes | Message(_) => WireType::Len,
        Int32 | Int64 | Uint32 | Uint64 | Sint32 | Sint64 | Bool | Enum(_) => WireType::Varint,
    }
}
