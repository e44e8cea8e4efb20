//! Renders payloads as text with the descriptors of the registry, so that people can read and compare
//! restored snapshots.

use std::collections::BTreeSet;
use std::fmt::Write;

use snapshot_core::Schema;
use snapshot_core::codec::{Reader, Tag};
use snapshot_core::registry::registry;
use snapshot_core::schema::kind::WireType;
use snapshot_core::schema::{FieldDescriptor, FieldShape, MessageDescriptor, ValueKind};

/// The text so far, with the fields that it shows.
#[derive(Default)]
pub(crate) struct Text {
    pub(crate) text: String,
    depth: usize,
    /// The full names of messages and the names of their fields.
    pub(crate) seen: BTreeSet<(String, &'static str)>,
}

impl Text {
    fn line(&mut self, text: &str) {
        writeln!(self.text, "{:indent$}{text}", "", indent = 2 * self.depth).unwrap();
    }

    fn block(&mut self, head: &str, inside: impl FnOnce(&mut Self)) {
        self.line(&format!("{head} {{"));
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.line("}");
    }

    /// Adds a payload of a registered type from an `Any`.
    pub(crate) fn payload(&mut self, name: &str, type_url: &str, value: &[u8]) {
        let registration = registry().unwrap().get(type_url).expect(type_url);
        let head = format!("{name}[{type_url}]");
        self.block(&head, |text| text.message(registration.descriptor(), value));
    }

    fn message(&mut self, descriptor: &MessageDescriptor, bytes: &[u8]) {
        let mut r = Reader::new(bytes);
        while let Some(tag) = r.tag().unwrap() {
            let field = field_of(descriptor, tag.number);
            self.seen.insert(((descriptor.full_name)(), field.name));
            self.field(field, tag, &mut r);
        }
    }

    fn field(&mut self, field: &FieldDescriptor, tag: Tag, r: &mut Reader<'_>) {
        match field.shape {
            FieldShape::Map(key, value) => {
                let mut entry = Reader::new(r.bytes().unwrap());
                let mut parts = [None, None];
                while let Some(tag) = entry.tag().unwrap() {
                    let part = taken(tag.wire_type, &mut entry);
                    parts[tag.number as usize - 1] = Some(part);
                }
                let [Some(key_bytes), Some(value_bytes)] = parts else {
                    panic!("{}: an entry always has key and value", field.name)
                };
                let key = scalar(key, &mut Reader::new(&key_bytes));
                let name = format!("{}[{key}]", field.name);
                self.value(&name, value, &mut Reader::new(&value_bytes));
            }
            FieldShape::Packed(kind) if tag.wire_type == WireType::Len => {
                let mut values = Reader::new(r.bytes().unwrap());
                while values.remaining() > 0 {
                    self.value(field.name, kind, &mut values);
                }
            }
            FieldShape::Singular(kind)
            | FieldShape::Optional(kind)
            | FieldShape::Repeated(kind)
            | FieldShape::Packed(kind) => self.value(field.name, kind, r),
            FieldShape::Oneof(_) | FieldShape::Opaque => panic!("{} is no value", field.name),
        }
    }

    fn value(&mut self, name: &str, kind: ValueKind, r: &mut Reader<'_>) {
        let ValueKind::Message(descriptor) = kind else {
            let value = scalar(kind, r);
            return self.line(&format!("{name}: {value}"));
        };
        let (descriptor, bytes) = (descriptor(), r.bytes().unwrap());
        if (descriptor.full_name)() == (prost_types::Any::DESCRIPTOR.full_name)() {
            let any: prost_types::Any = prost::Message::decode(bytes).unwrap();
            return self.payload(&format!("{name}: "), &any.type_url, &any.value);
        }
        self.block(name, |text| text.message(descriptor, bytes));
    }
}

fn field_of(descriptor: &MessageDescriptor, number: u32) -> &'static FieldDescriptor {
    let members = |field: &'static FieldDescriptor| match field.shape {
        FieldShape::Oneof(oneof) => oneof().members,
        _ => std::slice::from_ref(field),
    };
    let mut fields = descriptor.fields.iter().flat_map(members);
    fields.find(|field| field.number == number).expect("a field of the message")
}

/// Returns the bytes of one value, including its length if it has one.
fn taken(wire_type: WireType, r: &mut Reader<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    match wire_type {
        WireType::Varint => prost::encoding::encode_varint(r.varint().unwrap(), &mut bytes),
        WireType::Fixed64 => bytes.extend(r.raw(8).unwrap()),
        WireType::Fixed32 => bytes.extend(r.raw(4).unwrap()),
        WireType::Len => {
            let value = r.bytes().unwrap();
            prost::encoding::encode_varint(value.len() as u64, &mut bytes);
            bytes.extend(value);
        }
    }
    bytes
}

fn scalar(kind: ValueKind, r: &mut Reader<'_>) -> String {
    let unzigzag = |raw: u64| (raw >> 1) as i64 ^ -((raw & 1) as i64);
    match kind {
        ValueKind::Double => f64::from_bits(r.fixed64().unwrap()).to_string(),
        ValueKind::Float => f32::from_bits(r.fixed32().unwrap()).to_string(),
        ValueKind::Int32 | ValueKind::Int64 => (r.varint().unwrap() as i64).to_string(),
        ValueKind::Uint32 | ValueKind::Uint64 => r.varint().unwrap().to_string(),
        ValueKind::Sint32 | ValueKind::Sint64 => unzigzag(r.varint().unwrap()).to_string(),
        ValueKind::Fixed32 => r.fixed32().unwrap().to_string(),
        ValueKind::Fixed64 => r.fixed64().unwrap().to_string(),
        ValueKind::Sfixed32 => (r.fixed32().unwrap() as i32).to_string(),
        ValueKind::Sfixed64 => (r.fixed64().unwrap() as i64).to_string(),
        ValueKind::Bool => (r.varint().unwrap() == 1).to_string(),
        ValueKind::String => format!("{:?}", r.text().unwrap()),
        ValueKind::Bytes => format!("b\"{}\"", r.bytes().unwrap().escape_ascii()),
        ValueKind::Enum(descriptor) => {
            let number = i32::try_from(r.varint().unwrap() as i64).unwrap();
            (descriptor().value(number).expect("a value of the enum").proto_name)().to_owned()
        }
        ValueKind::Message(_) => panic!("a message is no scalar"),
    }
}
