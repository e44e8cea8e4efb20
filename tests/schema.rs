//! Compares `derive(Schema)` with the descriptors of the protobuf compiler: every message, field,
//! oneof and enum of every package, in both directions.

use std::collections::{BTreeMap, BTreeSet};

use prost::{DecodeError, Message};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};
use snapshot_core::schema::kind::{self, Map, Oneof, Optional, Packed, Repeated, Singular};
use snapshot_core::schema::{
    EnumDescriptor, EnumSchema, Field, FieldDescriptor, FieldShape, MessageDescriptor, OneofSchema,
    Schema, ValueKind,
};
use snapshot_core::wire;
use snapshot_proto::fixture::v1::{self as fixture, enums, keywords, recursive};
use snapshot_proto::{example, lcow};

/// Proto names that prost-build changes irreversibly, with their names in the schema.
const RENAMED: [(&str, &str, &str); 1] = [("fixture.v1.Keywords", "camelCase", "camel_case")];

/// The packages; every message in them must be reachable from [`roots`].
const PACKAGES: [&str; 4] = ["example.v1", "fixture.v1", "lcow.v1", "snapshot.v1"];

/// Every message that is not inside another one.
fn roots() -> Vec<&'static MessageDescriptor> {
    macro_rules! descriptors {
        ($($message:path),* $(,)?) => { vec![$(<$message as Schema>::DESCRIPTOR),*] };
    }
    descriptors![
        example::v1::CounterSnapshot,
        example::v1::DiskSnapshot,
        example::v1::MachineSnapshot,
        example::v1::NicSnapshot,
        example::v1::VolumeSnapshot,
        example::v1::VolumeSnapshotV1,
        fixture::Blank,
        fixture::Choice,
        fixture::CounterSnapshot,
        fixture::Enums,
        fixture::Gaps,
        fixture::GroupSnapshot,
        fixture::Keywords,
        fixture::Maps,
        fixture::OptionalScalars,
        fixture::Recursive,
        fixture::Repeats,
        fixture::Scalars,
        fixture::Shadows,
        fixture::SharedBytes,
        fixture::Signal,
        fixture::SortedMaps,
        fixture::WellKnown,
        lcow::v1::ContainerSnapshot,
        lcow::v1::NetworkSnapshot,
        lcow::v1::Plan9Snapshot,
        lcow::v1::PodSnapshot,
        lcow::v1::ProcessSnapshot,
        lcow::v1::SandboxSnapshot,
        lcow::v1::ScsiSnapshot,
        lcow::v1::VmSnapshot,
        lcow::v1::VpciSnapshot,
        wire::v1::ControllerSetSnapshot,
        wire::v1::Manifest,
        wire::v1::Provenance,
    ]
}

/// A message as text, one line per field: equal texts mean equal schemas.
#[derive(Debug, Default, PartialEq)]
struct Described {
    name: String,
    fields: Vec<String>,
}

#[test]
fn every_message_is_described_as_the_protobuf_compiler_describes_it() {
    let compiled = Compiled::read().unwrap();
    let derived = reachable(&roots());
    for (name, message) in &derived {
        let expected = compiled.describe(name);
        assert_eq!(describe(message), expected, "{name}");
    }
    let derived: BTreeSet<&str> = derived.keys().map(String::as_str).collect();
    for name in compiled.messages.keys() {
        if PACKAGES.iter().any(|package| name.starts_with(&format!("{package}."))) {
            assert!(derived.contains(name.as_str()), "{name} is in no schema");
        }
    }
}

