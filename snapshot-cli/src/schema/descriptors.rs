//! Describes the messages of descriptor sets in the form of a manifest.

use std::collections::BTreeMap;

use prost::Message as _;
use prost_reflect::{DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use prost_types::FileDescriptorSet;
use snapshot_core::Error;
use snapshot_core::registry::Manifest;
use snapshot_core::wire::v1::manifest::{Enum, Field, Message, Value};

/// Describes the messages and enums in a descriptor set, all of which `pool` knows. The result has no
/// payloads, because descriptors do not say which messages are payloads.
///
/// # Errors
///
/// If the bytes are not a descriptor set.
pub(super) fn manifest(pool: &DescriptorPool, set: &[u8]) -> Result<Manifest, Error> {
    let set = FileDescriptorSet::decode(set)
        .map_err(|error| Error::invalid(format!("not a descriptor set: {error}")))?;
    let mut messages = BTreeMap::new();
    let mut enums = BTreeMap::new();
    for file in set.file.iter().filter_map(|file| pool.get_file_by_name(file.name())) {
        let mut waiting: Vec<MessageDescriptor> = file.messages().collect();
        file.enums().for_each(|one| put_enum(&one, &mut enums));
        while let Some(message) = waiting.pop() {
            waiting.extend(message.child_messages());
            message.child_enums().for_each(|one| put_enum(&one, &mut enums));
            if !message.is_map_entry() {
                let name = message.full_name().to_owned();
                let fields = message.fields().map(|field| describe(&field)).collect();
                messages.insert(name.clone(), Message { name, fields });
            }
        }
    }
    Ok(Manifest {
        payloads: Vec::new(),
        messages: messages.into_values().collect(),
        enums: enums.into_values().collect(),
        limits: None,
    })
}

fn put_enum(one: &EnumDescriptor, enums: &mut BTreeMap<String, Enum>) {
    let name = one.full_name().to_owned();
    let value = |value: prost_reflect::EnumValueDescriptor| Value {
        name: value.name().to_owned(),
        number: value.number(),
        since: 0,
    };
    let mut values: Vec<Value> = one.values().map(value).collect();
    values.sort_by(|a, b| (a.number, &a.name).cmp(&(b.number, &b.name)));
    enums.insert(name.clone(), Enum { name, values });
}

fn describe(field: &FieldDescriptor) -> Field {
    // protoc adds a oneof for each field with `optional`.
    let made_up = field.field_descriptor_proto().proto3_optional();
    let oneof = field.containing_oneof().filter(|_| !made_up);
    let value = type_name(field);
    let kind = match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
            format!("map<{}, {}>", type_name(&key), type_name(&value))
        }
        _ if field.is_list() => format!("repeated {value}"),
        // A message always has presence, and so has a member of a oneof.
        Kind::Message(_) => value,
        _ if oneof.is_none() && field.supports_presence() => format!("optional {value}"),
        _ => value,
    };
    Field {
        number: field.number(),
        name: field.name().to_owned(),
        kind,
        oneof: oneof.map(|oneof| oneof.name().to_owned()).unwrap_or_default(),
        ..Field::default()
    }
}

/// The type name in a `.proto` file.
fn type_name(field: &FieldDescriptor) -> String {
    match field.kind() {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(one) => one.full_name().to_owned(),
        _ => {
            let name = field.field_descriptor_proto().r#type().as_str_name();
            name.trim_start_matches("TYPE_").to_ascii_lowercase()
        }
    }
}
