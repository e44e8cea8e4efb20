//! Describes schemas as data for peers: the messages and enums of a [`Manifest`].

use std::collections::BTreeMap;

use super::{
    EnumDescriptor, FieldDescriptor, FieldShape, MessageDescriptor, OneofDescriptor, ValueKind,
};
use crate::wire::v1::manifest::{Enum, Field, Message, Value};

/// The payloads that one build of a program saves and accepts, field by field; see
/// [`Registry::manifest`](crate::registry::Registry::manifest).
pub use crate::wire::v1::Manifest;

/// Collects every message and enum that some messages reach.
#[derive(Debug, Default)]
pub(crate) struct Describer {
    messages: BTreeMap<String, Message>,
    enums: BTreeMap<String, Enum>,
}

impl Describer {
    /// Describes a message and all messages that it reaches. Returns its full name.
    pub(crate) fn message(&mut self, descriptor: &'static MessageDescriptor) -> String {
        let mut waiting = vec![descriptor];
        // Not recursive, since schemas may be.
        while let Some(descriptor) = waiting.pop() {
            let name = (descriptor.full_name)();
            if self.messages.contains_key(&name) {
                continue;
            }
            let mut fields = Vec::new();
            for field in descriptor.fields {
                match field.shape {
                    FieldShape::Oneof(oneof) => {
                        self.oneof(&name, field.name, oneof(), &mut fields, &mut waiting);
                    }
                    _ => fields.push(self.field(&name, field, "", &mut waiting)),
                }
            }
            fields.sort_by_key(|field| field.number);
            self.messages.insert(name.clone(), Message { name, fields });
        }
        (descriptor.full_name)()
    }

    fn oneof(
        &mut self,
        message: &str,
        name: &str,
        oneof: &'static OneofDescriptor,
        fields: &mut Vec<Field>,
        waiting: &mut Vec<&'static MessageDescriptor>,
    ) {
        for member in oneof.members {
            fields.push(self.field(message, member, name, waiting));
        }
    }

    fn field(
        &mut self,
        message: &str,
        field: &FieldDescriptor,
        oneof: &str,
        waiting: &mut Vec<&'static MessageDescriptor>,
    ) -> Field {
        let mut value = |kind| self.value(message, kind, waiting);
        let kind = match field.shape {
            FieldShape::Singular(kind) => value(kind),
            // A message always has presence, and so has a member of a oneof.
            FieldShape::Optional(kind @ ValueKind::Message(_)) => value(kind),
            FieldShape::Optional(kind) if !oneof.is_empty() => value(kind),
            FieldShape::Optional(kind) => format!("optional {}", value(kind)),
            // Packed or not, the kind is the same, because every reader accepts both.
            FieldShape::Repeated(kind) | FieldShape::Packed(kind) => {
                format!("repeated {}", value(kind))
            }
            FieldShape::Map(key, kind) => format!("map<{}, {}>", value(key), value(kind)),
            // Neither occurs here: the caller takes oneofs apart.
            FieldShape::Oneof(_) | FieldShape::Opaque => "unknown".to_owned(),
        };
        Field {
            number: field.number,
            name: field.name.to_owned(),
            kind,
            oneof: oneof.to_owned(),
            ..Field::default()
        }
    }

    fn value(
        &mut self,
        message: &str,
        kind: ValueKind,
        waiting: &mut Vec<&'static MessageDescriptor>,
    ) -> String {
        match kind {
            ValueKind::Message(descriptor) => {
                let descriptor = descriptor();
                waiting.push(descriptor);
                (descriptor.full_name)()
            }
            ValueKind::Enum(descriptor) => self.enumeration(message, descriptor()),
            scalar => scalar.proto_name().to_owned(),
        }
    }

    /// prost does not provide the full name of an enum, so the message that uses it names it.
    fn enumeration(&mut self, message: &str, descriptor: &EnumDescriptor) -> String {
        let name = format!("{message}.{}", descriptor.name);
        let value = |value: &super::EnumValue| Value {
            name: (value.proto_name)().to_owned(),
            number: value.number,
            since: 0,
        };
        let mut values: Vec<_> = descriptor.values.iter().map(value).collect();
        values.sort_by(|a, b| (a.number, &a.name).cmp(&(b.number, &b.name)));
        self.enums.insert(name.clone(), Enum { name: name.clone(), values });
        name
    }

    /// Returns the messages and the enums, each sorted by name.
    pub(crate) fn finish(self) -> (Vec<Message>, Vec<Enum>) {
        (self.messages.into_values().collect(), self.enums.into_values().collect())
    }
}

impl ValueKind {
    /// Returns the name of a scalar in a `.proto` file; `enum` or `message` for the others.
    pub const fn proto_name(self) -> &'static str {
        match self {
            ValueKind::Double => "double",
            ValueKind::Float => "float",
            ValueKind::Int32 => "int32",
            ValueKind::Int64 => "int64",
            ValueKind::Uint32 => "uint32",
            ValueKind::Uint64 => "uint64",
            ValueKind::Sint32 => "sint32",
            ValueKind::Sint64 => "sint64",
            ValueKind::Fixed32 => "fixed32",
            ValueKind::Fixed64 => "fixed64",
            ValueKind::Sfixed32 => "sfixed32",
            ValueKind::Sfixed64 => "sfixed64",
            ValueKind::Bool => "bool",
            ValueKind::String => "string",
            ValueKind::Bytes => "bytes",
            ValueKind::Enum(_) => "enum",
            ValueKind::Message(_) => "message",
        }
    }
}