#[test]
fn every_enum_has_the_numbers_and_names_of_its_proto_file() {
    let compiled = Compiled::read().unwrap();
    let mut compared = 0;
    for (name, message) in reachable(&roots()) {
        let (expected, _) = &compiled.messages[&name];
        for field in flat(message) {
            let proto = expected.field.iter().find(|f| f.number() == field.number as i32).unwrap();
            let proto = compiled.map_entry(proto).map_or(proto, |(_, value)| value);
            let Some(found) = enum_in(&field) else {
                assert_ne!(proto.r#type(), Type::Enum, "{name}.{}", field.name);
                continue;
            };
            let expected = &compiled.enums[proto.type_name().trim_start_matches('.')];
            assert_eq!(found.name, expected.name(), "{name}.{}", field.name);
            let found: Vec<_> = found.values.iter().map(|v| ((v.proto_name)(), v.number)).collect();
            let expected: Vec<_> = expected.value.iter().map(|v| (v.name(), v.number())).collect();
            assert_eq!(found, expected, "{name}.{}", field.name);
            compared += 1;
        }
    }
    assert!(compared > 20, "only {compared} enum fields compared");
}

#[test]
fn fields_are_in_ascending_number_and_found_by_it() {
    for (name, message) in reachable(&roots()) {
        let numbers: Vec<u32> = message.fields.iter().map(|field| field.number).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{name}: {numbers:?}");
        for field in flat(message) {
            assert_eq!(message.field_name(field.number), Some(field.name), "{name}");
        }
        assert_eq!(message.field_name(536_870_910), None, "{name}");
    }
    let gaps: Vec<u32> = fixture::Gaps::DESCRIPTOR.fields.iter().map(|f| f.number).collect();
    assert_eq!(gaps, [1, 15, 16, 2047, 2048, 536_870_911]);
}

#[test]
fn negative_numbers_and_gaps_survive() {
    let signed = fixture::Signed::DESCRIPTOR;
    let numbers: Vec<i32> = signed.values.iter().map(|value| value.number).collect();
    assert_eq!(numbers, [0, -1, 1, i32::MIN]);
    assert_eq!(signed.value(-1).map(|value| value.variant), Some("MinusOne"));
    assert_eq!(signed.value(i32::MIN).map(|v| (v.proto_name)()), Some("SIGNED_MIN"));
    assert_eq!(fixture::Signed::VALUES.Min, i32::MIN);

    let sparse = fixture::Sparse::DESCRIPTOR;
    let variants: Vec<&str> = sparse.values.iter().map(|value| value.variant).collect();
    assert_eq!(variants, ["Zero", "Seven", "Two", "TwoBytes", "Max"]);
    assert_eq!(fixture::Sparse::VALUES.Max, i32::MAX);
    assert!(sparse.value(1).is_none());
}

#[test]
fn names_that_rust_cannot_have_are_given_back() {
    let names: Vec<&str> = fixture::Keywords::DESCRIPTOR.fields.iter().map(|f| f.name).collect();
    assert_eq!(
        names,
        ["type", "match", "self", "crate", "async", "gen", "camel_case", "ipv4_2nd", "kind", "fn"]
    );
    assert_eq!(keywords::Fn::MEMBERS.Where.name(), "where");
    assert_eq!(keywords::r#type::Enum::DESCRIPTOR.values[1].variant, "Self_");
}

#[test]
fn a_oneof_is_at_its_lowest_number() {
    let fields = fixture::Choice::DESCRIPTOR.fields;
    let places: Vec<_> = fields.iter().map(|field| (field.number, field.name)).collect();
    assert_eq!(
        places,
        [
            (1, "before"),
            (2, "kind"),
            (16, "interleaved"),
            (17, "between"),
            (19, "after"),
            (21, "last")
        ]
    );
    let interleaved = fixture::choice::Interleaved::DESCRIPTOR;
    assert!(interleaved.contains(18));
    assert!(!interleaved.contains(17));
}

#[test]
fn the_kinds_of_fields_are_in_their_types() {
    fn is<F>(_: Field<F>) {}

    let scalars = fixture::Scalars::FIELDS;
    is::<Singular<kind::Sfixed64>>(scalars.sfixed64);
    is::<Singular<kind::Bytes>>(scalars.bytes);
    is::<Optional<kind::Uint32>>(fixture::OptionalScalars::FIELDS.uint32);
    is::<Optional<kind::Enum<fixture::optional_scalars::Mode>>>(
        fixture::OptionalScalars::FIELDS.mode,
    );
    is::<Singular<kind::Enum<enums::inner::Level>>>(enums::Inner::FIELDS.level);
    is::<Singular<kind::Enum<enums::Level>>>(enums::Inner::FIELDS.outer_level);
    is::<Packed<kind::Enum<fixture::Sparse>>>(fixture::Repeats::FIELDS.r#enum);
    is::<Repeated<kind::Enum<fixture::Sparse>>>(fixture::Repeats::FIELDS.unpacked_enum);
    is::<Map<kind::Bool, kind::String>>(fixture::Maps::FIELDS.bool_key);
    is::<Map<kind::String, kind::Any>>(fixture::SortedMaps::FIELDS.any_value);
    is::<Repeated<kind::Bytes>>(fixture::SharedBytes::FIELDS.list);
    is::<Optional<kind::Message<()>>>(fixture::WellKnown::FIELDS.empty);
    is::<Optional<kind::Message<Vec<u8>>>>(fixture::WellKnown::FIELDS.bytes_value);

    // The box is not a part of the kind, at any place where prost adds it.
    let node = recursive::Node::FIELDS;
    is::<Optional<kind::Message<recursive::Node>>>(node.next);
    is::<Map<kind::String, kind::Message<recursive::Node>>>(node.by_name);
    is::<Oneof<recursive::node::Link>>(node.link);
    is::<Optional<kind::Message<recursive::Detour>>>(recursive::node::Link::MEMBERS.Detour);
    // A message called `Box` is not a box.
    is::<Optional<kind::Message<fixture::shadows::Box>>>(fixture::Shadows::FIELDS.r#box);
    is::<Optional<kind::Message<fixture::shadows::Box>>>(fixture::shadows::Box::FIELDS.r#box);
}

#[test]
fn a_recursive_schema_leads_back_to_itself() {
    let node = recursive::Node::DESCRIPTOR;
    let FieldShape::Optional(ValueKind::Message(next)) = node.fields[1].shape else {
        panic!("{:?}", node.fields[1].shape);
    };
    assert_eq!((next().full_name)(), (node.full_name)());
}

/// All messages that the roots lead to, by full name.
fn reachable(roots: &[&'static MessageDescriptor]) -> BTreeMap<String, &'static MessageDescriptor> {
    let mut found = BTreeMap::new();
    let mut open = roots.to_vec();
    while let Some(message) = open.pop() {
        if found.insert((message.full_name)(), message).is_none() {
            open.extend(flat(message).iter().filter_map(message_in));
        }
    }
    found
}

/// The fields of a message with the members of its oneofs in their place.
fn flat(message: &MessageDescriptor) -> Vec<FieldDescriptor> {
    let mut fields = Vec::new();
    for field in message.fields {
        match field.shape {
            FieldShape::Oneof(oneof) => fields.extend_from_slice(oneof().members),
            _ => fields.push(*field),
        }
    }
    fields
}

/// The type of a field, or of the values of a map.
fn value_in(field: &FieldDescriptor) -> Option<ValueKind> {
    match field.shape {
        FieldShape::Singular(value)
        | FieldShape::Optional(value)
        | FieldShape::Repeated(value)
        | FieldShape::Packed(value)
        | FieldShape::Map(_, value) => Some(value),
        FieldShape::Oneof(_) | FieldShape::Opaque => None,
    }
}

fn message_in(field: &FieldDescriptor) -> Option<&'static MessageDescriptor> {
    match value_in(field) {
        Some(ValueKind::Message(message)) => Some(message()),
        _ => None,
    }
}

fn enum_in(field: &FieldDescriptor) -> Option<&'static EnumDescriptor> {
    match value_in(field) {
        Some(ValueKind::Enum(descriptor)) => Some(descriptor()),
        _ => None,
    }
}

/// A derived message as text.
fn describe(message: &MessageDescriptor) -> Described {
    let mut fields: Vec<(u32, String)> = Vec::new();
    for field in message.fields {
        match field.shape {
            FieldShape::Oneof(oneof) => {
                assert_eq!(field.number, oneof().members[0].number, "{}", field.name);
                for member in oneof().members {
                    fields.push((member.number, format!("{} in {}", line(member), field.name)));
                }
            }
            _ => fields.push((field.number, line(field))),
        }
    }
    fields.sort();
    Described {
        name: message.name.to_owned(),
        fields: fields.into_iter().map(|(_, line)| line).collect(),
    }
}

fn line(field: &FieldDescriptor) -> String {
    let shape = match field.shape {
        FieldShape::Singular(value) => text(value),
        FieldShape::Optional(value) => format!("optional {}", text(value)),
        FieldShape::Repeated(value) => format!("repeated {}", text(value)),
        FieldShape::Packed(value) => format!("packed {}", text(value)),
        FieldShape::Map(key, value) => format!("map<{}, {}>", text(key), text(value)),
        FieldShape::Oneof(_) | FieldShape::Opaque => panic!("{field:?}"),
    };
    format!("{} {}: {shape}", field.number, field.name)
}

fn text(value: ValueKind) -> String {
    match value {
        ValueKind::Message(message) => (message().full_name)(),
        // prost does not know the full names of enums; their values are compared elsewhere.
        ValueKind::Enum(descriptor) => format!("enum {}", descriptor().name),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

/// The descriptors of the protobuf compiler.
struct Compiled {
    /// The messages by full name, and whether the file is proto3.
    messages: BTreeMap<String, (DescriptorProto, bool)>,
    entries: BTreeMap<String, DescriptorProto>,
    enums: BTreeMap<String, EnumDescriptorProto>,
}

impl Compiled {
    fn read() -> Result<Self, DecodeError> {
        let set = FileDescriptorSet::decode(snapshot_proto::FILE_DESCRIPTOR_SET)?;
        let mut compiled =
            Self { messages: BTreeMap::new(), entries: BTreeMap::new(), enums: BTreeMap::new() };
        for file in set.file {
            let package = file.package.unwrap_or_default();
            let proto3 = file.syntax.as_deref() == Some("proto3");
            for descriptor in file.enum_type {
                compiled.enums.insert(format!("{package}.{}", descriptor.name()), descriptor);
            }
            for message in file.message_type {
                compiled.add(&package, message, proto3);
            }
        }
        Ok(compiled)
    }

    fn add(&mut self, scope: &str, message: DescriptorProto, proto3: bool) {
        let name = format!("{scope}.{}", message.name());
        for descriptor in &message.enum_type {
            self.enums.insert(format!("{name}.{}", descriptor.name()), descriptor.clone());
        }
        for nested in &message.nested_type {
            self.add(&name, nested.clone(), proto3);
        }
        if message.options.as_ref().is_some_and(|options| options.map_entry()) {
            self.entries.insert(name, message);
        } else {
            self.messages.insert(name, (message, proto3));
        }
    }

    fn map_entry(
        &self,
        field: &FieldDescriptorProto,
    ) -> Option<(&FieldDescriptorProto, &FieldDescriptorProto)> {
        let entry = self.entries.get(field.type_name().trim_start_matches('.'))?;
        Some((&entry.field[0], &entry.field[1]))
    }

    fn describe(&self, full_name: &str) -> Described {
        let (message, proto3) = &self.messages[full_name];
        let mut fields: Vec<(i32, String)> = Vec::new();
        for field in &message.field {
            let name = RENAMED
                .iter()
                .find(|(message, from, _)| *message == full_name && *from == field.name())
                .map_or(field.name(), |(_, _, to)| *to);
            let mut line = format!("{} {name}: {}", field.number(), self.shape(field, *proto3));
            if let (Some(index), false) = (field.oneof_index, field.proto3_optional()) {
                line += &format!(" in {}", message.oneof_decl[index as usize].name());
            }
            fields.push((field.number(), line));
        }
        fields.sort();
        Described {
            name: message.name().to_owned(),
            fields: fields.into_iter().map(|(_, line)| line).collect(),
        }
    }

    fn shape(&self, field: &FieldDescriptorProto, proto3: bool) -> String {
        if let Some((key, value)) = self.map_entry(field) {
            return format!("map<{}, {}>", self.value(key), self.value(value));
        }
        let value = self.value(field);
        let packable =
            !matches!(field.r#type(), Type::String | Type::Bytes | Type::Message | Type::Group);
        let packed = match field.options.as_ref().and_then(|options| options.packed) {
            Some(packed) => packed,
            None => proto3,
        };
        match field.label() {
            Label::Repeated if packable && packed => format!("packed {value}"),
            Label::Repeated => format!("repeated {value}"),
            _ if field.proto3_optional()
                || field.oneof_index.is_some()
                || field.r#type() == Type::Message =>
            {
                format!("optional {value}")
            }
            _ => value,
        }
    }

    fn value(&self, field: &FieldDescriptorProto) -> String {
        let type_name = field.type_name().trim_start_matches('.');
        match field.r#type() {
            Type::Message => type_name.to_owned(),
            Type::Enum => format!("enum {}", self.enums[type_name].name()),
            scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
        }
    }
}
